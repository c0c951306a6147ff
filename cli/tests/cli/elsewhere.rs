//! Servers in processes of their own, as somebody else's would be.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::spanproof::Folder;

pub(crate) struct Elsewhere {
    /// Its URL: of a receiver, for OTLP over gRPC.
    pub(crate) address: String,
    process: Child,
}

impl Elsewhere {
    /// Starts a receiver that writes to the file `out` of `folder`.
    pub(crate) fn start(folder: &Folder, out: &str) -> Elsewhere {
        let receive = ["receive", "--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0"];
        Elsewhere::saying(folder, &[&receive[..], &["--out", out]].concat(), |line| {
            let line = line.to_lowercase();
            line.strip_prefix("grpc").map(|rest| rest.trim().to_owned())
        })
    }

    /// Starts a mock with `arguments`.
    pub(crate) fn mock(folder: &Folder, arguments: &[&str]) -> Elsewhere {
        Elsewhere::saying(folder, &[&["mock"], arguments].concat(), |line| {
            line.starts_with("http").then(|| line.to_owned())
        })
    }

    /// Starts what ends with its standard input, and says its address in a line.
    fn saying(
        folder: &Folder,
        arguments: &[&str],
        address: impl Fn(&str) -> Option<String>,
    ) -> Elsewhere {
        let mut process = Command::new(env!("CARGO_BIN_EXE_spanproof"))
            .args(arguments)
            .arg("--until-stdin-ends")
            .current_dir(folder.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = said.map_while(Result::ok).find_map(|line| address(&line)).unwrap();
        Elsewhere { address, process }
    }

    /// Lets it end, with everything written.
    pub(crate) fn end(&mut self) {
        assert_eq!(self.ended(), Some(0));
    }

    /// How it ends.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        drop(self.process.stdin.take());
        self.process.wait().unwrap().code()
    }
}

//! A receiver in a process of its own, as somebody else's would be.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::spanproof::Folder;

pub(crate) struct Elsewhere {
    /// Its URL, for OTLP over gRPC.
    pub(crate) address: String,
    process: Child,
}

impl Elsewhere {
    /// Starts one that writes to the file `out` of `folder`.
    pub(crate) fn start(folder: &Folder, out: &str) -> Elsewhere {
        let mut process = Command::new(env!("CARGO_BIN_EXE_spanproof"))
            .args(["receive", "--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0"])
            .args(["--out", out, "--until-stdin-ends"])
            .current_dir(folder.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = said
            .map_while(Result::ok)
            .find_map(|line| {
                line.to_lowercase().strip_prefix("grpc").map(|rest| rest.trim().to_owned())
            })
            .unwrap();
        Elsewhere { address, process }
    }

    /// Lets it end, with everything written.
    pub(crate) fn end(&mut self) {
        drop(self.process.stdin.take());
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

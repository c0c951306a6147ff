//! Runs the real binary in a folder of its own.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fmt, fs};

use serde_json::Value;

/// A folder that is gone after the test.
pub(crate) struct Folder(tempfile::TempDir);

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `spanproof` with `arguments` here; its clients are those below `clients`, if that is
    /// there.
    pub(crate) fn spanproof(&self, arguments: &[&str]) -> Ended {
        self.spanproof_reading(Stdio::null(), &[], arguments)
    }

    /// The same, with standard input from the file `name` of this folder.
    pub(crate) fn spanproof_fed(&self, name: &str, arguments: &[&str]) -> Ended {
        self.spanproof_reading(fs::File::open(self.path(name)).unwrap().into(), &[], arguments)
    }

    /// The same, with `variables` in the environment.
    pub(crate) fn spanproof_where(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        self.spanproof_reading(Stdio::null(), variables, arguments)
    }

    fn spanproof_reading(
        &self,
        input: Stdio,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spanproof"));
        command.envs(variables.iter().copied());
        if self.path("clients").exists() {
            command.env("SPANPROOF_CLIENTS_DIR", self.path("clients"));
        }
        let output =
            command.args(arguments).current_dir(self.0.path()).stdin(input).output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {:?}\nstdout:\n{}stderr:\n{}", self.code, self.stdout, self.stderr)
    }
}

/// The JSON report that a run wrote, after a look at its shape.
pub(crate) fn report(folder: &Folder, name: &str) -> Value {
    against_schema(folder, name, "report.schema.json")
}

/// The JSON document at `name`, which is what `schema` says.
pub(crate) fn against_schema(folder: &Folder, name: &str, schema: &str) -> Value {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas").join(schema);
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let document = serde_json::from_str(&fs::read_to_string(folder.path(name)).unwrap()).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    document
}

//! A cell: an operation in a situation.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use loadgen::Capabilities;
use spanproof_schemas::worker::Operation;

use super::library::Prepared;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub(super) operation: &'static str,
    pub(super) situation: &'static str,
}

/// A situation, as `clients/matrix` has it.
pub(super) struct Situation {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    streams_only: bool,
    /// Whether the program leaves the stream before its end.
    leaves: bool,
}

pub(super) const SITUATIONS: [Situation; 10] = [
    Situation::any("plain", "one call, read to the end"),
    Situation::any("tools", "the model must call a tool"),
    Situation::any("cached", "the same long system prompt twice: written to the cache, then read"),
    Situation::any("error", "an AccessDeniedException in place of an answer"),
    Situation::stream("exception", "a throttlingException in the middle of the stream"),
    Situation::any("cut", "the connection breaks in the middle of the answer"),
    Situation::left("closed", "the application closes the stream after two events"),
    Situation::left("abandoned", "it reads two events and lets the stream go"),
    Situation::left("never", "it never reads the stream"),
    Situation::any("interleaved", "two calls at once, each within its own caller's span"),
];

impl Situation {
    const fn any(name: &'static str, meaning: &'static str) -> Situation {
        Situation { name, meaning, streams_only: false, leaves: false }
    }

    const fn stream(name: &'static str, meaning: &'static str) -> Situation {
        Situation { name, meaning, streams_only: true, leaves: false }
    }

    const fn left(name: &'static str, meaning: &'static str) -> Situation {
        Situation { name, meaning, streams_only: true, leaves: true }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation, self.situation)
    }
}

impl Cell {
    /// Every cell that a client can be in, by operation and then by situation.
    pub(super) fn of(client: &Capabilities) -> Vec<Cell> {
        let mut cells = Vec::new();
        for operation in Operation::ALL.into_iter().filter(|one| client.operations.contains(one)) {
            let streams = operation.is_streamed();
            for situation in SITUATIONS.iter().filter(|one| streams || !one.streams_only) {
                cells.push(Cell { operation: operation.name(), situation: situation.name });
            }
        }
        cells
    }

    /// Whether the program leaves the stream before its end.
    fn leaves_stream(self) -> bool {
        SITUATIONS.iter().any(|situation| situation.name == self.situation && situation.leaves)
    }

    /// Where what was run is kept, below the library's folder.
    pub(super) fn folder(self, library: &Path) -> PathBuf {
        library.join(self.operation).join(self.situation)
    }

    /// Runs the cell, keeps report, ledger, telemetry and output, and tells how it ended.
    pub(super) fn run(self, prepared: &Prepared, kept: &Path) -> Result<String> {
        let folder = self.folder(kept);
        fs::create_dir_all(&folder)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["run", "--ignore-command-status", "--compare-uninstrumented"]);
        command.arg(format!("--report=json={}", folder.join("report.json").display()));
        command.arg(format!("--report=human={}", folder.join("report.txt").display()));
        command.arg("--ledger").arg(folder.join("ledger.jsonl"));
        command.arg("--capture").arg(folder.join("telemetry.jsonl"));
        if !self.leaves_stream() {
            command.arg("--reads-streams-to-end");
        }
        command.arg("--").args(&prepared.command).args([self.situation, self.operation]);
        // One attempt: a call that is retried is another matter.
        command.env("AWS_MAX_ATTEMPTS", "1").envs(prepared.environment.iter().cloned());
        let output = folder.join("output.txt");
        let file = fs::File::create(&output)?;
        let status = command
            .current_dir(&prepared.folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .status()
            .with_context(|| format!("cannot run {command:?}"))?;
        Ok(match status.code() {
            Some(0) => "conforms".to_owned(),
            Some(1) => "findings".to_owned(),
            Some(4) => "nothing was captured".to_owned(),
            _ => format!("{status}: see {}", output.display()),
        })
    }
}

//! `--snapshot FILE`: the telemetry of this run beside that of the run that wrote the file.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use conformance::report::replace;
use conformance::snapshot::{hunks, unified};
use conformance_core::snapshot::{Change, Snapshot};

use crate::exit::Failure;
use crate::judging::check_writable;
use crate::output;

/// The most lines of a difference that are shown; the file has them all after an update.
const SHOWN_LINES: usize = 200;

/// Arguments about snapshots.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotArgs {
    /// Compare the telemetry with the snapshot in this file, without ids, times, ports and versions;
    /// a difference, or a file that is not there, is a finding
    #[arg(long, value_name = "FILE", help_heading = "Snapshot")]
    snapshot: Option<PathBuf>,
    /// Write the telemetry of this run into the file of `--snapshot`
    #[arg(long, requires = "snapshot", help_heading = "Snapshot")]
    update_snapshot: bool,
}

impl SnapshotArgs {
    /// What to compare with, if anything.
    pub(crate) fn kept(&self) -> Option<Kept<'_>> {
        self.snapshot.as_deref().map(|path| Kept { path, is_updated: self.update_snapshot })
    }

    /// Fails early where a snapshot could not be written later.
    pub(crate) fn check_writable(&self) -> Result<(), Failure> {
        match &self.snapshot {
            Some(path) if self.update_snapshot => check_writable(path),
            _ => Ok(()),
        }
    }
}

/// The snapshot of an earlier run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept<'a> {
    path: &'a Path,
    is_updated: bool,
}

impl Kept<'_> {
    /// The same, never written: what a command that failed emitted is not worth keeping.
    pub(crate) fn only_compared(self) -> Self {
        if self.is_updated {
            output::complain("note: the snapshot was not updated, for the command failed");
        }
        Kept { is_updated: false, ..self }
    }

    /// Compares with `taken`, the snapshot of this run, or writes it. Says what a rule needs to
    /// know; shows the whole difference.
    pub(crate) fn settle(
        self,
        taken: &conformance::snapshot::Snapshot,
    ) -> anyhow::Result<Snapshot> {
        let path = self.path.display().to_string();
        if taken.is_empty() {
            output::complain(&format!("note: nothing was captured to compare with {path}"));
            return Ok(Snapshot { path, ..Snapshot::default() });
        }
        let kept = read(self.path)?;
        let taken = taken.text();
        if self.is_updated {
            if kept.as_ref() != Some(&taken) {
                replace(self.path, taken.as_bytes())
                    .with_context(|| format!("cannot write the snapshot {path}"))?;
                output::complain(&format!("snapshot written: {path}"));
            }
            return Ok(Snapshot { path, ..Snapshot::default() });
        }
        let Some(kept) = kept else {
            return Ok(Snapshot { path, is_missing: true, changes: Vec::new() });
        };
        show(&unified(&path, &kept, &taken));
        let changes = hunks(&kept, &taken).into_iter().map(|hunk| Change {
            line: hunk.line,
            before: hunk.before,
            after: hunk.after,
        });
        Ok(Snapshot { path, is_missing: false, changes: changes.collect() })
    }
}

/// The text of the file, if it is there, with line breaks as we write them.
fn read(path: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.replace("\r\n", "\n"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(error).with_context(|| format!("cannot read the snapshot {}", path.display()))
        }
    }
}

fn show(difference: &str) {
    let lines: Vec<&str> = difference.lines().collect();
    for line in lines.iter().take(SHOWN_LINES) {
        output::complain(line);
    }
    if lines.len() > SHOWN_LINES {
        let rest = lines.len() - SHOWN_LINES;
        output::complain(&format!("… and {rest} more lines; --update-snapshot writes them all"));
    }
}

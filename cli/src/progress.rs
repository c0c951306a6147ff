//! Progress of long work on standard error: one line rewritten on a terminal, a line now and then
//! elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// How often a log that is no terminal gets a line.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// The line that shows how far the work is.
pub(crate) struct Progress {
    terminal: bool,
    written: Option<Instant>,
}

impl Progress {
    pub(crate) fn new() -> Progress {
        Progress { terminal: io::stderr().is_terminal(), written: None }
    }

    /// Shows `line` in place of the one before.
    pub(crate) fn show(&mut self, line: &str) {
        // Standard error is for people; where nobody can read it, nothing is lost.
        if self.terminal {
            let _ = write!(io::stderr(), "\r\x1b[2K{line}");
            let _ = io::stderr().flush();
        } else if self.written.is_none_or(|written| written.elapsed() >= LOG_EVERY) {
            let _ = writeln!(io::stderr(), "{line}");
        } else {
            return;
        }
        self.written = Some(Instant::now());
    }

    /// Takes the line away, so that what follows starts clean.
    pub(crate) fn end(&mut self) {
        if self.terminal && self.written.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[2K");
            let _ = io::stderr().flush();
        }
    }
}

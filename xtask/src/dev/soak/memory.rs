//! What the process held in memory, minute by minute.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

const MINUTE: Duration = Duration::from_mins(1);

/// Samples of the resident set, in bytes, within the first and the last minute.
pub(super) struct Memory {
    began: Instant,
    until: Instant,
    first: Vec<u64>,
    last: Vec<u64>,
    most: u64,
}

impl Memory {
    /// Samples count from `began` to `until`. A run of less than two minutes is halved instead.
    pub(super) fn new(began: Instant, until: Instant) -> Memory {
        Memory { began, until, first: Vec::new(), last: Vec::new(), most: 0 }
    }

    pub(super) fn sample(&mut self) -> Result<()> {
        let now = Instant::now();
        let span = MINUTE.min((self.until - self.began) / 2);
        let bytes = resident()?;
        if (self.began..self.began + span).contains(&now) {
            self.first.push(bytes);
        } else if now < self.until && self.until.saturating_duration_since(now) <= span {
            self.last.push(bytes);
        }
        self.most = self.most.max(bytes);
        Ok(())
    }

    /// Adds to `problems` when the last minute held more than the first by this share.
    pub(super) fn judge(&self, allowed: f64, problems: &mut Vec<String>) -> Result<()> {
        ensure!(!self.first.is_empty() && !self.last.is_empty(), "too short to compare minutes");
        let growth = self.growth();
        if growth > allowed {
            problems.push(format!(
                "memory grew by {:.1} % from the first minute to the last",
                growth * 100.0
            ));
        }
        Ok(())
    }

    fn growth(&self) -> f64 {
        mean(&self.last) / mean(&self.first) - 1.0
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: f64| bytes / f64::from(1 << 20);
        #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
        let most = self.most as f64;
        write!(
            f,
            "{:.1} MB in the first minute, {:.1} MB in the last ({:+.1} %), at most {:.1} MB, client included",
            megabytes(mean(&self.first)),
            megabytes(mean(&self.last)),
            self.growth() * 100.0,
            megabytes(most),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn mean(samples: &[u64]) -> f64 {
    samples.iter().sum::<u64>() as f64 / samples.len().max(1) as f64
}

/// The resident set of this process.
fn resident() -> Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("memory is in /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmRSS")?;
    Ok(kilobytes.trim().parse::<u64>()? * 1_024)
}

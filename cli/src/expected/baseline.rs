//! The file of a baseline.

use std::path::Path;

use anyhow::{Context as _, bail};
use conformance::report::replace;
use spanproof_schemas::baseline::{BASELINE_VERSION, Baseline, Counted};
use spanproof_schemas::report::Level;

/// Reads a baseline, and the line of the file that each kind of finding stands in, from 1.
///
/// # Errors
///
/// If there is none, it is none, or it counts other levels than `fail_on` and graver.
pub(super) fn read(path: &Path, fail_on: Level) -> anyhow::Result<(Vec<Counted>, Vec<u64>)> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("cannot read the baseline {shown}; --update-baseline writes one")
    })?;
    let baseline: Baseline = serde_json::from_str(&text)
        .with_context(|| format!("{shown} is not a baseline; --update-baseline writes one"))?;
    if baseline.version != BASELINE_VERSION {
        bail!(
            "the baseline {shown} is of version {}, this spanproof reads version \
             {BASELINE_VERSION}; write it anew with --update-baseline",
            baseline.version
        );
    }
    if baseline.fail_on != fail_on {
        bail!(
            "the baseline {shown} counts what fails at `--fail-on {}`, and this run has {}; judge \
             with that level, or write the baseline anew with --update-baseline",
            baseline.fail_on.as_str(),
            fail_on.as_str(),
        );
    }
    let lines = lines(&text);
    for (at, counted) in baseline.findings.iter().enumerate() {
        let same =
            |known: &&Counted| Counted { count: counted.count, ..(*known).clone() } == *counted;
        if baseline.findings[..at].iter().any(|known| same(&known)) {
            bail!(
                "{shown}:{}: the same kind of finding is counted before; write the baseline anew \
                 with --update-baseline",
                lines.get(at).copied().unwrap_or_default()
            );
        }
    }
    Ok((baseline.findings, lines))
}

/// The line of each kind of finding. Each has the key `rule` once, and no text can hold that key.
fn lines(text: &str) -> Vec<u64> {
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let keys = line.split("\"rule\"").skip(1);
        let keys = keys.filter(|after| after.trim_start().starts_with(':'));
        lines.extend(keys.map(|_| 1 + at as u64));
    }
    lines
}

/// Writes a baseline as a whole or not at all.
pub(super) fn write(path: &Path, baseline: &Baseline) -> anyhow::Result<()> {
    replace(path, baseline.to_text().as_bytes())
        .with_context(|| format!("cannot write the baseline {}", path.display()))
}

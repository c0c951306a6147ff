//! What the threads of this process cost.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The time that threads with one of these names have been on a processor. Threads that have ended
/// no longer count, so compare within their life.
pub(super) fn on_cpu(names: &[&str]) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for (name, folder) in all()? {
        if names.contains(&name.as_str()) {
            let nanos = fs::read_to_string(folder.join("schedstat"))?;
            let nanos = nanos.split(' ').next().unwrap_or_default();
            total += Duration::from_nanos(nanos.parse().context("schedstat begins with a number")?);
        }
    }
    Ok(total)
}

/// How many threads have one of these names.
pub(super) fn count(names: &[&str]) -> Result<usize> {
    Ok(all()?.iter().filter(|(name, _)| names.contains(&name.as_str())).count())
}

fn all() -> Result<Vec<(String, std::path::PathBuf)>> {
    let threads = fs::read_dir("/proc/self/task")
        .context("threads are told apart by what Linux says of them, in /proc/self/task")?;
    let mut all = Vec::new();
    for thread in threads {
        let folder = thread?.path();
        // It may have ended since it was listed.
        if let Ok(name) = fs::read_to_string(folder.join("comm")) {
            all.push((name.trim_end().to_owned(), folder));
        }
    }
    Ok(all)
}

//! The most memory that this process held.

use std::fs;

use anyhow::{Context as _, Result};

/// Sets the peak back to what there is now. What an earlier bench left to the allocator is in it.
pub(super) fn set_back() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("cannot set back the peak of memory")
}

/// The peak since it was set back.
pub(super) fn kilobytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = value.and_then(|text| text.split_whitespace().next());
    Ok(kilobytes.context("/proc/self/status has no VmHWM")?.parse()?)
}

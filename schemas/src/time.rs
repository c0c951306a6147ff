//! Time as the interchange files carry it: nanoseconds since the Unix epoch.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970-01-01T00:00:00Z, the unit of OTLP and of the ledger.
pub type UnixNanos = u64;

/// `time` as nanoseconds since the Unix epoch; 0 for a time before it, the largest value for one
/// after the year 2554.
#[must_use]
pub fn unix_nanos(time: SystemTime) -> UnixNanos {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}

//! How late frames of streams were handed over, against their plan.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::exposition::Exposition;

/// The upper ends of the buckets, in microseconds. Streams are meant to be within 2 ms of plan.
const BOUNDS_US: [u64; 12] =
    [100, 250, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// A histogram of lateness.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    /// One for each bound, and one beyond the last.
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Lateness {
    /// Counts a frame that was handed over so late.
    pub(crate) fn count(&self, late: Duration) {
        let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < late_us);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(late_us, Ordering::Relaxed);
    }

    /// The histogram, in seconds.
    pub(crate) fn write(&self, out: &mut Exposition) {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        out.histogram(
            "mock_bedrock_stream_lateness_seconds",
            "How late frames of streams were handed over, against their plan.",
        );
        let mut total = 0;
        for (bound, count) in BOUNDS_US.iter().zip(counts) {
            total += count;
            let bound = seconds(*bound).to_string();
            out.part("_bucket", &[("le", &bound)], total);
        }
        total += counts[BOUNDS_US.len()];
        out.part("_bucket", &[("le", "+Inf")], total);
        out.part("_sum", &[], seconds(self.sum_us.load(Ordering::Relaxed)));
        out.part("_count", &[], total);
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums of lateness are far below 2^52 microseconds")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_in_each_bucket_that_reaches_it() {
        let lateness = Lateness::default();
        for late_us in [0, 100, 101, 2_000, 2_001, 1_000_000, 5_000_000] {
            lateness.count(Duration::from_micros(late_us));
        }
        let mut out = Exposition::default();
        lateness.write(&mut out);
        insta::assert_snapshot!(out.into_text());
    }
}

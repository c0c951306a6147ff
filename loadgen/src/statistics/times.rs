//! Times in histograms that merge without loss.

use hdrhistogram::Histogram;
use spanproof_schemas::load_result::HistogramCounts;
use spanproof_schemas::report::Quantiles;
use spanproof_schemas::time::UnixNanos;

/// Histograms count microseconds, from one to an hour, to three significant digits; coarse ones, of
/// which there are many, to two, which a chart shows no less.
const MOST_MICROS: u64 = 3_600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;
const COARSE_DIGITS: u8 = 2;

/// Times of one kind.
#[derive(Clone, Debug)]
pub(super) struct Times(Histogram<u64>);

impl Times {
    pub(super) fn new() -> Times {
        Times::to_digits(SIGNIFICANT_DIGITS)
    }

    /// Times of which few are kept together.
    pub(super) fn coarse() -> Times {
        Times::to_digits(COARSE_DIGITS)
    }

    fn to_digits(digits: u8) -> Times {
        let histogram = Histogram::new_with_bounds(1, MOST_MICROS, digits)
            .expect("the bounds are in order and the digits at most five");
        Times(histogram)
    }

    /// Records the time from `earlier` to `later`; none where clocks of two processes disagree so
    /// much that they are swapped.
    pub(super) fn record(&mut self, earlier: UnixNanos, later: UnixNanos) {
        self.0.saturating_record(later.saturating_sub(earlier) / 1_000);
    }

    pub(super) fn merge(&mut self, other: &Times) {
        // All have the same bounds, so that nothing can be out of them.
        let _ = self.0.add(&other.0);
    }

    pub(super) fn quantiles(&self) -> Quantiles {
        if self.0.is_empty() {
            return Quantiles::default();
        }
        #[expect(clippy::cast_precision_loss, reason = "at most an hour in microseconds")]
        let ms = |micros: u64| micros as f64 / 1_000.0;
        Quantiles {
            p50: ms(self.0.value_at_quantile(0.5)),
            p99: ms(self.0.value_at_quantile(0.99)),
            max: ms(self.0.max()),
        }
    }

    /// Forgets what was recorded.
    pub(super) fn clear(&mut self) {
        self.0.reset();
    }

    pub(super) fn counts(&self) -> HistogramCounts {
        let buckets = self.0.iter_recorded();
        HistogramCounts(
            buckets.map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value())).collect(),
        )
    }

    /// The histogram of these counts; `None` where they are not of a histogram such as these.
    pub(super) fn of(counts: &HistogramCounts) -> Option<Times> {
        Times::new().with(counts)
    }

    /// The same of [`Times::coarse`].
    pub(super) fn of_coarse(counts: &HistogramCounts) -> Option<Times> {
        Times::coarse().with(counts)
    }

    fn with(mut self, counts: &HistogramCounts) -> Option<Times> {
        let mut sum = 0_u64;
        for (value, count) in &counts.0 {
            sum = sum.checked_add(*count)?;
            self.0.record_n(*value, *count).ok()?;
        }
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recorded(micros: &[u64]) -> Times {
        let mut times = Times::new();
        for micros in micros {
            times.record(0, micros * 1_000);
        }
        times
    }

    #[test]
    fn counts_that_are_out_of_bounds_are_refused() {
        assert!(Times::of(&HistogramCounts(vec![(u64::MAX, 1)])).is_none());
        assert!(Times::of(&HistogramCounts(vec![(1, u64::MAX), (2, 1)])).is_none());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_and_parts_merge_to_the_whole(
            micros in prop::collection::vec(0_u64..4_000_000_000, 0..200),
            at in 0_usize..200,
        ) {
            let whole = recorded(&micros);
            let read = Times::of(&whole.counts()).unwrap();
            prop_assert_eq!(read.quantiles(), whole.quantiles());
            prop_assert_eq!(read.counts(), whole.counts());
            let (one, other) = micros.split_at(at.min(micros.len()));
            let mut merged = recorded(one);
            merged.merge(&recorded(other));
            prop_assert_eq!(merged.counts(), whole.counts());
        }
    }
}

//! What was measured of calls by when they were due, in as many slices of simulated time as a chart
//! has room for.

use std::collections::BTreeMap;

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::load_result::SliceHistograms;
use spanproof_schemas::report::LoadSlice;
use spanproof_schemas::time::UnixNanos;

use super::times::Times;
use crate::pacing::Time;

/// How many minutes a slice may have; each length is a multiple of the one before, so that slices of
/// one length are put together to slices of the next.
const LENGTHS: [u32; 10] = [1, 5, 15, 30, 60, 180, 360, 720, 1_440, 10_080];

/// From how many slices on they are put together: a day has 96 of 15 minutes.
const MOST_SLICES: u32 = 100;

/// Slices of simulated time, which grow with the time that they cover: how long they are follows from
/// the last minute alone, so that it is the same for the whole as for the sum of its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    /// Which of [`LENGTHS`].
    length: usize,
    slices: BTreeMap<u32, Slice>,
}

/// Calls that were due in one slice.
#[derive(Clone, Debug)]
struct Slice {
    lag: Times,
    latency: Times,
    first_chunk: Times,
    tokens: Usage,
}

impl Slice {
    fn new() -> Slice {
        let times = Times::coarse;
        let tokens = Usage::default();
        Slice { lag: times(), latency: times(), first_chunk: times(), tokens }
    }

    fn merge(&mut self, other: &Slice) {
        self.lag.merge(&other.lag);
        self.latency.merge(&other.latency);
        self.first_chunk.merge(&other.first_chunk);
        self.tokens += other.tokens;
    }
}

/// The times of a call that has ended, and what its answer stated of tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) sent: UnixNanos,
    pub(super) first_chunk: Option<UnixNanos>,
    pub(super) finished: UnixNanos,
    pub(super) usage: Usage,
}

impl Series {
    /// Counts a call that was due at `planned`.
    pub(super) fn ended(&mut self, planned: Time, call: Ended) {
        let slice = self.slice(planned.minute);
        slice.lag.record(planned.unix_nanos, call.sent);
        slice.latency.record(planned.unix_nanos, call.finished);
        if let Some(first) = call.first_chunk {
            slice.first_chunk.record(call.sent, first);
        }
        slice.tokens += call.usage;
    }

    pub(super) fn merge(&mut self, other: &Series) {
        while self.length < other.length {
            self.put_together();
        }
        for (index, slice) in &other.slices {
            let minute = index.saturating_mul(LENGTHS[other.length]);
            self.slice(minute).merge(slice);
        }
    }

    /// For the report.
    pub(super) fn slices(&self) -> Vec<LoadSlice> {
        let told = self.slices.iter().map(|(index, slice)| LoadSlice {
            minute: index.saturating_mul(self.minutes()),
            minutes: self.minutes(),
            schedule_lag_ms: slice.lag.quantiles(),
            latency_ms: slice.latency.quantiles(),
            ttft_ms: slice.first_chunk.quantiles(),
            tokens: slice.tokens,
        });
        told.collect()
    }

    /// To be written beside what [`Series::slices`] tells.
    pub(super) fn histograms(&self) -> Vec<SliceHistograms> {
        let written = self.slices.iter().map(|(index, slice)| SliceHistograms {
            minute: index.saturating_mul(self.minutes()),
            lag: slice.lag.counts(),
            latency: slice.latency.counts(),
            ttft: slice.first_chunk.counts(),
        });
        written.collect()
    }

    /// What was written; `None` where the two do not belong together.
    pub(super) fn of(slices: &[LoadSlice], histograms: &[SliceHistograms]) -> Option<Series> {
        let Some(first) = slices.first() else {
            return histograms.is_empty().then(Series::default);
        };
        let length = LENGTHS.iter().position(|length| *length == first.minutes)?;
        let mut series = Series { length, slices: BTreeMap::new() };
        if slices.len() != histograms.len() {
            return None;
        }
        for (slice, histograms) in slices.iter().zip(histograms) {
            let LoadSlice { minute, minutes, tokens, .. } = *slice;
            if minutes != first.minutes || minute != histograms.minute || minute % minutes != 0 {
                return None;
            }
            let times = Slice {
                lag: Times::of_coarse(&histograms.lag)?,
                latency: Times::of_coarse(&histograms.latency)?,
                first_chunk: Times::of_coarse(&histograms.ttft)?,
                tokens,
            };
            series.slices.insert(minute / minutes, times);
        }
        Some(series)
    }

    fn minutes(&self) -> u32 {
        LENGTHS[self.length]
    }

    fn slice(&mut self, minute: u32) -> &mut Slice {
        while minute / self.minutes() >= MOST_SLICES && self.length + 1 < LENGTHS.len() {
            self.put_together();
        }
        self.slices.entry(minute / self.minutes()).or_insert_with(Slice::new)
    }

    /// Makes slices of the next length of those that there are.
    fn put_together(&mut self) {
        let times = LENGTHS[self.length + 1] / self.minutes();
        self.length += 1;
        for (index, slice) in std::mem::take(&mut self.slices) {
            self.slices.entry(index / times).or_insert_with(Slice::new).merge(&slice);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(at: u64) -> Ended {
        Ended {
            sent: at + 1_000_000,
            first_chunk: at.is_multiple_of(2).then_some(at + 3_000_000),
            finished: at + 9_000_000,
            usage: Usage { input_tokens: at, output_tokens: 1, ..Usage::default() },
        }
    }

    fn of(calls: &[(u32, u64)]) -> Series {
        let mut series = Series::default();
        for (minute, at) in calls {
            series.ended(Time { unix_nanos: *at, minute: *minute }, call(*at));
        }
        series
    }

    fn lengths(last_minute: u32) -> (usize, u32) {
        let slices = of(&[(0, 0), (last_minute, 0)]).slices();
        (slices.len(), slices[0].minutes)
    }

    #[test]
    fn slices_are_as_long_as_the_load_needs() {
        assert_eq!(lengths(59), (2, 1));
        assert_eq!(lengths(24 * 60 - 1), (2, 15));
        assert_eq!(lengths(7 * 24 * 60 - 1), (2, 180));
        assert_eq!(lengths(u32::MAX), (2, 10_080));
        assert_eq!(of(&[]).slices(), []);
    }

    #[test]
    fn what_does_not_belong_together_is_no_series() {
        let series = of(&[(0, 1), (20, 2)]);
        let (slices, histograms) = (series.slices(), series.histograms());
        assert!(Series::of(&slices, &histograms[1..]).is_none());
        assert!(Series::of(&slices[1..], &histograms).is_none());
        assert!(Series::of(&[], &histograms).is_none());
        let mut others = slices.clone();
        others[0].minutes = 7;
        assert!(Series::of(&others, &histograms).is_none());
    }

    proptest! {
        #[test]
        fn parts_merge_to_the_whole_and_what_is_written_reads_back(
            calls in prop::collection::vec((0_u32..20_000, 0_u64..1_000_000_000), 0..60),
            at in 0_usize..60,
        ) {
            let whole = of(&calls);
            let (one, other) = calls.split_at(at.min(calls.len()));
            let mut merged = of(one);
            merged.merge(&of(other));
            prop_assert_eq!(merged.slices(), whole.slices());
            prop_assert_eq!(merged.histograms(), whole.histograms());
            let read = Series::of(&whole.slices(), &whole.histograms()).unwrap();
            prop_assert_eq!(read.slices(), whole.slices());
            prop_assert!(whole.slices().len() <= MOST_SLICES as usize);
        }
    }
}

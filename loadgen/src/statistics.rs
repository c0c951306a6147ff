//! What a run measures: counts, and times in histograms.

use hdrhistogram::Histogram;
use spanproof_schemas::report::Quantiles;
use spanproof_schemas::time::UnixNanos;
use spanproof_schemas::worker::{Call, Done};

use crate::fault::{Fault, unplanned_end};

/// Histograms count microseconds, from one to an hour, to three significant digits.
const MOST_MICROS: u64 = 3_600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// How many failures are kept word for word.
const KEPT_FAILURES: usize = 10;

/// The counts and times of the calls that have ended.
#[derive(Debug)]
pub(crate) struct Statistics {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    /// The first failures, for people.
    pub(crate) failures: Vec<String>,
    lag: Histogram<u64>,
    latency: Histogram<u64>,
    service: Histogram<u64>,
    first_chunk: Histogram<u64>,
}

/// What is kept of a call to judge its end by.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    call: u64,
    what: String,
    fault: Option<Fault>,
}

impl Expected {
    pub(crate) fn of(call: &Call) -> Self {
        Self {
            call: call.call,
            what: format!("{} {}", call.operation.name(), call.model_id),
            fault: Fault::of(call),
        }
    }
}

impl Statistics {
    pub(crate) fn new() -> Self {
        let histogram = || {
            Histogram::new_with_bounds(1, MOST_MICROS, SIGNIFICANT_DIGITS)
                .expect("the bounds are in order and the digits at most five")
        };
        Self {
            completed: 0,
            failed: 0,
            failures: Vec::new(),
            lag: histogram(),
            latency: histogram(),
            service: histogram(),
            first_chunk: histogram(),
        }
    }

    /// Counts a call that has ended. `planned` is when it was due; `None` where calls are made as
    /// fast as can be, so that each is due when it starts.
    pub(crate) fn ended(&mut self, expected: &Expected, planned: Option<UnixNanos>, done: &Done) {
        let planned = planned.unwrap_or(done.started_unix_nanos);
        record(&mut self.lag, planned, done.started_unix_nanos);
        record(&mut self.latency, planned, done.finished_unix_nanos);
        record(&mut self.service, done.started_unix_nanos, done.finished_unix_nanos);
        if let Some(first) = done.first_chunk_unix_nanos {
            record(&mut self.first_chunk, done.started_unix_nanos, first);
        }
        match unplanned_end(expected.fault, done) {
            None => self.completed += 1,
            Some(end) => self.failed(format!("call {} ({}): {end}", expected.call, expected.what)),
        }
    }

    /// Counts a call that did not end as planned.
    pub(crate) fn failed(&mut self, failure: String) {
        self.failed += 1;
        if self.failures.len() < KEPT_FAILURES {
            self.failures.push(failure);
        }
    }

    pub(crate) fn lag_ms(&self) -> Quantiles {
        quantiles(&self.lag)
    }

    pub(crate) fn latency_ms(&self) -> Quantiles {
        quantiles(&self.latency)
    }

    pub(crate) fn service_ms(&self) -> Quantiles {
        quantiles(&self.service)
    }

    pub(crate) fn first_chunk_ms(&self) -> Quantiles {
        quantiles(&self.first_chunk)
    }
}

/// Records the time from `earlier` to `later`; none when a step of the clock swapped them.
fn record(histogram: &mut Histogram<u64>, earlier: UnixNanos, later: UnixNanos) {
    histogram.saturating_record(later.saturating_sub(earlier) / 1_000);
}

fn quantiles(histogram: &Histogram<u64>) -> Quantiles {
    if histogram.is_empty() {
        return Quantiles::default();
    }
    #[expect(clippy::cast_precision_loss, reason = "at most an hour in microseconds")]
    let ms = |micros: u64| micros as f64 / 1_000.0;
    Quantiles {
        p50: ms(histogram.value_at_quantile(0.5)),
        p99: ms(histogram.value_at_quantile(0.99)),
        max: ms(histogram.max()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn expected(fault: Option<&str>) -> Expected {
        Expected {
            call: 7,
            what: "Converse amazon.nova-lite-v1:0".to_owned(),
            fault: fault.map(|name| name.parse().unwrap()),
        }
    }

    fn done(started_ms: u64, first_ms: Option<u64>, finished_ms: u64) -> Done {
        Done {
            call: 7,
            started_unix_nanos: started_ms * MS,
            first_chunk_unix_nanos: first_ms.map(|at| at * MS),
            finished_unix_nanos: finished_ms * MS,
            error: None,
            usage: None,
            stop_reason: None,
        }
    }

    #[test]
    fn times_count_from_the_plan() {
        let mut statistics = Statistics::new();
        // Due at 100 ms, started 3 ms late, first chunk 5 ms after the start, 20 ms in all.
        statistics.ended(&expected(None), Some(100 * MS), &done(103, Some(108), 120));
        for (name, quantiles, wanted) in [
            ("lag", statistics.lag_ms(), 3.0),
            ("latency", statistics.latency_ms(), 20.0),
            ("service", statistics.service_ms(), 17.0),
            ("first chunk", statistics.first_chunk_ms(), 5.0),
        ] {
            // To three digits.
            assert!((quantiles.max - wanted).abs() <= wanted / 1_000.0, "{name}: {quantiles:?}");
        }
    }

    #[test]
    fn without_a_plan_nothing_is_late() {
        let mut statistics = Statistics::new();
        statistics.ended(&expected(None), None, &done(103, None, 120));
        assert_eq!(statistics.lag_ms(), Quantiles::default());
        assert_eq!(statistics.latency_ms(), statistics.service_ms());
    }

    #[test]
    fn a_clock_that_steps_back_and_a_call_of_a_day_are_counted_at_the_bounds() {
        let mut statistics = Statistics::new();
        statistics.ended(&expected(None), Some(100 * MS), &done(90, None, 86_400_000));
        assert_eq!(statistics.lag_ms(), Quantiles::default());
        assert!(statistics.latency_ms().max >= 3_600_000.0);
    }

    #[test]
    fn only_an_unplanned_end_is_a_failure() {
        let mut statistics = Statistics::new();
        let throttled = Done { error: Some("ThrottlingException".into()), ..done(0, None, 1) };
        statistics.ended(&expected(Some("ThrottlingException")), None, &throttled);
        statistics.ended(&expected(None), None, &done(0, None, 1));
        assert_eq!((statistics.completed, statistics.failed), (2, 0));
        for _ in 0..2 * KEPT_FAILURES {
            statistics.ended(&expected(None), None, &throttled);
        }
        assert_eq!((statistics.completed, statistics.failed), (2, 2 * KEPT_FAILURES as u64));
        assert_eq!(statistics.failures.len(), KEPT_FAILURES);
        insta::assert_snapshot!(
            statistics.failures[0],
            @"call 7 (Converse amazon.nova-lite-v1:0): ThrottlingException"
        );
    }
}

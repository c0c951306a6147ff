use std::collections::BTreeMap;

use spanproof_schemas::report::Level;

use super::{names_models, spans_behind, subject};
use crate::finding::Finding;
use crate::metric_sums::{Summed, Sums};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::span_sums::Streams;
use crate::view::RunView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/time-to-first-chunk",
    summary: "the metric of the time to the first chunk is what the streams took",
    level: Level::Violation,
    basis: Basis::Truth,
    since: Some("1.41.1"),
    until: None,
    docs: Docs {
        what_it_checks: "For each model, `gen_ai.client.operation.time_to_first_chunk` (and, in \
            the conventions in development, `gen_ai.client.inference.time_to_first_chunk`) over \
            all its series against the streams of the ledger that the spans of the emitting scopes \
            stand for. It has no more values than there were streams with a chunk; fewer are an \
            improvement, since a program may leave a stream unread. Where both count as many, the \
            sum is no less than the time from the requests to their first chunks, less a few \
            milliseconds for each, and no more than the spans took. A sum beyond the last chunks \
            is an improvement, since a program may begin to read late. A span without a call that \
            did not fail leaves nothing to compare with.",
        why: "The time to the first chunk is what users wait for, and its objective is set on the \
            metric. Recorded for whole answers too, or when the stream is handed over, it hides \
            every slow one.",
        example: "A stream whose first chunk came after 400 milliseconds, and a point with a count \
            of 1 and a sum of 0.006: the time to the response's head.",
        how_to_mend: "Record the metric once for each stream, at its first event, in seconds.",
    },
    checks: &[Check::Run(check)],
};

/// How much the clocks may differ for each stream, in seconds.
const CLOCKS: f64 = 0.005;

/// How far beyond the spans' durations the sum may be for each stream, in seconds: as for
/// `metrics/duration-sum`.
const EACH: f64 = 0.05;

/// How long the chunks of each stream must take for the first to be told from the last.
const SPREAD: f64 = 4.0 * CLOCKS;

fn check(view: &RunView<'_>) -> Vec<Finding> {
    Summed::FIRST_CHUNKS.into_iter().flat_map(|metric| compare(view, metric)).collect()
}

fn compare(view: &RunView<'_>, metric: Summed) -> Vec<Finding> {
    let Some(series) = view.metrics.known(metric) else { return Vec::new() };
    let by_model = names_models(view, metric);
    let model = |symbol| if by_model { view.text(symbol) } else { "" };
    let mut recorded: BTreeMap<&str, Sums> = BTreeMap::new();
    for one in series {
        let sums = recorded.entry(model(one.model)).or_default();
        let total = one.total();
        sums.count = sums.count.saturating_add(total.count);
        sums.sum += total.sum;
    }
    let mut served: BTreeMap<&str, Streams> = BTreeMap::new();
    for span in spans_behind(view, &[metric]) {
        // One that failed may never have reached the service, and then had no chunk.
        if span.without_call > 0 && span.error_type.is_none() {
            return Vec::new();
        }
        let sums = served.entry(span.model.map_or("", model)).or_default();
        sums.spans += span.streams.spans;
        sums.nanos += span.streams.nanos;
        sums.first_wait_nanos += span.streams.first_wait_nanos;
        sums.last_chunk_nanos += span.streams.last_chunk_nanos;
        sums.spread_nanos += span.streams.spread_nanos;
    }
    let compared = served.iter().filter_map(|(model, streams)| {
        let recorded = recorded.get(model).copied().unwrap_or_default();
        let finding = finding(model, *streams, recorded)?;
        Some(finding.attribute(metric.metric("")).about(subject(metric.metric(""))))
    });
    compared.collect()
}

#[expect(clippy::cast_precision_loss, reason = "streams of a run stay far below 2^53")]
fn finding(model: &str, streams: Streams, recorded: Sums) -> Option<Finding> {
    let of = if model.is_empty() { String::new() } else { format!(" of {model}") };
    if recorded.count != streams.spans {
        let finding = if recorded.count > streams.spans {
            Finding::new(
                "the time to the first chunk was recorded more often than there were streams",
            )
        } else {
            Finding::new("the time to the first chunk was not recorded for every stream")
                .level(Level::Improvement)
        };
        let expected = format!("{} streams{of}", streams.spans);
        return Some(finding.expected(expected).actual(recorded.count.to_string()));
    }
    let count = recorded.count as f64;
    let Streams { first_wait_nanos, spread_nanos, last_chunk_nanos, nanos, .. } = streams;
    let [wait, spread, last, lasted] =
        [first_wait_nanos, spread_nanos, last_chunk_nanos, nanos].map(seconds);
    let sum = recorded.sum;
    let bounds = |least: f64, most: f64| format!("{least:.3} to {most:.3} s{of}");
    let finding = if sum + CLOCKS * count < wait {
        Finding::new("the time to the first chunk is over before those chunks were sent")
            .expected(bounds(wait, last))
    } else if sum > lasted * 1.05 + EACH * count || !sum.is_finite() {
        Finding::new("the time to the first chunk is longer than the spans of the streams")
            .expected(bounds(wait, lasted))
    } else if sum > last && spread > SPREAD * count {
        Finding::new("the time to the first chunk is that to the end of the streams")
            .level(Level::Improvement)
            .expected(bounds(wait, last))
    } else {
        return None;
    };
    Some(finding.actual(format!("{sum:.3} s")))
}

#[expect(clippy::cast_precision_loss, reason = "a duration need not be exact to the nanosecond")]
fn seconds(nanos: u128) -> f64 {
    nanos as f64 / 1e9
}

use spanproof_schemas::report::Level;

use super::{DurationSides, describe, subject};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::RunView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/duration-sum",
    summary: "the duration metric sums up to the duration of the spans",
    level: Level::Violation,
    basis: Basis::Agreement("spans and the duration metric"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "For each model and operation, the sum of \
            `gen_ai.client.operation.duration` (and, in the conventions in development, \
            `gen_ai.client.inference.duration`) against the summed durations of the spans of model \
            calls, where both count as many calls. They may differ by a twentieth and by fifty \
            milliseconds for each call, since the two are not taken at the same instant, and on \
            a busy machine not even close to it; but calls that took any time never sum up to nothing.",
        why: "Latency objectives are read from the metric. One that stops at the first chunk of a \
            stream, or runs on while nothing is asked of the model, is believed until somebody \
            compares it with a trace.",
        example: "Streams of four seconds each, and a duration metric that sums up to 300 \
            milliseconds for each: the time to the first chunk.",
        how_to_mend: "Record the duration where the span ends, from the span's own start.",
    },
    checks: &[Check::Run(check)],
};

/// How far apart the sides may be, in parts of the spans' duration.
const SHARE: f64 = 0.05;

/// How far apart they may be for each call, in seconds. With twenty processes on two cores, a
/// library's span was seen to end 41 ms after it had recorded the duration.
const EACH: f64 = 0.05;

#[expect(clippy::cast_precision_loss, reason = "calls of a run stay far below 2^53")]
fn check(view: &RunView<'_>) -> Vec<Finding> {
    let Some(sides) = DurationSides::of(view) else { return Vec::new() };
    let differing = sides.agreeing().filter(|(_, recorded, spans)| {
        let tolerance = spans.seconds * SHARE + spans.count as f64 * EACH;
        let difference = (recorded.seconds - spans.seconds).abs();
        // A call takes time, however short the tolerance would let it be.
        let is_nothing = recorded.seconds <= 0.0 && spans.seconds > 0.0;
        difference > tolerance || !difference.is_finite() || is_nothing
    });
    differing
        .map(|(key, recorded, spans)| {
            Finding::new("the sum of the duration metric is not that of the spans' durations")
                .attribute(sides.metric)
                .expected(format!("about {:.3} s of {}", spans.seconds, describe(key)))
                .actual(format!("{:.3} s", recorded.seconds))
                .about(subject(sides.metric))
        })
        .collect()
}

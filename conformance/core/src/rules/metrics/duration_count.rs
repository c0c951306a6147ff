use spanproof_schemas::report::Level;

use super::{DurationSides, Key, describe, keys, subject};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::RunView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/duration-count",
    summary: "the duration metric counts as many calls as there are spans",
    level: Level::Violation,
    basis: Basis::Agreement("spans and the duration metric"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "For each model and operation that the metric names, the count of \
            `gen_ai.client.operation.duration` (and, in the conventions in development, \
            `gen_ai.client.inference.duration`) over all its streams against the number of spans \
            of model calls, of those scopes that emit the metric. Failed calls count on both \
            sides. A run without the metric is left alone.",
        why: "Request and error rates are read from the count. Instrumentations that record \
            duration on success only show no errors at all.",
        example: "Ten calls, two of them throttled: ten spans, and a duration count of eight.",
        how_to_mend: "Record the duration where the span is ended, on every path, with \
            `error.type` on failures.",
    },
    checks: &[Check::Run(check)],
};

fn check(view: &RunView<'_>) -> Vec<Finding> {
    let Some(sides) = DurationSides::of(view) else { return Vec::new() };
    keys(sides.recorded.keys(), sides.spans.keys())
        .into_iter()
        .filter_map(|key| {
            let expected = sides.spans.get(&key).map_or(0, |side| side.count);
            let actual = sides.recorded.get(&key).map_or(0, |side| side.count);
            (expected != actual).then(|| finding(sides.metric, key, expected, actual))
        })
        .collect()
}

fn finding(metric: &'static str, key: Key<'_>, expected: u64, actual: u64) -> Finding {
    Finding::new("the duration metric does not count as many calls as there are spans")
        .attribute(metric)
        .expected(format!("{expected} of {}", describe(key)))
        .actual(actual.to_string())
        .about(subject(metric))
}

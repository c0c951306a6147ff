use spanproof_schemas::report::Level;

use super::{DurationSides, Key, describe, keys, subject};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::RunView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/error-type",
    summary: "failed calls have the same error.type on the duration metric as on their spans",
    level: Level::Violation,
    basis: Basis::Must("error.type, conditionally required if the operation ended in an error"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "For each model, operation and `error.type`, the number of values of \
            `gen_ai.client.operation.duration` (and, in the conventions in development, \
            `gen_ai.client.inference.duration`) against the number of spans. A model and \
            operation for which the two do not even count as many calls is left to \
            `metrics/duration-count`, and a run without the metric is left alone.",
        why: "Alerts on error rates read the metric. A failed call whose duration has no \
            `error.type` counts as a fast success.",
        example: "A throttled call: `error.type = ThrottlingException` on the span, and a point of \
            the duration metric without it.",
        how_to_mend: "Set the `error.type` of the span on the attributes that the duration is \
            recorded with, too.",
    },
    checks: &[Check::Run(check)],
};

fn check(view: &RunView<'_>) -> Vec<Finding> {
    let Some(sides) = DurationSides::of(view) else { return Vec::new() };
    let mut findings = Vec::new();
    for (key, recorded, spans) in sides.agreeing() {
        for error in keys(recorded.errors.keys(), spans.errors.keys()) {
            let expected = spans.errors.get(error).copied().unwrap_or(0);
            let actual = recorded.errors.get(error).copied().unwrap_or(0);
            if expected != actual {
                findings.push(finding(sides.metric, key, error, expected, actual));
            }
        }
    }
    findings
}

fn finding(metric: &'static str, key: Key<'_>, error: &str, expected: u64, actual: u64) -> Finding {
    let message = if actual < expected {
        "failed calls lack the `error.type` of their spans on the duration metric"
    } else {
        "the duration metric has an `error.type` that the spans do not have"
    };
    Finding::new(message)
        .attribute("error.type")
        .expected(format!("{expected} of {} with {error}", describe(key)))
        .actual(actual.to_string())
        .about(subject(metric))
}

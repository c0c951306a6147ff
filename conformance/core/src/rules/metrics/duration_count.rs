use std::collections::BTreeMap;

use spanproof_schemas::report::{Level, Subject};

use super::{keys, names_models, spans_behind};
use crate::finding::Finding;
use crate::metric_sums::Summed;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::RunView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/duration-count",
    summary: "the duration metric counts as many calls as there are spans",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "For each model and operation, the count of \
            `gen_ai.client.operation.duration` over all its streams against the number of spans \
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
    let metric = Summed::Duration;
    if view.metrics.streams(metric).next().is_none() {
        return Vec::new();
    }
    let by_model = names_models(view, metric);
    let model = |symbol| if by_model { view.text(symbol) } else { "" };

    let mut recorded: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for stream in view.metrics.streams(metric) {
        let key = (model(stream.model), view.text(stream.operation));
        let count = recorded.entry(key).or_default();
        *count = count.saturating_add(stream.total().count);
    }
    let mut spans: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for span in spans_behind(view, metric) {
        let key = (span.model.map_or("", model), view.symbols.option(span.operation).unwrap_or(""));
        *spans.entry(key).or_default() += 1;
    }
    keys(recorded.keys(), spans.keys())
        .into_iter()
        .filter_map(|key| {
            let expected = spans.get(&key).copied().unwrap_or(0);
            let actual = recorded.get(&key).copied().unwrap_or(0);
            (expected != actual).then(|| finding(key, expected, actual))
        })
        .collect()
}

fn finding((model, operation): (&str, &str), expected: u64, actual: u64) -> Finding {
    let what = [operation, model].join(" ");
    Finding::new("the duration metric does not count as many calls as there are spans")
        .attribute(Summed::Duration.metric())
        .expected(format!("{expected} of {}", what.trim()))
        .actual(actual.to_string())
        .about(Subject { metric: Some(Summed::Duration.metric().to_owned()), ..Subject::default() })
}

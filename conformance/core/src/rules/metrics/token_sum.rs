use std::collections::BTreeMap;

use spanproof_schemas::report::Level;

use super::{keys, names_models, spans_behind, subject};
use crate::finding::Finding;
use crate::metric_sums::Summed;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::RunView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/token-sum",
    summary: "the token metric sums up to the usage of the spans",
    level: Level::Violation,
    basis: Basis::Agreement("spans and the token metric"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "For each model and token type, the sum of `gen_ai.client.token.usage` \
            (of the conventions in development, \
            `gen_ai.client.inference.usage.input_tokens` and its like, and \
            `gen_ai.client.inference.operation.input_tokens` and its like, each by itself) \
            over all its streams against the sum of `gen_ai.usage.input_tokens` or \
            `gen_ai.usage.output_tokens` over the spans of model calls, of those scopes that emit \
            the metric. Likewise the counters of the conventions in development for cached and \
            reasoning tokens, against the attributes of spans that they are named after. Delta \
            points add up; of a cumulative stream the last point of each run \
            counts. A run without the metric is left alone, and so are types of \
            `gen_ai.token.type` beside `input` and `output`.",
        why: "Budgets and alerts are built on the metric, investigations on spans. When the two \
            disagree, one of them is wrong, and nobody knows which.",
        example: "Every call is recorded twice, by the wrapper and by the SDK's instrumentation: \
            the metric says 2,400 input tokens, the spans 1,200.",
        how_to_mend: "Record the metric where the span's usage is set, once per call, with the \
            same numbers.",
    },
    checks: &[Check::Run(check)],
};

fn check(view: &RunView<'_>) -> Vec<Finding> {
    Summed::TOKENS.into_iter().flat_map(|metric| compare(view, metric)).collect()
}

fn compare(view: &RunView<'_>, metric: Summed) -> Vec<Finding> {
    let Some(streams) = view.metrics.known(metric) else { return Vec::new() };
    let by_model = names_models(view, metric);
    let model = |symbol| if by_model { view.text(symbol) } else { "" };

    let mut recorded: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for stream in streams {
        let kind = view.text(stream.token_type);
        // `completion` is the older word for output.
        let kind = if kind == "completion" { "output" } else { kind };
        *recorded.entry((model(stream.model), kind)).or_default() += stream.total().sum;
    }
    let mut stated: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for span in spans_behind(view, &[metric]) {
        // The conventions in development count embeddings apart from inference.
        if metric != Summed::TokenUsage && view.symbols.option(span.operation) == Some("embeddings")
        {
            continue;
        }
        let model = span.model.map_or("", model);
        for (kind, tokens) in [
            ("input", span.input),
            ("output", span.output),
            ("cache read", span.cache_read),
            ("cache write", span.cache_write),
            ("reasoning", span.reasoning),
        ] {
            // A span without a count says nothing that the metric could contradict.
            if tokens.spans > 0 {
                *stated.entry((model, kind)).or_default() += approximate(tokens.sum);
            }
        }
    }
    keys(recorded.keys(), stated.keys())
        .into_iter()
        .filter(|(_, kind)| match *kind {
            "input" | "output" => true,
            // A counter of its own, which may not be there.
            kind => metric.counts(kind) && recorded.keys().any(|(_, recorded)| *recorded == kind),
        })
        .filter_map(|key| {
            let expected = stated.get(&key).copied().unwrap_or(0.0);
            let actual = recorded.get(&key).copied().unwrap_or(0.0);
            let differs = (expected - actual).abs() >= 0.5 || !actual.is_finite();
            differs.then(|| finding(metric.metric(key.1), key, expected, actual))
        })
        .collect()
}

fn finding(
    metric: &'static str,
    (model, kind): (&str, &str),
    expected: f64,
    actual: f64,
) -> Finding {
    let of = if model.is_empty() { String::new() } else { format!(" of {model}") };
    Finding::new("the sum of the token metric is not the sum over the spans")
        .attribute(metric)
        .expected(format!("{expected} {kind} tokens{of}"))
        .actual(format!("{actual}"))
        .about(subject(metric))
}

#[expect(clippy::cast_precision_loss, reason = "metrics sum tokens as doubles in the first place")]
fn approximate(tokens: u64) -> f64 {
    tokens as f64
}

use spanproof_schemas::report::{Level, Subject};

use crate::catalogue::catalogue;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{MetricShape, ScopeView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/unit",
    summary: "a metric of the conventions has their unit and their instrument",
    level: Level::Violation,
    basis: Basis::Must("metric definitions, instrument and unit"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The unit and the instrument of every `gen_ai.*` metric that the judged \
            version defines, once for each instrumentation scope. Explicit and exponential \
            histograms are both histograms.",
        why: "Backends put the unit into the metric's name, so that `token` and `{token}` become \
            two metrics; and a counter has none of the quantiles that dashboards ask a histogram \
            for.",
        example: "`gen_ai.client.token.usage` with the unit `token`, where `{token}` is due.",
        how_to_mend: "Create the instrument with the unit and the kind of the conventions.",
    },
    checks: &[Check::Scope(check)],
};

fn check(view: &ScopeView<'_>) -> Vec<Finding> {
    view.facts.metrics.iter().flat_map(|metric| compare(view, metric)).collect()
}

fn compare(view: &ScopeView<'_>, metric: &MetricShape) -> Vec<Finding> {
    let Some(definition) = catalogue().metric_in(&metric.name, view.semconv.index) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let mut differs =
        |message: &'static str, attribute: &'static str, expected: &str, actual: &str| {
            findings.push(
                Finding::new(message).attribute(attribute).expected(expected).actual(actual).about(
                    Subject {
                        metric: Some(metric.name.clone()),
                        scope: Some(view.name.to_owned()).filter(|name| !name.is_empty()),
                        ..Subject::default()
                    },
                ),
            );
        };
    if metric.unit != definition.unit {
        let message = "the metric has another unit than the conventions give it";
        differs(message, "unit", &definition.unit, &metric.unit);
    }
    let is_sum = metric.instrument == "counter" && definition.instrument == "updowncounter";
    if metric.instrument != definition.instrument && !is_sum {
        let message = "the metric has another instrument than the conventions give it";
        differs(message, "instrument", &definition.instrument, metric.instrument);
    }
    findings
}

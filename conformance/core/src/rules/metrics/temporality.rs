use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::otlp::{AggregationTemporality, Data};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::MetricView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/temporality",
    summary: "sums and histograms say how their points add up, and counters only rise",
    level: Level::Violation,
    basis: Basis::Must("OTLP metrics data model, aggregation temporality and monotonic sums"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.*` metrics: the aggregation temporality of sums and histograms is \
            delta or cumulative, and a sum that the conventions define as a counter is monotonic. \
            Cumulative points state when they began to count.",
        why: "A store that does not know whether points add up shows a total as a rate or drops \
            the metric; without `is_monotonic` it takes a counter for a gauge.",
        example: "`gen_ai.client.inference.usage.input_tokens` as a sum with `is_monotonic = \
            false`: an up-down counter was created where a counter is due.",
        how_to_mend: "Create the instrument that the conventions name; exporters that build OTLP \
            by hand set `aggregation_temporality` and `start_time_unix_nano`.",
    },
    checks: &[Check::Metric(check)],
};

fn check(view: &MetricView<'_>) -> Vec<Finding> {
    let (temporality, starts): (i32, Vec<u64>) = match &view.metric.data {
        Some(Data::Sum(sum)) => (
            sum.aggregation_temporality,
            sum.data_points.iter().map(|point| point.start_time_unix_nano).collect(),
        ),
        Some(Data::Histogram(histogram)) => (
            histogram.aggregation_temporality,
            histogram.data_points.iter().map(|point| point.start_time_unix_nano).collect(),
        ),
        Some(Data::ExponentialHistogram(histogram)) => (
            histogram.aggregation_temporality,
            histogram.data_points.iter().map(|point| point.start_time_unix_nano).collect(),
        ),
        Some(Data::Gauge(_) | Data::Summary(_)) | None => return Vec::new(),
    };
    let mut findings = Vec::new();
    match AggregationTemporality::try_from(temporality) {
        Ok(AggregationTemporality::Delta) => {}
        Ok(AggregationTemporality::Cumulative) => {
            if starts.contains(&0) {
                let finding = Finding::new("cumulative points do not say when they began to count");
                findings.push(finding.attribute("start_time_unix_nano").actual("0"));
            }
        }
        Ok(AggregationTemporality::Unspecified) | Err(_) => findings.push(
            Finding::new("the metric does not say how its points add up")
                .attribute("aggregation_temporality")
                .expected("delta or cumulative")
                .actual(temporality.to_string()),
        ),
    }
    if let Some(Data::Sum(sum)) = &view.metric.data
        && !sum.is_monotonic
        && view.definition.is_some_and(|definition| definition.instrument == "counter")
    {
        let finding = Finding::new("a counter of the conventions is not monotonic");
        findings.push(finding.attribute("is_monotonic").expected("true").actual("false"));
    }
    findings
}

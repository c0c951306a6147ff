use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::otlp::Data;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::MetricView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/buckets",
    summary: "histograms of the conventions have the bucket boundaries that they advise",
    level: Level::Improvement,
    basis: Basis::Should(
        "metric definitions, \"SHOULD be specified with ExplicitBucketBoundaries\"",
    ),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The explicit bounds of the points of `gen_ai.*` histograms for which the \
            judged version advises boundaries. Exponential histograms have none, and a histogram \
            without buckets is left alone. Bounds that the SDK takes where nobody states any are \
            named as such.",
        why: "The SDK's default boundaries were made for milliseconds: with them every call of up \
            to five seconds is in one bucket, every token count beyond 10,000 in another, and no \
            quantile can be told. Series with different boundaries cannot be added up.",
        example: "`gen_ai.client.operation.duration` in seconds with the bounds 0, 5, 10, 25, ….",
        how_to_mend: "Pass the advised boundaries when the histogram is created \
            (`explicit_bucket_boundaries_advisory` and the like), or set them with a view.",
    },
    checks: &[Check::Metric(check)],
};

/// What SDKs take where nobody states boundaries.
const SDK_DEFAULT: [f64; 15] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0,
    10000.0,
];

fn check(view: &MetricView<'_>) -> Vec<Finding> {
    let Some(Data::Histogram(histogram)) = &view.metric.data else { return Vec::new() };
    let advised = view.definition.map_or(&[][..], |definition| &definition.boundaries);
    if advised.is_empty() {
        return Vec::new();
    }
    let differing = histogram.data_points.iter().find(|point| {
        let has_buckets = !point.bucket_counts.is_empty() || !point.explicit_bounds.is_empty();
        has_buckets && !are_same(&point.explicit_bounds, advised)
    });
    let finding = differing.map(|point| {
        let message = if are_same(&point.explicit_bounds, &SDK_DEFAULT) {
            "the histogram has the SDK's default boundaries, not those that are advised"
        } else {
            "the histogram has other boundaries than those that are advised"
        };
        Finding::new(message)
            .attribute("explicit_bounds")
            .expected(render(advised))
            .actual(render(&point.explicit_bounds))
    });
    finding.into_iter().collect()
}

/// Boundaries are written, not computed: a difference beyond the last digits is one.
fn are_same(left: &[f64], right: &[f64]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(a, b)| (a - b).abs() <= b.abs() * 1e-9)
}

/// How many boundaries are shown.
const SHOWN: usize = 6;

fn render(bounds: &[f64]) -> String {
    let shown: Vec<String> = bounds.iter().take(SHOWN).map(f64::to_string).collect();
    let more = if bounds.len() > SHOWN { ", …" } else { "" };
    format!("[{}{more}] ({})", shown.join(", "), bounds.len())
}

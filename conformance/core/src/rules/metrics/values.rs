use rustc_hash::FxHashSet;
use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::identity;
use crate::metric_sums::number;
use crate::otlp::{Data, HistogramDataPoint};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::MetricView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "metrics/values",
    summary: "the points of a metric hold values that can be",
    level: Level::Violation,
    basis: Basis::Must("OTLP metrics data model, points of sums and histograms"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The points of every export of a `gen_ai.*` metric: no value, sum, minimum \
            or maximum is negative or no number, since tokens and times are neither; the counts \
            of a histogram's buckets add up to its count, and there is one more of them than \
            bounds, which rise; the sum lies between what minimum and maximum allow; a point does \
            not end before it starts; and no two points of an export have the same attributes and \
            times, which would be counted twice.",
        why: "Stores drop such points, or take them into sums and averages that no longer mean \
            anything.",
        example: "A duration of −3 s, taken from two clocks.",
        how_to_mend: "Record durations from a monotonic clock and token counts as the service \
            states them; have one instrument for a metric, not one for each wrapper.",
    },
    checks: &[Check::Metric(check)],
};

fn check(view: &MetricView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut met = FxHashSet::default();
    let mut times = |attributes, start: u64, end: u64, findings: &mut Vec<Finding>| {
        if start > end && end > 0 {
            findings.push(
                Finding::new("a point ends before it starts")
                    .attribute("time_unix_nano")
                    .expected(format!("at least {start}"))
                    .actual(end.to_string()),
            );
        }
        if !met.insert(identity::of((identity::of_attributes(attributes), start, end))) {
            findings
                .push(Finding::new("two points of one export have the same attributes and times"));
        }
    };
    match &view.metric.data {
        Some(Data::Histogram(histogram)) => {
            for point in &histogram.data_points {
                let (start, end) = (point.start_time_unix_nano, point.time_unix_nano);
                times(&point.attributes, start, end, &mut findings);
                histogram_point(point, &mut findings);
            }
        }
        Some(Data::ExponentialHistogram(histogram)) => {
            for point in &histogram.data_points {
                let (start, end) = (point.start_time_unix_nano, point.time_unix_nano);
                times(&point.attributes, start, end, &mut findings);
                let stated = [("sum", point.sum), ("min", point.min), ("max", point.max)];
                findings.extend(stated.into_iter().filter_map(impossible));
            }
        }
        Some(Data::Sum(sum)) => {
            for point in &sum.data_points {
                let (start, end) = (point.start_time_unix_nano, point.time_unix_nano);
                times(&point.attributes, start, end, &mut findings);
                findings
                    .extend(impossible(("value", point.value.map(|value| number(Some(value))))));
            }
        }
        Some(Data::Gauge(gauge)) => {
            for point in &gauge.data_points {
                findings
                    .extend(impossible(("value", point.value.map(|value| number(Some(value))))));
            }
        }
        Some(Data::Summary(_)) | None => {}
    }
    findings
}

fn impossible((name, value): (&'static str, Option<f64>)) -> Option<Finding> {
    let value = value.filter(|value| *value < 0.0 || !value.is_finite())?;
    let message =
        if value < 0.0 { "a point has a negative value" } else { "a point has no number" };
    Some(Finding::new(message).attribute(name).expected("0 or more").actual(value.to_string()))
}

fn histogram_point(point: &HistogramDataPoint, findings: &mut Vec<Finding>) {
    let stated = [("sum", point.sum), ("min", point.min), ("max", point.max)];
    findings.extend(stated.into_iter().filter_map(impossible));
    if !point.bucket_counts.is_empty() {
        let counted = point.bucket_counts.iter().fold(0_u64, |sum, more| sum.saturating_add(*more));
        if counted != point.count {
            findings.push(
                Finding::new("the counts of the buckets do not add up to the count of the point")
                    .attribute("bucket_counts")
                    .expected(point.count.to_string())
                    .actual(counted.to_string()),
            );
        }
        let expected = point.explicit_bounds.len() + 1;
        if point.bucket_counts.len() != expected {
            findings.push(
                Finding::new("a point has not one bucket more than bounds")
                    .attribute("bucket_counts")
                    .expected(expected.to_string())
                    .actual(point.bucket_counts.len().to_string()),
            );
        }
    }
    if !point.explicit_bounds.is_sorted_by(|a, b| a < b) {
        findings.push(
            Finding::new("the bounds of the buckets do not rise").attribute("explicit_bounds"),
        );
    }
    findings.extend(sum_beyond(point));
}

#[expect(clippy::cast_precision_loss, reason = "sums of a metric are doubles in the first place")]
fn sum_beyond(point: &HistogramDataPoint) -> Option<Finding> {
    let (sum, min, max) = (point.sum?, point.min?, point.max?);
    let count = point.count as f64;
    // Sums of many doubles miss their last digits.
    let slack = sum.abs() * 1e-6 + 1e-9;
    let is_within = min * count - slack <= sum && sum <= max * count + slack;
    (min > max || !is_within).then(|| {
        Finding::new("the sum of a point is not between what its minimum and maximum allow")
            .attribute("sum")
            .expected(format!("{} to {}", min * count, max * count))
            .actual(sum.to_string())
    })
}

use spanproof_schemas::report::{Level, Subject};

use crate::finding::Finding;
use crate::metric_sums::Summed;
use crate::otlp::Value;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{PointView, RunView, attribute_name};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "cardinality/metric-attribute",
    summary: "no metric attribute holds an id, so that the number of series stays small",
    level: Level::Violation,
    basis: Basis::Limit("metrics stores bill each series"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The attributes of the points of `gen_ai.*` metrics: none holds a UUID or \
            a number in 16 or more hexadecimal digits, as trace, span, request and session ids \
            are. A metric of the conventions with more series than a judge keeps is a finding too; \
            its sums are then not compared with spans.",
        why: "Every distinct set of attributes is a series that a metrics store keeps and bills. \
            An id that differs from call to call makes one series for each call.",
        example: "`gen_ai.client.token.usage` with the attribute `session.id = \
            3f2504e0-4f89-41d3-9a0c-0305e82c3301`.",
        how_to_mend: "Set ids on spans only, or drop the attribute with a view of the SDK.",
    },
    checks: &[Check::Point(check_point), Check::Run(check_run)],
};

fn check_point(view: &PointView<'_>) -> Vec<Finding> {
    let ids = view.attributes.iter().filter_map(|seen| {
        let Some(Value::StringValue(text)) = seen.value else { return None };
        let finding = Finding::new("a metric attribute holds an id");
        is_id(text).then(|| finding.attribute(attribute_name(seen)).actual(text.clone()))
    });
    ids.collect()
}

fn check_run(view: &RunView<'_>) -> Vec<Finding> {
    Summed::ALL
        .into_iter()
        .filter(|metric| view.metrics.is_beyond_bounds(*metric))
        .map(|metric| {
            let subject =
                Subject { metric: Some(metric.metric("").to_owned()), ..Subject::default() };
            Finding::new("the metric has more series than are kept; it is not compared with spans")
                .about(subject)
        })
        .collect()
}

/// The lengths of the groups of a UUID.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// Ids shorter than a span's are left alone: they may be words or versions.
const SHORTEST: usize = 16;

fn is_id(text: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_uuid = || text.split('-').map(str::len).eq(UUID) && text.split('-').all(is_hex);
    has_digit && (text.len() >= SHORTEST && is_hex(text) || is_uuid())
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn ids_are_told_from_names() {
        let ids = ["3f2504e0-4f89-41d3-9a0c-0305e82c3301", "00f067aa0ba902b7"];
        assert!(ids.iter().all(|id| is_id(id)));
        let names = ["anthropic.claude-3-haiku-20240307-v1:0", "20240307", "deadbeefdeadbeef", ""];
        assert!(!names.iter().any(|name| is_id(name)));
    }
}

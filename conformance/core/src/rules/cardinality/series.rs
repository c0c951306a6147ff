use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::Version;

use crate::catalogue::catalogue;
use crate::finding::Finding;
use crate::metric_sums::Summed;
use crate::rules::metrics::{spans_behind, subject};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::RunView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "cardinality/series",
    summary: "the series of a metric do not grow with the number of calls",
    level: Level::Violation,
    basis: Basis::Limit("metrics stores bill each series"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The metrics of the conventions that are compared with spans: no attribute \
            of one takes a different value in at least every second call, where it takes sixteen or \
            more. Attributes that some version gives the metric are left alone, for a test may well \
            call many models. A UUID or the like is `cardinality/metric-attribute` from the first \
            one on, and a finding here besides once there are many.",
        why: "Every distinct set of attributes is a series that a metrics store keeps and bills. \
            With an attribute that differs from call to call there are as many series as calls, \
            and each of them holds one value.",
        example: "`gen_ai.client.operation.duration` with the attribute `request.number`, which \
            counts up: forty calls, forty series.",
        how_to_mend: "Set such attributes on spans only, or drop them with a view of the SDK.",
    },
    checks: &[Check::Run(check)],
};

/// How many values an attribute must take: a handful is what attributes are for.
const MANY: usize = 16;

fn check(view: &RunView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for metric in Summed::ALL {
        let mut growing: Vec<(&str, usize, u64)> = Vec::new();
        for (scope, key, values) in view.metrics.values(metric) {
            if values < MANY || is_of_the_conventions(metric, key) {
                continue;
            }
            let streams = view.metrics.streams(metric).filter(|stream| stream.scope == scope);
            let recorded = streams.fold(0_u64, |sum, it| sum.saturating_add(it.total().count));
            let spans: u64 = spans_behind(view, &[metric]).map(|span| span.count).sum();
            // Of counters it is not told how often they were added to, only how many spans there are.
            let calls = if recorded > 0 { recorded } else { spans };
            if calls <= 2 * values as u64 {
                growing.push((key, values, calls));
            }
        }
        growing.sort_unstable();
        findings.extend(growing.into_iter().map(|(key, values, calls)| {
            Finding::new("a metric attribute takes another value in call after call")
                .attribute(key.to_owned())
                .expected("a few values, however many calls there are")
                .actual(format!("{values} values in {calls} calls"))
                .about(subject(metric.metric("")))
        }));
    }
    findings
}

/// Whether some version gives the metric the attribute.
fn is_of_the_conventions(metric: Summed, key: &str) -> bool {
    Version::all().any(|version| {
        let semconv = catalogue().of(version);
        let mut names = metric.names();
        names.any(|name| {
            let definition = catalogue().metric_in(name, semconv.index);
            definition.is_some_and(|definition| definition.attributes.contains_key(key))
        })
    })
}

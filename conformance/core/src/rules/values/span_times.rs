use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "values/span-times",
    summary: "a span has a start and an end, in nanoseconds, and ends no earlier than it starts",
    level: Level::Violation,
    basis: Basis::Must("trace protocol, start_time_unix_nano and end_time_unix_nano"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Start and end of every GenAI span: both are there, both are between 2019, \
            when OpenTelemetry began, and 2100, and the end is not before the start.",
        why: "Stores file spans by their time. One in 1970 is never found, and one that ends before \
            it starts has a duration of hundreds of years, or none.",
        example: "A start of 1,767,225,600,000,000, which is in microseconds.",
        how_to_mend: "Give times in nanoseconds since 1970, or leave them to the SDK.",
    },
    checks: &[Check::Span(check)],
};

/// 2019-01-01, in nanoseconds since 1970.
const EARLIEST: u64 = 1_546_300_800_000_000_000;
/// 2100-01-01, in nanoseconds since 1970.
const LATEST: u64 = 4_102_444_800_000_000_000;

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let (start, end) = (view.span.start_time_unix_nano, view.span.end_time_unix_nano);
    let is_known = EARLIEST <= start && end < LATEST;
    if is_known && start <= end {
        return Vec::new();
    }
    let finding = match (start, end) {
        (0, _) => Finding::new("the span has no start").attribute("span start"),
        (_, 0) => Finding::new("the span has no end").attribute("span end"),
        _ if start > end => Finding::new("the span ends before it starts")
            .attribute("span end")
            .actual(format!("{} ns before the start", start - end)),
        _ => Finding::new("the span's times are before 2019 or after 2100")
            .attribute("span start")
            .expected("nanoseconds since 1970")
            .actual(format!("{start} to {end}")),
    };
    vec![finding]
}

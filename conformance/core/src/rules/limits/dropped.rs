use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "limits/dropped",
    summary: "the SDK dropped nothing of a span",
    level: Level::Improvement,
    basis: Basis::Limit("what an SDK drops is in no store"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The counts of attributes, events and links that the SDK dropped from a \
            GenAI span and from its events, as it states them: all are 0.",
        why: "What was dropped is whatever came last, which is what the answer says: tokens, finish \
            reasons, errors. Its absence is then the limit's doing, not the instrumentation's.",
        example: "A span with 128 attributes and `dropped_attributes_count = 9`.",
        how_to_mend: "Raise `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT` or the limit for events, or set \
            fewer: one attribute of JSON in place of one for each message.",
    },
    checks: &[Check::Span(check)],
};

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let span = view.span;
    let of_events: u32 =
        span.events.iter().fold(0, |sum, event| event.dropped_attributes_count.saturating_add(sum));
    let dropped = [
        ("attributes", span.dropped_attributes_count),
        ("events", span.dropped_events_count),
        ("links", span.dropped_links_count),
        ("attributes of events", of_events),
    ];
    let dropped = dropped.into_iter().filter(|(_, count)| *count > 0);
    dropped
        .map(|(what, count)| {
            Finding::new(format!("the SDK dropped {what} of the span"))
                .expected("0")
                .actual(count.to_string())
        })
        .collect()
}

use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/span-start",
    summary: "the span of a call starts before its request is sent",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The start of every call's span against the time at which its first \
            request arrived. A few milliseconds are allowed for the clocks.",
        why: "A span that starts later shows a part of the call as the whole of it. The usual \
            cause is a second span, made when a stream ends, for one that was started with the \
            request and lost; it is also put below whatever is current by then.",
        example: "A stream of four seconds, and a span of 200 microseconds at its end.",
        how_to_mend: "Start the span before the request is sent, and keep it until the answer has \
            ended. Where that is impossible, give the start time when the span is made.",
    },
    checks: &[Check::Call(check)],
};

/// How much later than the request a span may start, in nanoseconds.
const TOLERANCE: u64 = 5_000_000;

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.span() else { return Vec::new() };
    let arrived = view.call.first().arrived;
    if span.start <= arrived.saturating_add(TOLERANCE) {
        return Vec::new();
    }
    vec![
        Finding::new("the span started after the call's request had arrived")
            .attribute("span start")
            .expected("before the request")
            .actual(format!("{} ms after it", (span.start - arrived) / 1_000_000)),
    ]
}

use spanproof_schemas::report::Level;

use crate::call::Outcome;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{CallView, Match};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "streaming/span-end",
    summary: "the span of a stream ends no earlier than its last chunk",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The end of the span of every streamed call whose answer arrived in full, \
            against the time at which the last chunk was sent. A few milliseconds are allowed for \
            the clocks. Streams that broke, or that the client left, are left alone. \
            Some SDKs read on when their program has closed a stream, and the server is none the \
            wiser: a span that tells nothing but what a stream states before its end may then be \
            right to end early, and nothing tells it from one that ends when the stream is handed \
            over. It is an improvement, and a violation where `reads-streams-to-end` in \
            `spanproof.toml`, or `--reads-streams-to-end`, says that the program closes none.",
        why: "A span that ends with the first chunk, or when the stream is handed to the caller, \
            shows the time to the first chunk as the whole call, and cannot hold what only the \
            end of a stream tells: usage and finish reason.",
        example: "A stream whose last chunk was sent after four seconds, and a span of 300 \
            milliseconds.",
        how_to_mend: "End the span when the stream is exhausted, closed or broken.",
    },
    checks: &[Check::Call(check)],
};

/// How much earlier than the last chunk a span may end, in nanoseconds.
const TOLERANCE: u64 = 5_000_000;

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Match::Span(span, _) = view.matched else { return Vec::new() };
    let Some(last_chunk) = view.call.last().last_chunk else { return Vec::new() };
    let is_early = span.end.saturating_add(TOLERANCE) < last_chunk;
    if !is_early || view.call.outcome(view.symbols) != Outcome::Succeeded {
        return Vec::new();
    }
    let millis = |time: u64| time.saturating_sub(span.start) / 1_000_000;
    let finding = if view.may_have_been_closed() {
        Finding::new(
            "the span ended before the last chunk of the stream was sent: too early, or because \
             the program closed the stream",
        )
        .level(Level::Improvement)
    } else {
        Finding::new("the span ended before the last chunk of the stream was sent")
    };
    vec![
        finding
            .attribute("span end")
            .expected(format!("{} ms after its start or later", millis(last_chunk)))
            .actual(format!("{} ms after its start", millis(span.end))),
    ]
}

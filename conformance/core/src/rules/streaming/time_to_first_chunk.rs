use spanproof_schemas::report::Level;

use crate::field::Field;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{CallView, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "streaming/time-to-first-chunk",
    summary: "the time to the first chunk is when the first chunk came",
    level: Level::Violation,
    basis: Basis::Truth,
    since: Some("1.41.1"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.response.time_to_first_chunk`, which is in seconds: it is no \
            longer than the span. With a ledger also: counted from the start of the span it is no \
            earlier than the first chunk was sent, less a few milliseconds for the clocks; and \
            where the chunks took some time, not later than the last one was sent, which is an \
            improvement, since a program may begin to read late.",
        why: "The time to the first chunk is what users wait for. Taken when the stream is handed \
            over it is always good, taken at its end it is always bad, and neither tells anything.",
        example: "`gen_ai.response.time_to_first_chunk = 412.0` for 412 milliseconds; or `0.006`, \
            when the response's head arrived, for a first chunk after 400 milliseconds.",
        how_to_mend: "Take the time at the first event of the stream, as it is read, in seconds.",
    },
    checks: &[Check::Span(check_span), Check::Call(check_call)],
};

/// How much the clocks may differ, in nanoseconds.
const TOLERANCE: u64 = 5_000_000;

/// How long the chunks must take for the first to be told from the last, in nanoseconds.
const SPREAD: u64 = 4 * TOLERANCE;

#[expect(clippy::cast_precision_loss, reason = "a duration need not be exact to the nanosecond")]
fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    let Some(stated) = view.fields.number(Field::TimeToFirstChunk) else { return Vec::new() };
    let span = view.span;
    let nanos = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
    let seconds = nanos as f64 / 1e9;
    if stated <= seconds + 0.001 {
        return Vec::new();
    }
    vec![
        Finding::new("the time to the first chunk is longer than the span")
            .attribute("gen_ai.response.time_to_first_chunk")
            .expected(format!("at most {seconds:.3} s"))
            .actual(format!("{stated} s")),
    ]
}

fn check_call(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.span() else { return Vec::new() };
    let exchange = view.call.last();
    let (Some(stated), Some(first), Some(last)) =
        (span.time_to_first_chunk, exchange.first_chunk, exchange.last_chunk)
    else {
        return Vec::new();
    };
    let came = span.start.saturating_add(stated);
    let is_spread = last.saturating_sub(first) > SPREAD;
    // Beyond the end of the span it is the other check's.
    let is_late = is_spread && came > last && came <= span.end.saturating_add(1_000_000);
    let finding = if came.saturating_add(TOLERANCE) < first {
        Finding::new("the time to the first chunk is over before that chunk was sent")
    } else if is_late {
        Finding::new("the time to the first chunk is that to the end of the stream")
            .level(Level::Improvement)
    } else {
        return Vec::new();
    };
    let millis = |time: u64| time.saturating_sub(span.start) / 1_000_000;
    vec![
        finding
            .attribute("gen_ai.response.time_to_first_chunk")
            .expected(format!("{} to {} ms", millis(first), millis(last)))
            .actual(format!("{} ms", stated / 1_000_000)),
    ]
}

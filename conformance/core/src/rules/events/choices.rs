use spanproof_schemas::report::Level;

use crate::attached::Told;
use crate::finding::Finding;
use crate::model::{FinishReasons, Role};
use crate::otlp::StatusCode;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::StandingView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "events/choices",
    summary: "a call has one event for each choice of its answer, and one with its details",
    level: Level::Violation,
    basis: Basis::Must("gen_ai.choice, \"MUST NOT report individual chunks as events\""),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The events of each call to a model: as many `gen_ai.choice` events as the \
            span has finish reasons, one where it states none; and at most one \
            `gen_ai.client.inference.operation.details`. A call without any event is left alone. \
            One whose messages are events and that has no `gen_ai.choice` is looked at where there \
            is a ledger and the span states a finish reason, so that all events came and the \
            answer was known. An event that was exported twice counts once.",
        why: "Answers are counted and shown by these events. A stream that emits one for each \
            chunk, or one more when it is closed, shows many answers where there was one; one that \
            emits none shows a question without an answer.",
        example: "A stream of twelve chunks, and twelve `gen_ai.choice` events.",
        how_to_mend: "Gather the chunks, and emit one event for each choice when the answer is \
            complete.",
    },
    checks: &[Check::Standing(check)],
};

fn check(view: &StandingView<'_>) -> Vec<Finding> {
    let (Some(attached), Role::ModelCall) = (view.attached, view.span.role) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let mut differs =
        |message: &'static str, event: &'static str, expected: usize, actual: usize| {
            let finding = Finding::new(message).attribute(event);
            findings.push(finding.expected(expected.to_string()).actual(actual.to_string()));
        };
    let [choices, messages, details] =
        [Told::Choice, Told::Message, Told::Details].map(|told| attached.count(told));
    let stated = match &view.span.finish_reasons {
        FinishReasons::Array(reasons) => Some(reasons.len()),
        FinishReasons::Absent | FinishReasons::NotArray(_) => None,
    };
    let expected = stated.unwrap_or(1).max(1);
    if choices > expected {
        let message = "the call has more events for its answer than the answer has choices";
        differs(message, "gen_ai.choice", expected, choices);
    }
    // Without a ledger, spans are judged while events may still come.
    let is_answered = view.has_ledger
        && view.span.status != StatusCode::Error
        && stated.is_some_and(|count| count > 0);
    if is_answered && choices + messages > 0 && choices < expected {
        let message = "the call has fewer events for its answer than the answer has choices";
        differs(message, "gen_ai.choice", expected, choices);
    }
    if details > 1 {
        let message = "the call has several events with its details";
        differs(message, "gen_ai.client.inference.operation.details", 1, details);
    }
    findings
}

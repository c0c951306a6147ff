use spanproof_schemas::report::Level;

use crate::call::Outcome;
use crate::finding::Finding;
use crate::otlp::StatusCode;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{CallView, Match, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "status/error-type",
    summary: "a failed call has the status ERROR and an error.type, a successful one has neither",
    level: Level::Violation,
    basis: Basis::Must("error.type, conditionally required if the operation ended in an error"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "A GenAI span with the status ERROR carries `error.type`. With a ledger \
            also: the span of a call that the service refused, broke off or cut has the status \
            ERROR, and that of a call whose answer arrived in full has neither. A call whose \
            client left early, or may have left a stream whose end its span does not know, is \
            left alone, for the conventions do not settle its status; so is a Converse answer \
            that broke off, which boto3 takes for an empty one. What \
            counts is the last attempt: a retry that succeeded is a success.",
        why: "Error rates are counted by status and broken down by `error.type`. Throttling that \
            cannot be told from a bad request cannot be alerted on.",
        example: "A call answered with `ThrottlingException` whose span has the status ERROR from \
            the SDK's context manager, and no `error.type`.",
        how_to_mend: "Set `error.type` to the code of the service's error, or to the name of the \
            exception, wherever the span's status is set to ERROR; also for errors in the middle \
            of a stream.",
    },
    checks: &[Check::Span(check_span), Check::Call(check_call)],
};

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    if view.status() == StatusCode::Error && !view.has_error_type() {
        vec![
            Finding::new("the status is ERROR and `error.type` is not there")
                .attribute("error.type"),
        ]
    } else {
        Vec::new()
    }
}

fn check_call(view: &CallView<'_>) -> Vec<Finding> {
    let Match::Span(span, _) = view.matched else { return Vec::new() };
    if view.span().is_none() {
        return Vec::new();
    }
    let is_error = span.status == StatusCode::Error;
    let error_type = view.symbols.option(span.error_type);
    match view.call.outcome(view.symbols) {
        Outcome::Failed(exception) if !is_error => vec![
            Finding::new("the call failed and the span's status is not ERROR")
                .attribute("status")
                .expected(format!("ERROR, {}", view.symbols.option(exception).unwrap_or("cut")))
                .actual(format!(
                    "{}, error.type {}",
                    word(span.status),
                    error_type.unwrap_or("absent")
                )),
        ],
        // A stream that the program closed early has no settled status.
        Outcome::Succeeded if view.may_have_been_closed() => Vec::new(),
        Outcome::Succeeded if is_error => vec![
            Finding::new("the call succeeded and the span's status is ERROR")
                .attribute("status")
                .expected("UNSET")
                .actual("ERROR"),
        ],
        Outcome::Succeeded if error_type.is_some() => vec![
            Finding::new("the call succeeded and the span has an `error.type`")
                .attribute("error.type")
                .actual(error_type.unwrap_or_default()),
        ],
        _ => Vec::new(),
    }
}

fn word(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Unset => "UNSET",
        StatusCode::Ok => "OK",
        StatusCode::Error => "ERROR",
    }
}

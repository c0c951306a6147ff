//! Spans against the ledger.

pub(super) mod content;
pub(super) mod duplicate_span;
pub(super) mod error_type;
pub(super) mod finish_reasons;
pub(super) mod missing_span;
pub(super) mod operation;
pub(super) mod parity;
pub(super) mod phantom_span;
pub(super) mod request_model;
pub(super) mod request_parameters;
pub(super) mod response;
pub(super) mod span_start;
pub(super) mod suppressed_span;
pub(super) mod system_prompt;
pub(super) mod tool_calls;
pub(super) mod unended_span;

use crate::attached::Captured;
use crate::call::Outcome;
use crate::model::Served;
use crate::view::CallView;

/// What telemetry has of the content of a call, and what the ledger tells of it, where content is
/// allowed and the call has a span with some.
fn captured<'a>(view: &CallView<'a>) -> Option<(&'a Captured, &'a Served)> {
    view.span()?;
    let captured = &view.attached?.captured;
    Some((captured, view.call.last().served.as_deref()?))
}

/// Whether the program has read all of the answer.
pub(in crate::rules) fn answer_was_read(view: &CallView<'_>) -> bool {
    view.call.outcome(view.symbols) == Outcome::Succeeded && !view.may_have_been_closed()
}

/// A call as people look it up: what was called, and how it ended.
fn describe(view: &CallView<'_>) -> String {
    let last = view.call.last();
    let model = view.symbols.text(last.model);
    let end = match view.symbols.option(last.exception) {
        Some(exception) => exception.to_owned(),
        None => format!("status {}", last.status),
    };
    format!("a span for {} of {model} ({end})", last.operation.name())
}

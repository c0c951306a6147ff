//! Spans against the ledger.

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
pub(super) mod unended_span;

use crate::view::CallView;

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

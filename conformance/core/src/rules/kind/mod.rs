//! Span kinds.

pub(super) mod span_kind;

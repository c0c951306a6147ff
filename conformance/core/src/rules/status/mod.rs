//! Span status and error types.

pub(super) mod error_type;
pub(super) mod ok_not_set;

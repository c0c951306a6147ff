//! Streamed answers.

pub(super) mod span_end;

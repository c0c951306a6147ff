//! Streamed answers.

pub(super) mod span_end;
pub(super) mod time_to_first_chunk;

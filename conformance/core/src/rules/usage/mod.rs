//! Token usage against the ledger.

pub(super) mod cache_tokens;
pub(super) mod input_tokens;
pub(super) mod output_tokens;

//! Token usage against the ledger.

pub(super) mod agent_usage;
pub(super) mod breakdown;
pub(super) mod cache_tokens;
pub(super) mod input_tokens;
pub(super) mod output_tokens;
pub(super) mod reasoning_tokens;

use spanproof_schemas::report::Level;

use crate::finding::Finding;

/// What to say of a count that is absent from a span that tells nothing of its stream's end.
fn closed_or_lost(attribute: &'static str, served: u64) -> Finding {
    Finding::new(
        "the span tells nothing of the stream's end: it was lost, or the program closed the \
         stream early",
    )
    .level(Level::Improvement)
    .attribute(attribute)
    .expected(served.to_string())
    .actual("absent")
}

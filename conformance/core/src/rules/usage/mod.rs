//! Token usage against the ledger.

pub(super) mod agent_usage;
pub(super) mod breakdown;
pub(super) mod cache_tokens;
pub(super) mod input_tokens;
pub(super) mod output_tokens;
pub(super) mod reasoning_tokens;

use spanproof_schemas::report::Level;

use crate::finding::Finding;

/// What to say of the count on a span that tells nothing of its stream's end.
fn closed_or_lost(attribute: &'static str, served: u64, stated: Option<u64>) -> Finding {
    let message = match stated {
        None => {
            "the span tells nothing of the stream's end: it was lost, or the program closed the \
             stream early"
        }
        Some(_) => {
            "the span states the output tokens told before the stream's end: that was lost, or the \
             program closed the stream early"
        }
    };
    Finding::new(message)
        .level(Level::Improvement)
        .attribute(attribute)
        .expected(served.to_string())
        .actual(absent_or(stated))
}

/// A count as findings show it.
fn absent_or(stated: Option<u64>) -> String {
    stated.map_or("absent".to_owned(), |tokens| tokens.to_string())
}

/// What to say of a count in another vocabulary than the conventions, which settles less: a count
/// that is one of `possible` is right, and an absent one says nothing.
fn foreign(what: &'static str, possible: &[u64], stated: Option<u64>) -> Option<Finding> {
    let stated = stated.filter(|stated| !possible.contains(stated))?;
    let expected: Vec<String> = possible.iter().map(u64::to_string).collect();
    Some(
        Finding::new("the tokens that another vocabulary states are not those served")
            .attribute(what)
            .expected(expected.join(" or "))
            .actual(stated.to_string()),
    )
}

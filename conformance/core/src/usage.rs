//! Counting tokens: the service leaves cached tokens out of the input, newer conventions do not.

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::TokenCounts;

use crate::catalogue::Conventions;
use crate::model::ReportedUsage;

/// What a span of this version should say of the usage served.
#[must_use]
pub fn expected(served: Usage, semconv: &Conventions) -> TokenCounts {
    let cache = |tokens| if semconv.names_cache_tokens { tokens } else { 0 };
    TokenCounts {
        input_tokens: if semconv.counts_cached_input {
            served.all_input_tokens()
        } else {
            served.input_tokens
        },
        output_tokens: served.output_tokens,
        cache_read_input_tokens: cache(served.cache_read_input_tokens),
        cache_write_input_tokens: cache(served.cache_write_input_tokens),
    }
}

/// What a span of this version says, 0 where it says nothing.
#[must_use]
pub fn reported(usage: ReportedUsage, semconv: &Conventions) -> TokenCounts {
    let cache =
        |tokens: Option<u64>| if semconv.names_cache_tokens { tokens.unwrap_or(0) } else { 0 };
    TokenCounts {
        input_tokens: usage.input.unwrap_or(0),
        output_tokens: usage.output.unwrap_or(0),
        cache_read_input_tokens: cache(usage.cache_read),
        cache_write_input_tokens: cache(usage.cache_write),
    }
}

/// The usage that a span states, counted as the service counts it.
#[must_use]
pub fn as_served(usage: ReportedUsage, semconv: &Conventions) -> Usage {
    let read = usage.cache_read.unwrap_or(0);
    let write = usage.cache_write.unwrap_or(0);
    let input = usage.input.unwrap_or(0);
    Usage {
        input_tokens: if semconv.counts_cached_input {
            input.saturating_sub(read).saturating_sub(write)
        } else {
            input
        },
        output_tokens: usage.output.unwrap_or(0),
        cache_read_input_tokens: read,
        cache_write_input_tokens: write,
        // No version has it as a number to compare yet: the rules leave it alone.
        reasoning_output_tokens: 0,
    }
}

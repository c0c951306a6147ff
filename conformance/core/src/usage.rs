//! Counting tokens: the service leaves cached tokens out of the input, newer conventions do not.

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::TokenCounts;

use crate::catalogue::Conventions;
use crate::span_sums::SpanSum;

/// What a span of this version should say of the usage served; tokens of the prompt cache also where
/// the version has no names for them.
#[must_use]
pub fn expected(served: Usage, semconv: &Conventions) -> TokenCounts {
    TokenCounts {
        input_tokens: if semconv.counts_cached_input {
            served.all_input_tokens()
        } else {
            served.input_tokens
        },
        output_tokens: served.output_tokens,
        cache_read_input_tokens: served.cache_read_input_tokens,
        cache_write_input_tokens: served.cache_write_input_tokens,
    }
}

/// What spans say together, 0 where they say nothing.
#[must_use]
pub fn reported(spans: &SpanSum) -> TokenCounts {
    TokenCounts {
        input_tokens: spans.input.sum,
        output_tokens: spans.output.sum,
        cache_read_input_tokens: spans.cache_read.sum,
        cache_write_input_tokens: spans.cache_write.sum,
    }
}

/// The usage that spans state together, counted as the service counts it.
#[must_use]
pub fn as_served(spans: &SpanSum, semconv: &Conventions) -> Usage {
    Usage {
        input_tokens: if semconv.counts_cached_input {
            spans.uncached_input
        } else {
            spans.input.sum
        },
        output_tokens: spans.output.sum,
        cache_read_input_tokens: spans.cache_read.sum,
        cache_write_input_tokens: spans.cache_write.sum,
        // A part of the output, which is compared call by call.
        reasoning_output_tokens: 0,
    }
}

/// Adds counts to a sum.
pub(crate) fn add(sum: &mut TokenCounts, more: TokenCounts) {
    // Telemetry may state any number; a sum that cannot be is the largest one.
    let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
    add(&mut sum.input_tokens, more.input_tokens);
    add(&mut sum.output_tokens, more.output_tokens);
    add(&mut sum.cache_read_input_tokens, more.cache_read_input_tokens);
    add(&mut sum.cache_write_input_tokens, more.cache_write_input_tokens);
}

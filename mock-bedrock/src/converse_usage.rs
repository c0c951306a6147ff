//! The `usage` of Converse answers and of ConverseStream's `metadata`.

use serde::Serialize;

use crate::answer::Answer;

/// Token usage, members in alphabetical order as on the wire. The cache members come in pairs: one
/// of each is in the service's model, its twin is not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConverseUsage {
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_details: Option<[CacheDetail; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_token_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_input_token_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_input_tokens: Option<u64>,
    input_tokens: u64,
    output_tokens: u64,
    server_tool_usage: Empty,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    input_tokens: u64,
    ttl: &'static str,
}

/// `{}`.
#[derive(Debug, Serialize)]
struct Empty {}

impl ConverseUsage {
    /// The usage of a buffered answer: cache-capable Claude models always state the cache members.
    pub(crate) fn buffered(answer: &Answer) -> Self {
        let always = answer.model.family == "claude" && answer.model.cache_minimum_tokens > 0;
        Self::new(answer, always || answer.cache.used)
    }

    /// The usage of a stream, which states the cache members only when the cache was used.
    pub(crate) fn streamed(answer: &Answer) -> Self {
        Self::new(answer, answer.cache.used)
    }

    fn new(answer: &Answer, states_cache: bool) -> Self {
        let usage = answer.usage;
        let read = states_cache.then_some(usage.cache_read_input_tokens);
        let written = states_cache.then_some(usage.cache_write_input_tokens);
        ConverseUsage {
            cache_details: (usage.cache_write_input_tokens > 0).then(|| {
                [CacheDetail {
                    input_tokens: usage.cache_write_input_tokens,
                    ttl: answer.cache.ttl.as_str(),
                }]
            }),
            cache_read_input_token_count: read,
            cache_read_input_tokens: read,
            cache_write_input_token_count: written,
            cache_write_input_tokens: written,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            server_tool_usage: Empty {},
            total_tokens: usage.total_tokens(),
        }
    }
}

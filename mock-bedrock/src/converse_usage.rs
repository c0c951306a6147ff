//! The `usage` of Converse answers and of ConverseStream's `metadata`.

use serde::Serialize;

use crate::answer::{Answer, Block};
use crate::quirk::Quirk;

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
        let mut usage = Self::new(answer, answer.cache.used);
        if answer.quirks.has(Quirk::ThinkingCacheWriteTwice)
            && answer.model.family == "claude"
            && answer.blocks.iter().any(Block::is_reasoning)
        {
            usage.write_twice();
        }
        if answer.quirks.has(Quirk::OpenaiInputIncludesCached) && answer.model.family == "gpt" {
            usage.include_cached();
        }
        usage
    }

    /// Counts what was written to the cache twice, in the total too.
    fn write_twice(&mut self) {
        let Some(written) = self.cache_write_input_tokens else { return };
        self.total_tokens += written;
        self.cache_write_input_tokens = Some(2 * written);
        self.cache_write_input_token_count = Some(2 * written);
        for detail in self.cache_details.iter_mut().flatten() {
            detail.input_tokens *= 2;
        }
    }

    /// Counts what the cache held among the plain input, and so in the total once more.
    fn include_cached(&mut self) {
        let read = self.cache_read_input_tokens.unwrap_or_default();
        let cached = read + self.cache_write_input_tokens.unwrap_or_default();
        self.input_tokens += cached;
        self.total_tokens += cached;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use spanproof_schemas::speed::Speed;

    use super::*;
    use crate::cache::PromptCache;
    use crate::model;
    use crate::quirk::Quirks;
    use crate::turn::{CacheTtl, Reasoning, Turn};

    /// The usage of a stream by `model` that thinks and writes to the prompt cache, and then reads
    /// from it.
    fn streamed(model: &str, quirk: Option<Quirk>) -> [ConverseUsage; 2] {
        let model = model::resolve(model).unwrap();
        let cache = PromptCache::new(Speed::Max);
        [(), ()].map(|()| {
            let mut turn = Turn::new();
            turn.begin_message("user");
            turn.add_text(&"harbour ".repeat(2_000));
            turn.add_cache_point(CacheTtl::FiveMinutes);
            turn.reasoning = Some(Reasoning { budget_tokens: 1_024, redacted: false });
            let division = cache.charge(model, &turn, None);
            let mut answer = Answer::compose(1, "SPMC", model, turn, division);
            answer.quirks = Quirks::of(&quirk.into_iter().collect::<BTreeSet<_>>());
            ConverseUsage::streamed(&answer)
        })
    }

    #[test]
    fn a_stream_that_thinks_may_count_cache_writes_twice() {
        let model = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
        let [plain, _] = streamed(model, None);
        let [odd, read] = streamed(model, Some(Quirk::ThinkingCacheWriteTwice));
        let written = plain.cache_write_input_tokens.unwrap();
        assert!(written > 0);
        assert_eq!(odd.cache_write_input_tokens, Some(2 * written));
        assert_eq!(odd.total_tokens, plain.total_tokens + written);
        assert_eq!(read.cache_write_input_tokens, Some(0));
    }

    #[test]
    fn a_stream_of_gpt_may_count_what_the_cache_held_twice() {
        let quirk = Some(Quirk::OpenaiInputIncludesCached);
        let plain = streamed("us.openai.gpt-5.6-sol", None);
        let odd = streamed("us.openai.gpt-5.6-sol", quirk);
        for (plain, odd) in plain.iter().zip(&odd) {
            let cached = plain.cache_read_input_tokens.unwrap_or_default()
                + plain.cache_write_input_tokens.unwrap_or_default();
            assert!(cached > 0);
            assert_eq!(odd.input_tokens, plain.input_tokens + cached);
            assert_eq!(odd.total_tokens, plain.total_tokens + cached);
            assert_eq!(odd.cache_read_input_tokens, plain.cache_read_input_tokens);
            assert_eq!(odd.cache_write_input_tokens, plain.cache_write_input_tokens);
        }
        let claude = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
        let [plain, odd] = [None, quirk].map(|quirk| streamed(claude, quirk)[1].total_tokens);
        assert_eq!(plain, odd);
    }
}

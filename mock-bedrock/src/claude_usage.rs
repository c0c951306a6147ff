//! What Claude's native answers state of their tokens.

use serde::Serialize;

use crate::answer::{Answer, Block, Stop};
use crate::model::Model;
use crate::quirk::Quirk;
use crate::turn::CacheTtl;

/// `input_tokens` leaves cached tokens out. Models without a prompt cache have no cache members.
#[derive(Serialize)]
pub(crate) struct Usage {
    input_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<CacheCreation>,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_tool_use: Option<ServerToolUse>,
}

#[derive(Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

impl OutputDetails {
    fn of(answer: &Answer) -> Option<Self> {
        let thinking_tokens = answer.usage.reasoning_output_tokens;
        states_details(answer.model).then_some(OutputDetails { thinking_tokens })
    }
}

#[derive(Serialize)]
struct ServerToolUse {
    web_search_requests: usize,
}

impl ServerToolUse {
    fn of(answer: &Answer) -> Option<Self> {
        let is_search = |block: &&Block| matches!(block, Block::ServerTool { .. });
        let web_search_requests = answer.blocks.iter().filter(is_search).count();
        (web_search_requests > 0).then_some(ServerToolUse { web_search_requests })
    }
}

impl Usage {
    pub(crate) fn of(answer: &Answer, output_tokens: u64) -> Self {
        let usage = answer.usage;
        let caches = answer.model.cache_minimum_tokens > 0;
        let written = usage.cache_write_input_tokens;
        let (five_minutes, one_hour) = match answer.cache.ttl {
            CacheTtl::FiveMinutes => (written, 0),
            CacheTtl::OneHour => (0, written),
        };
        let is_whole = output_tokens == usage.output_tokens;
        Usage {
            input_tokens: usage.input_tokens,
            cache_creation_input_tokens: caches.then_some(written),
            cache_read_input_tokens: caches.then_some(usage.cache_read_input_tokens),
            cache_creation: caches.then_some(CacheCreation {
                ephemeral_5m_input_tokens: five_minutes,
                ephemeral_1h_input_tokens: one_hour,
            }),
            output_tokens,
            output_tokens_details: OutputDetails::of(answer).filter(|_| is_whole),
            service_tier: states_details(answer.model).then_some("standard"),
            server_tool_use: ServerToolUse::of(answer).filter(|_| is_whole),
        }
    }
}

/// What the end of a stream states of its output.
#[derive(Serialize)]
pub(crate) struct OutputUsage {
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_tool_use: Option<ServerToolUse>,
}

impl OutputUsage {
    pub(crate) fn of(answer: &Answer) -> Self {
        let mut output_tokens = answer.usage.output_tokens;
        if answer.quirks.has(Quirk::ClaudeToolStreamUsage)
            && answer.stop == Stop::ToolUse
            && answer.model.id.contains("claude-3-5")
        {
            // In the recorded proportion.
            output_tokens = (output_tokens * 133).div_ceil(97);
        }
        OutputUsage {
            output_tokens,
            output_tokens_details: OutputDetails::of(answer),
            server_tool_use: ServerToolUse::of(answer),
        }
    }
}

/// Whether answers detail their output tokens and their stop: recorded first of Opus 4.8.
pub(crate) fn states_details(model: &Model) -> bool {
    let older = ["-20", "-4-6", "-4-7"];
    !older.iter().any(|part| model.id.contains(part))
}

//! The native body of Claude's answers, and the events of its stream.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::{Answer, Block, Stop};
use crate::families::InvocationMetrics;
use crate::identifier;
use crate::model::Model;
use crate::quirk::Quirk;
use crate::turn::CacheTtl;
use crate::wire::raw;

/// A message, whole or as a stream begins it.
#[derive(Serialize)]
pub(crate) struct Message<'a> {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: &'static str,
    content: Vec<Content<'a>>,
    stop_reason: Option<&'a str>,
    stop_sequence: Option<&'a str>,
    /// Null, where the model's answers have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_details: Option<Value>,
    usage: Usage,
}

impl<'a> Message<'a> {
    /// A whole message.
    pub(crate) fn whole(
        answer: &'a Answer,
        content: Vec<Content<'a>>,
        stop_reason: &'a str,
    ) -> Self {
        Message {
            content,
            stop_reason: Some(stop_reason),
            stop_sequence: answer.stop.sequence(),
            ..Message::begun(answer, answer.usage.output_tokens)
        }
    }

    /// A message without content, of which so many tokens have been generated.
    pub(crate) fn begun(answer: &Answer, output_tokens: u64) -> Self {
        Message {
            id: identifier::claude_message(answer),
            r#type: "message",
            role: "assistant",
            model: answer.model.bare_name(),
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            stop_details: states_details(answer.model).then_some(Value::Null),
            usage: Usage::of(answer, output_tokens),
        }
    }
}

/// Whether answers detail their output tokens and their stop: recorded first of Opus 4.8.
fn states_details(model: &Model) -> bool {
    let older = ["-20", "-4-6", "-4-7"];
    !older.iter().any(|part| model.id.contains(part))
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Content<'a> {
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        citations: Option<Vec<Citation<'a>>>,
    },
    ToolUse {
        id: String,
        name: &'a str,
        input: &'a RawValue,
    },
    ServerToolUse {
        id: String,
        name: &'a str,
        input: &'a RawValue,
    },
    WebSearchToolResult {
        tool_use_id: String,
        content: Vec<Page>,
    },
}

impl<'a> Content<'a> {
    /// The content of block number `number`, added to `content`: that of a tool that runs beside the
    /// model is its use and its result.
    pub(crate) fn add(
        answer: &Answer,
        number: usize,
        block: &'a Block,
        content: &mut Vec<Content<'a>>,
    ) {
        match block {
            Block::Reasoning { text, signature } => {
                content.push(Content::Thinking { thinking: text, signature });
            }
            Block::Redacted { data, .. } => content.push(Content::RedactedThinking { data }),
            Block::Text(text) => content.push(Content::Text { text, citations: None }),
            Block::Cited { text, title, url } => {
                let citations = Some(vec![Citation::of(text, title, url)]);
                content.push(Content::Text { text, citations });
            }
            Block::ToolUse { name, input } => {
                let id = identifier::claude_tool_use(answer, number);
                content.push(Content::ToolUse { id, name, input: raw(input) });
            }
            Block::ServerTool { name, input, result } => {
                let id = identifier::claude_server_tool_use(answer, number);
                content.push(Content::ServerToolUse { id: id.clone(), name, input: raw(input) });
                content.push(Content::WebSearchToolResult {
                    tool_use_id: id,
                    content: Page::all(result),
                });
            }
            Block::Vector { .. } | Block::Ranked { .. } => {}
        }
    }
}

/// A page that a search found.
#[derive(Serialize)]
pub(crate) struct Page {
    r#type: &'static str,
    title: String,
    url: String,
    encrypted_content: &'static str,
    page_age: Option<String>,
}

impl Page {
    fn all(result: &str) -> Vec<Page> {
        let result: Value = serde_json::from_str(result).unwrap_or_default();
        let text = |page: &Value, key: &str| page[key].as_str().unwrap_or_default().to_owned();
        let pages = result["results"].as_array().map_or(&[][..], Vec::as_slice);
        pages
            .iter()
            .map(|page| Page {
                r#type: "web_search_result",
                title: text(page, "title"),
                url: text(page, "url"),
                encrypted_content: "",
                page_age: None,
            })
            .collect()
    }
}

/// Where a text comes from.
#[derive(Serialize)]
pub(crate) struct Citation<'a> {
    r#type: &'static str,
    cited_text: &'a str,
    url: &'a str,
    title: &'a str,
    encrypted_index: &'static str,
}

impl<'a> Citation<'a> {
    pub(crate) fn of(cited_text: &'a str, title: &'a str, url: &'a str) -> Self {
        let r#type = "web_search_result_location";
        Citation { r#type, cited_text, url, title, encrypted_index: "" }
    }
}

/// `input_tokens` leaves cached tokens out. Models without a prompt cache have no cache members.
#[derive(Serialize)]
struct Usage {
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
    fn of(answer: &Answer, output_tokens: u64) -> Self {
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

/// An event of a stream.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    MessageStart {
        message: Message<'a>,
    },
    ContentBlockStart {
        index: usize,
        content_block: Content<'a>,
    },
    ContentBlockDelta {
        index: usize,
        delta: Delta<'a>,
    },
    ContentBlockStop {
        index: usize,
    },
    MessageDelta {
        delta: Ending<'a>,
        usage: OutputUsage,
    },
    MessageStop {
        #[serde(
            rename = "amazon-bedrock-invocationMetrics",
            skip_serializing_if = "Option::is_none"
        )]
        metrics: Option<InvocationMetrics>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type")]
pub(crate) enum Delta<'a> {
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "citations_delta")]
    Citations { citation: Citation<'a> },
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
}

#[derive(Serialize)]
pub(crate) struct Ending<'a> {
    pub(crate) stop_reason: &'a str,
    pub(crate) stop_sequence: Option<&'a str>,
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

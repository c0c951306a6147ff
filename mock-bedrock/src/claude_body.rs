//! The native body of Claude's answers, and the events of its stream.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::{Answer, Block};
use crate::claude_usage::{OutputUsage, Usage, states_details};
use crate::families::InvocationMetrics;
use crate::identifier;
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
        content: Vec<SearchResult>,
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
                    content: SearchResult::all(result),
                });
            }
            Block::Vector { .. } | Block::Ranked { .. } => {}
        }
    }
}

/// A page that a search found.
#[derive(Serialize)]
pub(crate) struct SearchResult {
    r#type: &'static str,
    title: String,
    url: String,
    encrypted_content: &'static str,
    page_age: Option<String>,
}

impl SearchResult {
    fn all(result: &str) -> Vec<SearchResult> {
        let result: Value = serde_json::from_str(result).unwrap_or_default();
        let text = |page: &Value, key: &str| page[key].as_str().unwrap_or_default().to_owned();
        let pages = result["results"].as_array().map_or(&[][..], Vec::as_slice);
        pages
            .iter()
            .map(|page| SearchResult {
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

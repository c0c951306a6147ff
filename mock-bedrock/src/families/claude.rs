//! Anthropic Claude: the messages body.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Chunks, Family, InvocationMetrics};
use crate::answer::{Answer, Block, Stop};
use crate::claude_request;
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::identifier;
use crate::model::Model;
use crate::operations::Stated;
use crate::script::deltas;
use crate::turn::Turn;
use crate::wire::{self, raw};

/// `anthropic.claude-*`
pub(crate) struct Claude;

impl Family for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn read(&self, body: &[u8], _: &Model) -> Result<Turn, ServiceError> {
        claude_request::read(body)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        wire::json(&Message {
            content: answer.blocks.iter().enumerate().filter_map(content(answer)).collect(),
            stop_reason: Some(self.stop_word(&answer.stop)),
            stop_sequence: answer.stop.sequence(),
            ..Message::begun(answer, Usage::of(answer, answer.usage.output_tokens))
        })
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        let first_tokens = answer.usage.output_tokens.min(1);
        chunks.add(&Event::MessageStart {
            message: Message::begun(answer, Usage::of(answer, first_tokens)),
        });
        for (index, block) in answer.blocks.iter().enumerate() {
            stream_block(answer, index, block, chunks);
        }
        chunks.finish();
        chunks.add(&Event::MessageDelta {
            delta: Ending {
                stop_reason: self.stop_word(&answer.stop),
                stop_sequence: answer.stop.sequence(),
            },
            usage: OutputUsage { output_tokens: answer.usage.output_tokens },
        });
        chunks.add(&Event::MessageStop { metrics: chunks.metrics() });
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        match stop {
            Stop::ContentFiltered => "refusal",
            other => other.as_str(),
        }
    }

    fn stated(&self, answer: &Answer) -> Stated {
        Stated {
            response_id: Some(identifier::claude_message(answer)),
            response_model: Some(answer.model.bare_name().to_owned()),
        }
    }
}

fn stream_block(answer: &Answer, index: usize, block: &Block, chunks: &mut Chunks<'_>) {
    let mut pieces = draw::generator(answer.key, Purpose::Deltas);
    match block {
        Block::Reasoning { text, signature } => {
            let content_block = Content::Thinking { thinking: "", signature: "" };
            chunks.add(&Event::ContentBlockStart { index, content_block });
            for thinking in deltas(text, &mut pieces) {
                chunks.advance(thinking);
                let delta = Delta::ThinkingDelta { thinking };
                chunks.add(&Event::ContentBlockDelta { index, delta });
            }
            let delta = Delta::SignatureDelta { signature };
            chunks.add(&Event::ContentBlockDelta { index, delta });
        }
        Block::Redacted { data, chars } => {
            chunks.advance_chars(*chars);
            let content_block = Content::RedactedThinking { data };
            chunks.add(&Event::ContentBlockStart { index, content_block });
        }
        Block::Text(text) | Block::Cited { text, .. } => {
            let content_block = Content::Text { text: "" };
            chunks.add(&Event::ContentBlockStart { index, content_block });
            for text in deltas(text, &mut pieces) {
                chunks.advance(text);
                chunks.add(&Event::ContentBlockDelta { index, delta: Delta::TextDelta { text } });
            }
        }
        Block::ToolUse { name, input } => {
            let id = identifier::claude_tool_use(answer, index);
            let content_block = Content::ToolUse { id, name, input: raw("{}") };
            chunks.add(&Event::ContentBlockStart { index, content_block });
            let delta = Delta::InputJsonDelta { partial_json: "" };
            chunks.add(&Event::ContentBlockDelta { index, delta });
            for partial_json in deltas(input, &mut pieces) {
                chunks.advance(partial_json);
                let delta = Delta::InputJsonDelta { partial_json };
                chunks.add(&Event::ContentBlockDelta { index, delta });
            }
        }
        Block::ServerTool { .. } | Block::Vector { .. } | Block::Ranked { .. } => return,
    }
    chunks.add(&Event::ContentBlockStop { index });
}

fn content<'a>(answer: &Answer) -> impl Fn((usize, &'a Block)) -> Option<Content<'a>> {
    move |(index, block)| match block {
        Block::Reasoning { text, signature } => {
            Some(Content::Thinking { thinking: text, signature })
        }
        Block::Redacted { data, .. } => Some(Content::RedactedThinking { data }),
        Block::Text(text) | Block::Cited { text, .. } => Some(Content::Text { text }),
        Block::ToolUse { name, input } => {
            let id = identifier::claude_tool_use(answer, index);
            Some(Content::ToolUse { id, name, input: raw(input) })
        }
        Block::ServerTool { .. } | Block::Vector { .. } | Block::Ranked { .. } => None,
    }
}

#[derive(Serialize)]
struct Message<'a> {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: &'static str,
    content: Vec<Content<'a>>,
    stop_reason: Option<&'a str>,
    stop_sequence: Option<&'a str>,
    usage: Usage,
}

impl Message<'_> {
    fn begun(answer: &Answer, usage: Usage) -> Self {
        Message {
            id: identifier::claude_message(answer),
            r#type: "message",
            role: "assistant",
            model: answer.model.bare_name(),
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage,
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Content<'a> {
    Thinking { thinking: &'a str, signature: &'a str },
    RedactedThinking { data: &'a str },
    Text { text: &'a str },
    ToolUse { id: String, name: &'a str, input: &'a RawValue },
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
}

#[derive(Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

impl Usage {
    fn of(answer: &Answer, output_tokens: u64) -> Self {
        let usage = answer.usage;
        let caches = answer.model.cache_minimum_tokens > 0;
        let written = usage.cache_write_input_tokens;
        let (five_minutes, one_hour) = match answer.cache.ttl {
            crate::turn::CacheTtl::FiveMinutes => (written, 0),
            crate::turn::CacheTtl::OneHour => (0, written),
        };
        Usage {
            input_tokens: usage.input_tokens,
            cache_creation_input_tokens: caches.then_some(written),
            cache_read_input_tokens: caches.then_some(usage.cache_read_input_tokens),
            cache_creation: caches.then_some(CacheCreation {
                ephemeral_5m_input_tokens: five_minutes,
                ephemeral_1h_input_tokens: one_hour,
            }),
            output_tokens,
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
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
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta<'a> {
    ThinkingDelta { thinking: &'a str },
    SignatureDelta { signature: &'a str },
    TextDelta { text: &'a str },
    InputJsonDelta { partial_json: &'a str },
}

#[derive(Serialize)]
struct Ending<'a> {
    stop_reason: &'a str,
    stop_sequence: Option<&'a str>,
}

#[derive(Serialize)]
struct OutputUsage {
    output_tokens: u64,
}

//! Amazon Nova: a body like Converse's, and chunks that are wrapped in the event's name.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Chunks, Family, InvocationMetrics};
use crate::answer::{Answer, Block};
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::identifier;
use crate::messages;
use crate::model::Model;
use crate::reasoning;
use crate::script::deltas;
use crate::turn::Turn;
use crate::wire::{self, Text, raw};

/// `amazon.nova-*`
pub(crate) struct Nova;

impl Family for Nova {
    fn name(&self) -> &'static str {
        "nova"
    }

    fn fragments_tool_input(&self) -> bool {
        false
    }

    /// Its reasoning has no signature in what was seen of it; its native form was not recorded.
    fn signs_reasoning(&self) -> bool {
        false
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let mut turn = messages::read(body)?;
        let fields = std::mem::take(&mut turn.reasoning_fields);
        reasoning::read(&fields, model, &mut turn)?;
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        let content = answer.blocks.iter().enumerate().filter_map(content(answer)).collect();
        wire::json(&Body {
            output: Output { message: Message { content, role: "assistant" } },
            stop_reason: answer.stop.as_str(),
            usage: Usage::of(answer, Some(answer.usage.total_tokens())),
        })
    }

    /// Each delta of text has a block of its own.
    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        chunks.add(&Event::MessageStart { role: "assistant" });
        let mut index = 0;
        for (block_number, block) in answer.blocks.iter().enumerate() {
            match block {
                Block::Text(text) | Block::Cited { text, .. } => {
                    let mut pieces = draw::generator(answer.key, Purpose::Deltas);
                    for text in answer.pieces(self.pieces(), text, &mut pieces) {
                        chunks.advance(text);
                        let delta = Delta::Text(Text { text });
                        chunks.add(&Event::ContentBlockDelta { delta, index });
                        chunks.add(&Event::ContentBlockStop { index });
                        index += 1;
                    }
                }
                Block::Reasoning { text, .. } => {
                    let mut pieces = draw::generator(answer.key, Purpose::Deltas);
                    for text in deltas(text, &mut pieces) {
                        chunks.advance(text);
                        let delta = Delta::Reasoning { reasoning: Text { text } };
                        chunks.add(&Event::ContentBlockDelta { delta, index });
                    }
                    chunks.add(&Event::ContentBlockStop { index });
                    index += 1;
                }
                Block::ToolUse { name, input } => {
                    let tool_use_id = identifier::nova_tool_use(answer, block_number);
                    let start = Start { tool_use: ToolStart { tool_use_id, name } };
                    chunks.add(&Event::ContentBlockStart { start, index });
                    chunks.advance(input);
                    let delta = Delta::ToolUse { tool_use: Input { input } };
                    chunks.add(&Event::ContentBlockDelta { delta, index });
                    chunks.add(&Event::ContentBlockStop { index });
                    index += 1;
                }
                _ => {}
            }
        }
        chunks.finish();
        chunks.add(&Event::MessageStop { stop_reason: answer.stop.as_str() });
        chunks.tell_usage();
        if answer.states_usage {
            chunks.add(&Last {
                metadata: Metadata {
                    usage: Usage::of(answer, None),
                    metrics: Empty {},
                    trace: Empty {},
                },
                metrics: InvocationMetrics::of(answer),
            });
        }
    }
}

fn content<'a>(answer: &Answer) -> impl Fn((usize, &'a Block)) -> Option<Content<'a>> {
    move |(block_number, block)| match block {
        Block::Text(text) | Block::Cited { text, .. } => Some(Content::Text(Text { text })),
        Block::Reasoning { text, .. } => {
            let reasoning = Reasoned { text: Text { text } };
            Some(Content::Reasoning { reasoning })
        }
        Block::ToolUse { name, input } => {
            let id = identifier::nova_tool_use(answer, block_number);
            Some(Content::ToolUse { tool_use: ToolUse { name, id, input: raw(input) } })
        }
        _ => None,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    output: Output<'a>,
    stop_reason: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Output<'a> {
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    content: Vec<Content<'a>>,
    role: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(Text<'a>),
    Reasoning {
        #[serde(rename = "reasoningContent")]
        reasoning: Reasoned<'a>,
    },
    ToolUse {
        #[serde(rename = "toolUse")]
        tool_use: ToolUse<'a>,
    },
}

#[derive(Serialize)]
struct Reasoned<'a> {
    #[serde(rename = "reasoningText")]
    text: Text<'a>,
}

#[derive(Serialize)]
struct ToolUse<'a> {
    name: &'a str,
    #[serde(rename = "toolUseId")]
    id: String,
    input: &'a RawValue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_tokens: Option<u64>,
    cache_read_input_token_count: u64,
    cache_write_input_token_count: u64,
}

impl Usage {
    /// `total_tokens` is stated by buffered answers only.
    fn of(answer: &Answer, total_tokens: Option<u64>) -> Self {
        Usage {
            input_tokens: answer.usage.input_tokens,
            output_tokens: answer.usage.output_tokens,
            total_tokens,
            cache_read_input_token_count: answer.usage.cache_read_input_tokens,
            cache_write_input_token_count: answer.usage.cache_write_input_tokens,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Event<'a> {
    MessageStart {
        role: &'static str,
    },
    ContentBlockStart {
        start: Start<'a>,
        #[serde(rename = "contentBlockIndex")]
        index: usize,
    },
    ContentBlockDelta {
        delta: Delta<'a>,
        #[serde(rename = "contentBlockIndex")]
        index: usize,
    },
    ContentBlockStop {
        #[serde(rename = "contentBlockIndex")]
        index: usize,
    },
    MessageStop {
        stop_reason: &'a str,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    tool_use: ToolStart<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolStart<'a> {
    tool_use_id: String,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Delta<'a> {
    Text(Text<'a>),
    Reasoning {
        #[serde(rename = "reasoningContent")]
        reasoning: Text<'a>,
    },
    ToolUse {
        #[serde(rename = "toolUse")]
        tool_use: Input<'a>,
    },
}

#[derive(Serialize)]
struct Input<'a> {
    input: &'a str,
}

/// The last chunk.
#[derive(Serialize)]
struct Last {
    metadata: Metadata,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: InvocationMetrics,
}

#[derive(Serialize)]
struct Metadata {
    usage: Usage,
    metrics: Empty,
    trace: Empty,
}

/// `{}`.
#[derive(Serialize)]
struct Empty {}

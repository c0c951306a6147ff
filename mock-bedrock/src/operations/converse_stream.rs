//! ConverseStream: flat events, each with its padding, members in alphabetical order.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::value::RawValue;
use spanproof_schemas::ledger;

use super::converse::{AdditionalFields, Converse, additional_fields};
use super::{Operation, Written, WrittenBody};
use crate::answer::{Answer, Block};
use crate::converse_usage::ConverseUsage;
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::event_stream::padding;
use crate::families::Family;
use crate::identifier;
use crate::model::Model;
use crate::script::{Script, deltas};
use crate::turn::Turn;
use crate::wire::{Text, json_into};

/// `POST /model/{modelId}/converse-stream`
pub(crate) struct ConverseStream;

impl Operation for ConverseStream {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::ConverseStream
    }

    fn segment(&self) -> &'static str {
        "converse-stream"
    }

    fn read(&self, family: &dyn Family, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        Converse.read(family, body, model)
    }

    fn write(&self, family: &dyn Family, answer: &Answer) -> Written {
        let mut writer = Writer {
            script: Script::default(),
            padding: draw::generator(answer.key, Purpose::Padding),
            payload: Vec::with_capacity(256),
            chars: 0,
            due: answer.timing.first,
        };
        writer.event("messageStart", |p| MessageStart { p, role: "assistant" });
        for (index, block) in answer.blocks.iter().enumerate() {
            writer.block(family, answer, index, block);
        }
        writer.due = answer.timing.total;
        writer.event("messageStop", |p| MessageStop {
            additional_model_response_fields: additional_fields(answer),
            p,
            stop_reason: answer.stop.as_str(),
        });
        if answer.states_usage {
            writer.event("metadata", |p| Metadata {
                metrics: Metrics { latency_ms: answer.timing.total_ms() },
                p,
                performance_config: answer.echo.performance_config.as_deref(),
                service_tier: answer.echo.service_tier.as_deref(),
                usage: ConverseUsage::streamed(answer),
            });
        }
        Written { headers: Vec::new(), body: WrittenBody::Stream(writer.script) }
    }
}

struct Writer {
    script: Script,
    padding: ChaCha8Rng,
    payload: Vec<u8>,
    chars: usize,
    due: Duration,
}

impl Writer {
    /// Only a tool's block announces itself: a text block begins with its first delta, and clients
    /// reject a start for it.
    fn block(&mut self, family: &dyn Family, answer: &Answer, index: usize, block: &Block) {
        match block {
            Block::Text(text) => {
                let mut pieces = draw::generator(answer.key, Purpose::Deltas);
                for text in deltas(text, &mut pieces) {
                    self.advance(answer, text);
                    self.delta(index, Delta::Text(Text { text }));
                }
            }
            Block::ToolUse { name, input } => {
                let tool_use_id = identifier::converse_tool_use(answer);
                self.event("contentBlockStart", |p| BlockStart {
                    content_block_index: index,
                    p,
                    start: Start { tool_use: ToolStart { name, tool_use_id: &tool_use_id } },
                });
                if family.fragments_tool_input() {
                    self.delta(index, Delta::ToolUse { tool_use: Input { input: "" } });
                    let mut pieces = draw::generator(answer.key, Purpose::Deltas);
                    for input in deltas(input, &mut pieces) {
                        self.advance(answer, input);
                        self.delta(index, Delta::ToolUse { tool_use: Input { input } });
                    }
                } else {
                    self.advance(answer, input);
                    self.delta(index, Delta::ToolUse { tool_use: Input { input } });
                }
            }
            Block::Vector { .. } => return,
        }
        self.event("contentBlockStop", |p| BlockStop { content_block_index: index, p });
    }

    fn advance(&mut self, answer: &Answer, generated: &str) {
        self.chars += generated.chars().count();
        self.due = answer.timing.at(self.chars);
    }

    fn delta(&mut self, index: usize, delta: Delta<'_>) {
        self.event("contentBlockDelta", |p| BlockDelta { content_block_index: index, delta, p });
    }

    fn event<T: Serialize>(&mut self, name: &str, payload: impl FnOnce(&'static str) -> T) {
        json_into(&mut self.payload, &payload(padding(&mut self.padding)));
        self.script.event(name, &self.payload, self.due, self.chars);
    }
}

#[derive(Serialize)]
struct MessageStart {
    p: &'static str,
    role: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockStart<'a> {
    content_block_index: usize,
    p: &'static str,
    start: Start<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    tool_use: ToolStart<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolStart<'a> {
    name: &'a str,
    tool_use_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockDelta<'a> {
    content_block_index: usize,
    delta: Delta<'a>,
    p: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Delta<'a> {
    Text(Text<'a>),
    ToolUse {
        #[serde(rename = "toolUse")]
        tool_use: Input<'a>,
    },
}

#[derive(Serialize)]
struct Input<'a> {
    input: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockStop {
    content_block_index: usize,
    p: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_model_response_fields: Option<AdditionalFields<'a>>,
    p: &'static str,
    stop_reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    metrics: Metrics,
    p: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    performance_config: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a RawValue>,
    usage: ConverseUsage,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    latency_ms: u64,
}

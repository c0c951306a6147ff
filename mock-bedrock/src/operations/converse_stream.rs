//! ConverseStream: flat events, each with its padding, members in alphabetical order.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use spanproof_schemas::ledger;

use super::converse::{
    AdditionalFields, Citation, Json, SERVER_TOOL_USE, additional_fields, server_tool_result,
    tool_use,
};
use super::{Operation, Written};
use crate::answer::{Answer, Block};
use crate::asked::Asked;
use crate::converse_support;
use crate::converse_usage::ConverseUsage;
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::event_stream::padding;
use crate::families::Family;
use crate::identifier;
use crate::inference::{self, Shape};
use crate::model::Model;
use crate::route::Route;
use crate::script::{Role, Script, deltas};
use crate::turn::Turn;
use crate::wire::{json_into, raw};

/// `POST /model/{modelId}/converse-stream`
pub(crate) struct ConverseStream;

impl Operation for ConverseStream {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::ConverseStream
    }

    fn route(&self) -> Route {
        Route::post("/model/{modelId}/converse-stream")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        inference::answer(self, asked)
    }
}

impl Shape for ConverseStream {
    fn task(&self, _: &dyn Family) -> ledger::Task {
        ledger::Task::Chat
    }

    fn read(&self, family: &dyn Family, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        converse_support::read(family, body, model, true)
    }

    fn write(&self, family: &dyn Family, answer: &Answer) -> Written {
        let mut writer = Writer {
            script: Script::default(),
            padding: draw::generator(answer.key, Purpose::Padding),
            payload: Vec::with_capacity(256),
            chars: 0,
            due: answer.timing.first,
            index: 0,
        };
        writer.event("messageStart", |p| MessageStart { p, role: "assistant" });
        if family.opens_with_empty_text() {
            writer.delta(Delta::Text(""));
            writer.stop();
        }
        for (number, block) in answer.blocks.iter().enumerate() {
            writer.block(family, answer, number, block);
        }
        writer.due = answer.timing.total;
        writer.script.enter(Role::Stop);
        writer.event("messageStop", |p| MessageStop {
            additional_model_response_fields: additional_fields(answer),
            p,
            stop_reason: answer.stop.as_str(),
        });
        writer.script.enter(Role::Usage);
        if answer.states_usage {
            writer.event("metadata", |p| Metadata {
                metrics: Metrics { latency_ms: answer.timing.total_ms() },
                p,
                performance_config: answer.echo.performance_config.as_deref(),
                service_tier: answer.echo.service_tier.as_deref(),
                trace: answer.guardrail.as_ref().and_then(|told| told.trace()),
                usage: ConverseUsage::streamed(answer),
            });
        }
        Written::stream(answer, writer.script)
    }
}

struct Writer {
    script: Script,
    padding: ChaCha8Rng,
    payload: Vec<u8>,
    chars: usize,
    due: Duration,
    /// The index of the block that is being written.
    index: usize,
}

impl Writer {
    /// Only the blocks of tools announce themselves: a text block begins with its first delta, and
    /// clients reject a start for it. `number` counts the answer's blocks, some of which take
    /// several of the stream's.
    fn block(&mut self, family: &dyn Family, answer: &Answer, number: usize, block: &Block) {
        let mut pieces = draw::generator(answer.key, Purpose::Deltas);
        match block {
            Block::Reasoning { text, signature } => {
                for text in family.pieces().of(text, answer.model, &mut pieces) {
                    self.advance(answer, text);
                    self.delta(Delta::Reasoning(Reasoning::Text(text)));
                }
                if family.signs_reasoning() {
                    self.delta(Delta::Reasoning(Reasoning::Signature(signature)));
                }
            }
            Block::Redacted { data, chars } => {
                self.advance_chars(answer, *chars);
                self.delta(Delta::Reasoning(Reasoning::RedactedContent(data)));
            }
            Block::Text(text) => self.text(family, answer, text, &mut pieces),
            Block::Cited { text, title, url } => {
                self.delta(Delta::Citation(Citation::of(title, url)));
                self.stop();
                self.text(family, answer, text, &mut pieces);
            }
            Block::ToolUse { name, input } => {
                let tool_use_id = &identifier::converse_tool_use(answer, number);
                let r#type = tool_use(answer);
                self.start(Start::ToolUse(ToolStart { name, tool_use_id, r#type }));
                if family.fragments_tool_input() {
                    self.delta(Delta::ToolUse(Input { input: "" }));
                    for input in deltas(input, &mut pieces) {
                        self.advance(answer, input);
                        self.delta(Delta::ToolUse(Input { input }));
                    }
                } else {
                    self.advance(answer, input);
                    self.delta(Delta::ToolUse(Input { input }));
                }
            }
            Block::ServerTool { name, input, result } => {
                let tool_use_id = &identifier::converse_tool_use(answer, number);
                let r#type = Some(SERVER_TOOL_USE);
                self.start(Start::ToolUse(ToolStart { name, tool_use_id, r#type }));
                self.advance(answer, input);
                self.delta(Delta::ToolUse(Input { input }));
                self.stop();
                let r#type = server_tool_result(name);
                self.start(Start::ToolResult(ResultStart {
                    status: "success",
                    tool_use_id,
                    r#type: &r#type,
                }));
                self.delta(Delta::ToolResult([Json { json: raw(result) }]));
            }
            Block::Vector { .. } | Block::Ranked { .. } => return,
        }
        self.stop();
    }

    fn text(&mut self, family: &dyn Family, answer: &Answer, text: &str, pieces: &mut ChaCha8Rng) {
        for text in answer.pieces(family.pieces(), text, pieces) {
            self.advance(answer, text);
            self.delta(Delta::Text(text));
        }
    }

    fn start(&mut self, start: Start<'_>) {
        let content_block_index = self.index;
        self.event("contentBlockStart", |p| BlockStart { content_block_index, p, start });
    }

    fn stop(&mut self) {
        let content_block_index = self.index;
        self.event("contentBlockStop", |p| BlockStop { content_block_index, p });
        self.index += 1;
    }

    fn advance(&mut self, answer: &Answer, generated: &str) {
        self.advance_chars(answer, generated.chars().count());
    }

    fn advance_chars(&mut self, answer: &Answer, chars: usize) {
        self.chars += chars;
        self.due = answer.timing.at(self.chars);
    }

    fn delta(&mut self, delta: Delta<'_>) {
        let content_block_index = self.index;
        self.event("contentBlockDelta", |p| BlockDelta { content_block_index, delta, p });
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
enum Start<'a> {
    ToolUse(ToolStart<'a>),
    ToolResult(ResultStart<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolStart<'a> {
    name: &'a str,
    tool_use_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultStart<'a> {
    status: &'static str,
    tool_use_id: &'a str,
    r#type: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockDelta<'a> {
    content_block_index: usize,
    delta: Delta<'a>,
    p: &'static str,
}

#[derive(Serialize)]
enum Delta<'a> {
    #[serde(rename = "text")]
    Text(&'a str),
    #[serde(rename = "reasoningContent")]
    Reasoning(Reasoning<'a>),
    #[serde(rename = "citation")]
    Citation(Citation<'a>),
    #[serde(rename = "toolUse")]
    ToolUse(Input<'a>),
    #[serde(rename = "toolResult")]
    ToolResult([Json<'a>; 1]),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Reasoning<'a> {
    Text(&'a str),
    Signature(&'a str),
    RedactedContent(&'a str),
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
    stop_reason: &'a str,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a Value>,
    usage: ConverseUsage,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    latency_ms: u64,
}

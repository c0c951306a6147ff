//! Converse: a whole answer as JSON, its members in alphabetical order.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use spanproof_schemas::ledger;

use super::{Operation, Written};
use crate::answer::{Answer, Block};
use crate::asked::Asked;
use crate::converse_support;
use crate::converse_usage::ConverseUsage;
use crate::error::ServiceError;
use crate::families::Family;
use crate::identifier;
use crate::inference::{self, Shape};
use crate::model::Model;
use crate::quirk::Quirk;
use crate::route::Route;
use crate::turn::Turn;
use crate::wire::{self, Text, raw};

/// `POST /model/{modelId}/converse`
pub(crate) struct Converse;

impl Operation for Converse {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::Converse
    }

    fn route(&self) -> Route {
        Route::post("/model/{modelId}/converse")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        inference::answer(self, asked)
    }
}

impl Shape for Converse {
    fn task(&self, _: &dyn Family) -> ledger::Task {
        ledger::Task::Chat
    }

    fn read(&self, family: &dyn Family, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        converse_support::read(family, body, model, false)
    }

    fn write(&self, family: &dyn Family, answer: &Answer) -> Written {
        let mut content = Vec::with_capacity(answer.blocks.len());
        for (index, block) in answer.blocks.iter().enumerate() {
            add_content(family, answer, index, block, &mut content);
        }
        if family.puts_reasoning_last() {
            content.sort_by_key(|block| matches!(block, Content::Reasoning(_)));
        }
        let body = Body {
            additional_model_response_fields: additional_fields(answer),
            metrics: Metrics { latency_ms: answer.timing.total_ms() },
            output: Output { message: Message { content, role: "assistant" } },
            performance_config: answer.echo.performance_config.as_deref(),
            service_tier: answer.echo.service_tier.as_deref(),
            stop_reason: answer.stop.as_str(),
            trace: answer.guardrail.as_ref().and_then(|told| told.trace()),
            usage: ConverseUsage::buffered(answer),
        };
        Written::whole(answer, wire::json(&body))
    }
}

/// `additionalModelResponseFields`, when the request asked for the one field that models here have.
pub(super) fn additional_fields(answer: &Answer) -> Option<AdditionalFields<'_>> {
    (answer.echo.stop_sequence && answer.model.family == "claude")
        .then(|| AdditionalFields { stop_sequence: answer.stop.sequence() })
}

fn add_content<'a>(
    family: &dyn Family,
    answer: &Answer,
    index: usize,
    block: &'a Block,
    content: &mut Vec<Content<'a>>,
) {
    match block {
        Block::Reasoning { text, signature } => {
            let signature = family.signs_reasoning().then_some(signature.as_str());
            content.push(Content::Reasoning(Reasoning::Text { signature, text }));
        }
        Block::Redacted { data, .. } => content.push(Content::Reasoning(Reasoning::Redacted(data))),
        Block::Text(text) => content.push(Content::Text(text)),
        Block::Cited { text, title, url } => content.push(Content::Citations(Cited {
            citations: [Citation::of(title, url)],
            content: [Text { text }],
        })),
        Block::ToolUse { name, input } => content.push(Content::ToolUse(ToolUse {
            input: raw(input),
            name,
            id: identifier::converse_tool_use(answer, index),
            r#type: tool_use(answer),
        })),
        Block::ServerTool { name, input, result } => {
            let id = identifier::converse_tool_use(answer, index);
            content.push(Content::ToolUse(ToolUse {
                input: raw(input),
                name,
                id: id.clone(),
                r#type: Some(SERVER_TOOL_USE),
            }));
            content.push(Content::ToolResult(ToolResult {
                content: [Json { json: raw(result) }],
                status: "success",
                id,
                r#type: server_tool_result(name),
            }));
        }
        Block::Vector { .. } | Block::Ranked { .. } => {}
    }
}

/// The type of the use of a tool that the client runs: none in the service's model.
pub(super) fn tool_use(answer: &Answer) -> Option<&'static str> {
    answer.quirks.has(Quirk::ConverseToolUseType).then_some("tool_use")
}

/// The type of the use of a tool that the service itself runs.
pub(super) const SERVER_TOOL_USE: &str = "server_tool_use";

/// The type of what such a tool found.
pub(super) fn server_tool_result(name: &str) -> String {
    format!("{name}_result")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_model_response_fields: Option<AdditionalFields<'a>>,
    metrics: Metrics,
    output: Output<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    performance_config: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a RawValue>,
    stop_reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a Value>,
    usage: ConverseUsage,
}

#[derive(Serialize)]
pub(super) struct AdditionalFields<'a> {
    stop_sequence: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    latency_ms: u64,
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
enum Content<'a> {
    #[serde(rename = "text")]
    Text(&'a str),
    #[serde(rename = "reasoningContent")]
    Reasoning(Reasoning<'a>),
    #[serde(rename = "citationsContent")]
    Citations(Cited<'a>),
    #[serde(rename = "toolUse")]
    ToolUse(ToolUse<'a>),
    #[serde(rename = "toolResult")]
    ToolResult(ToolResult<'a>),
}

#[derive(Serialize)]
enum Reasoning<'a> {
    #[serde(rename = "reasoningText")]
    Text {
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<&'a str>,
        text: &'a str,
    },
    #[serde(rename = "redactedContent")]
    Redacted(&'a str),
}

#[derive(Serialize)]
struct Cited<'a> {
    citations: [Citation<'a>; 1],
    content: [Text<'a>; 1],
}

/// A citation of a page of the web.
#[derive(Serialize)]
pub(super) struct Citation<'a> {
    location: Location<'a>,
    title: &'a str,
}

#[derive(Serialize)]
struct Location<'a> {
    web: Web<'a>,
}

#[derive(Serialize)]
struct Web<'a> {
    domain: &'a str,
    url: &'a str,
}

impl<'a> Citation<'a> {
    pub(super) fn of(title: &'a str, url: &'a str) -> Self {
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let domain = host.split('/').next().unwrap_or_default();
        Citation { location: Location { web: Web { domain, url } }, title }
    }
}

#[derive(Serialize)]
struct ToolUse<'a> {
    input: &'a RawValue,
    name: &'a str,
    #[serde(rename = "toolUseId")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
}

#[derive(Serialize)]
struct ToolResult<'a> {
    content: [Json<'a>; 1],
    status: &'static str,
    #[serde(rename = "toolUseId")]
    id: String,
    r#type: String,
}

#[derive(Serialize)]
pub(super) struct Json<'a> {
    pub(super) json: &'a RawValue,
}

//! Converse: a whole answer as JSON, its members in alphabetical order.

use serde::Serialize;
use serde_json::value::RawValue;
use spanproof_schemas::ledger;

use super::{Operation, Written, WrittenBody};
use crate::answer::{Answer, Block};
use crate::converse_usage::ConverseUsage;
use crate::error::ServiceError;
use crate::families::Family;
use crate::identifier;
use crate::messages;
use crate::model::Model;
use crate::turn::Turn;
use crate::wire::{self, Text, raw};

/// `POST /model/{modelId}/converse`
pub(crate) struct Converse;

impl Operation for Converse {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::Converse
    }

    fn segment(&self) -> &'static str {
        "converse"
    }

    fn read(&self, family: &dyn Family, body: &[u8], _: &Model) -> Result<Turn, ServiceError> {
        if family.task() != ledger::Task::Chat {
            return Err(ServiceError::validation(
                "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
            ));
        }
        messages::read(body)
    }

    fn write(&self, _: &dyn Family, answer: &Answer) -> Written {
        let content = answer.blocks.iter().filter_map(|block| content(answer, block)).collect();
        let body = Body {
            additional_model_response_fields: additional_fields(answer),
            metrics: Metrics { latency_ms: answer.timing.total_ms() },
            output: Output { message: Message { content, role: "assistant" } },
            performance_config: answer.echo.performance_config.as_deref(),
            service_tier: answer.echo.service_tier.as_deref(),
            stop_reason: answer.stop.as_str(),
            usage: ConverseUsage::buffered(answer),
        };
        Written { headers: Vec::new(), body: WrittenBody::Whole(wire::json(&body)) }
    }
}

/// `additionalModelResponseFields`, when the request asked for the one field that models here have.
pub(super) fn additional_fields(answer: &Answer) -> Option<AdditionalFields<'_>> {
    (answer.echo.stop_sequence && answer.model.family == "claude")
        .then(|| AdditionalFields { stop_sequence: answer.stop.sequence() })
}

fn content<'a>(answer: &Answer, block: &'a Block) -> Option<Content<'a>> {
    match block {
        Block::Text(text) => Some(Content::Text(Text { text })),
        Block::ToolUse { name, input } => Some(Content::ToolUse {
            tool_use: ToolUse {
                input: raw(input),
                name,
                id: identifier::converse_tool_use(answer),
            },
        }),
        Block::Vector { .. } => None,
    }
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
    stop_reason: &'static str,
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
#[serde(untagged)]
enum Content<'a> {
    Text(Text<'a>),
    ToolUse {
        #[serde(rename = "toolUse")]
        tool_use: ToolUse<'a>,
    },
}

#[derive(Serialize)]
struct ToolUse<'a> {
    input: &'a RawValue,
    name: &'a str,
    #[serde(rename = "toolUseId")]
    id: String,
}

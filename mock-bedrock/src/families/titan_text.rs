//! Amazon Titan text: a prompt in, its continuation out, in one piece even when streamed.

use serde::Serialize;
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family, InvocationMetrics};
use crate::answer::{Answer, Stop};
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::prompt::{self, Names};
use crate::native::schema::{self, Kind, Object, TEXTS, optional, required};
use crate::script::Pieces;
use crate::turn::Turn;
use crate::wire;

/// `amazon.titan-text-*`
pub(crate) struct TitanText;

/// The most tokens when the request names no limit.
const DEFAULT_MAX_TOKENS: u64 = 512;

const BODY: Object = Object {
    fields: &[
        required("inputText", Kind::Text(1)),
        optional("textGenerationConfig", Kind::Object(&CONFIG)),
    ],
    open: false,
};

const CONFIG: Object = Object {
    fields: &[
        optional("maxTokenCount", Kind::Tokens(1)),
        optional("stopSequences", TEXTS),
        optional("temperature", Kind::Number(0.0, 1.0)),
        optional("topP", Kind::Number(0.0, 1.0)),
    ],
    open: false,
};

const NAMES: Names = Names {
    prompt: "inputText",
    max_tokens: "maxTokenCount",
    temperature: "temperature",
    top_p: "topP",
    top_k: "",
    stop_sequences: "stopSequences",
};

impl Family for TitanText {
    fn name(&self) -> &'static str {
        "titan_text"
    }

    fn task(&self) -> Task {
        Task::TextCompletion
    }

    fn pieces(&self) -> Pieces {
        Pieces::Whole
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let body = schema::read(body, &BODY, model.max_output_tokens)?;
        let mut turn = prompt::turn(&body, &NAMES);
        turn.parameters = prompt::parameters(&body["textGenerationConfig"], &NAMES);
        turn.default_max_tokens = Some(DEFAULT_MAX_TOKENS.min(model.max_output_tokens));
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        wire::json(&Body {
            input_text_token_count: answer.usage.input_tokens,
            results: [Generation {
                token_count: answer.usage.output_tokens,
                output_text: &answer.text(),
                completion_reason: self.stop_word(&answer.stop),
            }],
        })
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        let text = answer.text();
        chunks.advance(&text);
        chunks.finish();
        chunks.add(&Chunk {
            output_text: &text,
            index: 0,
            total_output_text_token_count: answer.usage.output_tokens,
            completion_reason: self.stop_word(&answer.stop),
            input_text_token_count: answer.usage.input_tokens,
            metrics: chunks.metrics_at_once(),
        });
    }

    /// `STOP_CRITERIA_MET` and `CONTENT_FILTERED` are documented; the other two were recorded.
    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        match stop {
            Stop::EndTurn => "FINISH",
            Stop::MaxTokens => "LENGTH",
            Stop::Sequence(_) => "STOP_CRITERIA_MET",
            Stop::ContentFiltered | Stop::GuardrailIntervened => "CONTENT_FILTERED",
            other => other.as_str(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    input_text_token_count: u64,
    results: [Generation<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Generation<'a> {
    token_count: u64,
    output_text: &'a str,
    completion_reason: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    output_text: &'a str,
    index: u64,
    total_output_text_token_count: u64,
    completion_reason: &'a str,
    input_text_token_count: u64,
    #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
    metrics: Option<InvocationMetrics>,
}

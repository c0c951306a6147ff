//! Mistral text completion: a prompt in, its continuation out. The body states no usage.

use serde::Serialize;
use serde_json::Value;
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family, InvocationMetrics};
use crate::answer::{Answer, Stop};
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::prompt::{self, Names};
use crate::native::schema::{self, Kind, Object, optional, required};
use crate::script::Pieces;
use crate::turn::Turn;
use crate::wire;

/// `mistral.mistral-7b-*`, `mistral.mixtral-*`, `mistral.mistral-small-2402-*`
pub(crate) struct MistralText;

const BODY: Object = Object {
    fields: &[
        required("prompt", Kind::Text(1)),
        optional("max_tokens", Kind::Tokens(1)),
        optional("stop", Kind::List(&Kind::Text(0), 0, 10)),
        optional("temperature", Kind::Number(0.0, 1.0)),
        optional("top_p", Kind::Number(0.0, 1.0)),
        optional("top_k", Kind::Integer(0, 200)),
    ],
    open: false,
};

const NAMES: Names = Names {
    prompt: "prompt",
    max_tokens: "max_tokens",
    temperature: "temperature",
    top_p: "top_p",
    top_k: "top_k",
    stop_sequences: "stop",
};

impl Family for MistralText {
    fn name(&self) -> &'static str {
        "mistral_text"
    }

    fn task(&self) -> Task {
        Task::TextCompletion
    }

    fn fragments_tool_input(&self) -> bool {
        false
    }

    fn pieces(&self) -> Pieces {
        Pieces::Tokens
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let body: Value = schema::read(body, &BODY, model.max_output_tokens)?;
        let mut turn = prompt::turn(&body, &NAMES);
        turn.default_max_tokens = Some(default_max_tokens(model));
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        let stop_reason = Some(self.stop_word(&answer.stop));
        wire::json(&Body { outputs: [Output { text: &answer.text(), stop_reason }], metrics: None })
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        let text = answer.text();
        let mut draws = draw::generator(answer.key, Purpose::Deltas);
        for text in answer.pieces(self.pieces(), &text, &mut draws) {
            chunks.advance(text);
            chunks.add(&Body { outputs: [Output { text, stop_reason: None }], metrics: None });
        }
        chunks.finish();
        let stop_reason = Some(self.stop_word(&answer.stop));
        chunks
            .add(&Body { outputs: [Output { text: "", stop_reason }], metrics: chunks.metrics() });
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        match stop {
            Stop::EndTurn | Stop::Sequence(_) | Stop::ToolUse => "stop",
            Stop::MaxTokens | Stop::ContextWindowExceeded => "length",
            other => other.as_str(),
        }
    }
}

/// The most tokens when the request names no limit, as the documentation of each model has it.
fn default_max_tokens(model: &Model) -> u64 {
    match model.max_output_tokens {
        limit if model.id.contains("-7b-") || model.id.contains("-8x7b-") => limit.min(512),
        limit => limit,
    }
}

#[derive(Serialize)]
struct Body<'a> {
    outputs: [Output<'a>; 1],
    #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
    metrics: Option<InvocationMetrics>,
}

#[derive(Serialize)]
struct Output<'a> {
    text: &'a str,
    stop_reason: Option<&'a str>,
}

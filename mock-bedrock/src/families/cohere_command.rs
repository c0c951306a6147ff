//! Cohere Command: a prompt in, generations out. It streams only when the body says so too.

use serde::Serialize;
use serde_json::{Value, json};
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family, InvocationMetrics};
use crate::answer::{Answer, Stop};
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::prompt::{self, Names};
use crate::native::schema::{self, Kind, Object, optional, required};
use crate::operations::Stated;
use crate::script::Pieces;
use crate::turn::Turn;
use crate::wire;

/// `cohere.command-text-*`, `cohere.command-light-text-*`
pub(crate) struct CohereCommand;

/// The most tokens when the request names no limit: few, as the documentation has it.
const DEFAULT_MAX_TOKENS: u64 = 20;

const BODY: Object = Object {
    fields: &[
        required("prompt", Kind::Text(1)),
        optional("max_tokens", Kind::Tokens(1)),
        optional("temperature", Kind::Number(0.0, 5.0)),
        optional("p", Kind::Number(0.0, 1.0)),
        optional("k", Kind::Number(0.0, 500.0)),
        optional("stop_sequences", Kind::List(&Kind::Text(0), 0, 4)),
        optional("stream", Kind::Flag),
        optional("return_likelihoods", Kind::Choice(&["GENERATION", "ALL", "NONE"])),
        optional("truncate", Kind::Choice(&["NONE", "START", "END"])),
        optional("logit_bias", Kind::Any),
        // This mock generates one: more are refused as any number beyond the limit is.
        optional("num_generations", Kind::Integer(1, 1)),
    ],
    open: false,
};

const NAMES: Names = Names {
    prompt: "prompt",
    max_tokens: "max_tokens",
    temperature: "temperature",
    top_p: "p",
    top_k: "k",
    stop_sequences: "stop_sequences",
};

impl Family for CohereCommand {
    fn name(&self) -> &'static str {
        "cohere_command"
    }

    fn task(&self) -> Task {
        Task::TextCompletion
    }

    fn pieces(&self) -> Pieces {
        Pieces::Tokens
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let body = schema::read(body, &BODY, model.max_output_tokens)?;
        let mut turn = prompt::turn(&body, &NAMES);
        turn.default_max_tokens = Some(DEFAULT_MAX_TOKENS);
        turn.echo.native = json!({ "prompt": body["prompt"], "stream": body["stream"] == true });
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        wire::json(&self.body(answer, &answer.text(), None))
    }

    /// A request that does not ask for a stream in its body gets the whole object in one chunk.
    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        let text = answer.text();
        if answer.echo.native["stream"] != true {
            chunks.advance(&text);
            chunks.finish();
            let metrics = chunks.metrics_at_once();
            return chunks.add(&self.body(answer, &text, metrics));
        }
        let mut draws = draw::generator(answer.key, Purpose::Deltas);
        for text in answer.pieces(self.pieces(), &text, &mut draws) {
            chunks.advance(text);
            chunks.add(&Piece { index: 0, is_finished: false, text });
        }
        chunks.finish();
        chunks.add(&End {
            finish_reason: self.stop_word(&answer.stop),
            is_finished: true,
            metrics: chunks.metrics(),
        });
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        match stop {
            Stop::EndTurn | Stop::Sequence(_) => "COMPLETE",
            Stop::MaxTokens | Stop::ContextWindowExceeded => "MAX_TOKENS",
            Stop::ContentFiltered | Stop::GuardrailIntervened => "ERROR_TOXIC",
            other => other.as_str(),
        }
    }

    fn stated(&self, answer: &Answer) -> Stated {
        Stated { response_id: Some(answer.request_id.clone()), ..Stated::default() }
    }
}

impl CohereCommand {
    fn body<'a>(
        &self,
        answer: &'a Answer,
        text: &'a str,
        metrics: Option<InvocationMetrics>,
    ) -> Body<'a> {
        Body {
            id: &answer.request_id,
            generations: [Generation {
                id: draw::uuid(answer.key, 1),
                text,
                finish_reason: self.stop_word(&answer.stop),
            }],
            prompt: &answer.echo.native["prompt"],
            metrics,
        }
    }
}

/// A whole answer, whose id is that of the request.
#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    generations: [Generation<'a>; 1],
    prompt: &'a Value,
    #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
    metrics: Option<InvocationMetrics>,
}

#[derive(Serialize)]
struct Generation<'a> {
    id: String,
    text: &'a str,
    finish_reason: &'a str,
}

#[derive(Serialize)]
struct Piece<'a> {
    index: u64,
    is_finished: bool,
    text: &'a str,
}

#[derive(Serialize)]
struct End<'a> {
    finish_reason: &'a str,
    is_finished: bool,
    #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
    metrics: Option<InvocationMetrics>,
}

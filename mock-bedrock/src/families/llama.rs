//! Meta Llama: a prompt in, its continuation out, token by token when streamed.

use serde::Serialize;
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family, InvocationMetrics};
use crate::answer::{Answer, Stop};
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::prompt::{self, Names};
use crate::native::schema::{self, Kind, Object, TEXTS, optional, required};
use crate::operations::Stated;
use crate::script::Pieces;
use crate::turn::Turn;
use crate::wire;

/// `meta.llama*`
pub(crate) struct Llama;

/// The most tokens when the request names no limit.
const DEFAULT_MAX_TOKENS: u64 = 512;

/// It takes no stop sequences: a body with some is refused.
const BODY: Object = Object {
    fields: &[
        required("prompt", Kind::Text(1)),
        optional("max_gen_len", Kind::Tokens(1)),
        optional("temperature", Kind::Number(0.0, 1.0)),
        optional("top_p", Kind::Number(0.0, 1.0)),
        optional("images", TEXTS),
    ],
    open: false,
};

const NAMES: Names = Names {
    prompt: "prompt",
    max_tokens: "max_gen_len",
    temperature: "temperature",
    top_p: "top_p",
    top_k: "",
    stop_sequences: "",
};

impl Family for Llama {
    fn name(&self) -> &'static str {
        "llama"
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
        let body = schema::read(body, &BODY, model.max_output_tokens)?;
        let mut turn = prompt::turn(&body, &NAMES);
        for image in prompt::texts(&body["images"]) {
            turn.add_media(&image);
        }
        turn.default_max_tokens = Some(DEFAULT_MAX_TOKENS);
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        wire::json(&Body {
            generation: &answer.text(),
            prompt_token_count: Some(answer.usage.input_tokens),
            generation_token_count: answer.usage.output_tokens,
            stop_reason: Some(self.stop_word(&answer.stop)),
            metrics: None,
        })
    }

    /// Every chunk is one token. The first states the prompt's tokens; the last holds no text.
    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        let mut prompt_token_count = Some(answer.usage.input_tokens);
        let text = answer.text();
        let mut draws = draw::generator(answer.key, Purpose::Deltas);
        let pieces = answer.pieces(self.pieces(), &text, &mut draws);
        for (generation_token_count, generation) in (1..).zip(pieces) {
            chunks.advance(generation);
            chunks.add(&Body {
                generation,
                prompt_token_count: prompt_token_count.take(),
                generation_token_count,
                stop_reason: None,
                metrics: None,
            });
        }
        chunks.finish();
        chunks.add(&Body {
            generation: "",
            prompt_token_count: prompt_token_count.take(),
            generation_token_count: answer.usage.output_tokens,
            stop_reason: Some(self.stop_word(&answer.stop)),
            metrics: chunks.metrics(),
        });
    }

    fn stated(&self, answer: &Answer) -> Stated {
        let mut draws = draw::generator(answer.key, Purpose::Deltas);
        let text = answer.text();
        let pieces = answer.pieces(self.pieces(), &text, &mut draws).count() as u64;
        Stated { early_output_tokens: Some(pieces), ..Stated::default() }
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        match stop {
            Stop::EndTurn | Stop::Sequence(_) | Stop::ToolUse => "stop",
            Stop::MaxTokens | Stop::ContextWindowExceeded => "length",
            other => other.as_str(),
        }
    }
}

/// A whole answer, or a chunk of one, which states the prompt's tokens and the stop reason as null
/// until they are due.
#[derive(Serialize)]
struct Body<'a> {
    generation: &'a str,
    prompt_token_count: Option<u64>,
    generation_token_count: u64,
    stop_reason: Option<&'a str>,
    #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
    metrics: Option<InvocationMetrics>,
}

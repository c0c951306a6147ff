//! DeepSeek-R1: a prompt in, its continuation out, which begins with what the model thought.
//!
//! The bytes of its native stream were not recorded: its chunks are taken for pieces of the whole
//! answer, as clients read them.

use serde::Serialize;
use serde_json::json;
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family, InvocationMetrics};
use crate::answer::{Answer, Block, Stop};
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::prompt::{self, Names};
use crate::native::schema::{self, Kind, Object, optional, required};
use crate::script::Pieces;
use crate::turn::{Reasoning, Turn};
use crate::wire;

/// `deepseek.r1-*`
pub(crate) struct DeepSeekR1;

const THINK: &str = "<think>";

const BODY: Object = Object {
    fields: &[
        required("prompt", Kind::Text(1)),
        optional("temperature", Kind::Number(0.0, 1.0)),
        optional("top_p", Kind::Number(0.0, 1.0)),
        optional("max_tokens", Kind::Tokens(1)),
        optional("stop", Kind::List(&Kind::Text(0), 0, 10)),
    ],
    open: false,
};

const NAMES: Names = Names {
    prompt: "prompt",
    max_tokens: "max_tokens",
    temperature: "temperature",
    top_p: "top_p",
    top_k: "",
    stop_sequences: "stop",
};

impl Family for DeepSeekR1 {
    fn name(&self) -> &'static str {
        "deepseek_r1"
    }

    fn task(&self) -> Task {
        Task::TextCompletion
    }

    fn reasons_unasked(&self, _: &Model) -> bool {
        true
    }

    fn signs_reasoning(&self) -> bool {
        false
    }

    fn puts_reasoning_last(&self) -> bool {
        true
    }

    fn pieces(&self) -> Pieces {
        Pieces::Tokens
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let body = schema::read(body, &BODY, model.max_output_tokens)?;
        let mut turn = prompt::turn(&body, &NAMES);
        // A prompt that opens the thinking itself gets it continued.
        let opened = body["prompt"].as_str().is_some_and(|text| text.trim_end().ends_with(THINK));
        turn.echo.native = json!({ "opened": opened });
        turn.reasoning =
            Some(Reasoning { budget_tokens: model.max_output_tokens, redacted: false });
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        let text: String = parts(answer).map(|(text, _)| text).collect();
        let stop_reason = Some(self.stop_word(&answer.stop));
        wire::json(&Body { choices: [Choice { text: &text, stop_reason }], metrics: None })
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        let mut draws = draw::generator(answer.key, Purpose::Deltas);
        for (part, is_generated) in parts(answer) {
            for text in answer.pieces(self.pieces(), part, &mut draws) {
                if is_generated {
                    chunks.advance(text);
                }
                chunks.add(&Body { choices: [Choice { text, stop_reason: None }], metrics: None });
            }
        }
        chunks.finish();
        let stop_reason = Some(self.stop_word(&answer.stop));
        let metrics = chunks.metrics();
        chunks.add(&Body { choices: [Choice { text: "", stop_reason }], metrics });
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        match stop {
            Stop::EndTurn | Stop::Sequence(_) => "stop",
            Stop::MaxTokens | Stop::ContextWindowExceeded => "length",
            other => other.as_str(),
        }
    }
}

/// The text of an answer, in parts: its thinking in tags, which the end of the prompt may open and
/// the token limit may leave open, and what it said then. Beside each part stands whether it is
/// charged: the tags are not.
fn parts(answer: &Answer) -> impl Iterator<Item = (&str, bool)> {
    let opened = answer.echo.native["opened"] == true;
    let last = answer.blocks.len().saturating_sub(1);
    answer.blocks.iter().enumerate().flat_map(move |(number, block)| match block {
        Block::Reasoning { text, .. } => [
            (if opened { "" } else { "<think>\n" }, false),
            (text.as_str(), true),
            (if number == last { "" } else { "\n</think>\n\n" }, false),
        ],
        Block::Text(text) => [(text.as_str(), true), ("", false), ("", false)],
        _ => [("", false); 3],
    })
}

#[derive(Serialize)]
struct Body<'a> {
    choices: [Choice<'a>; 1],
    #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
    metrics: Option<InvocationMetrics>,
}

#[derive(Serialize)]
struct Choice<'a> {
    text: &'a str,
    stop_reason: Option<&'a str>,
}

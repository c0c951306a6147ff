//! Anthropic Claude before messages: a prompt of `Human:` and `Assistant:` turns, and its
//! continuation, in one piece even when streamed.

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

/// `anthropic.claude-v2*`, `anthropic.claude-instant-*`
pub(crate) struct ClaudeText;

const HUMAN: &str = "\n\nHuman:";
const ASSISTANT: &str = "\n\nAssistant:";

const BODY: Object = Object {
    fields: &[
        required("prompt", Kind::Text(1)),
        required("max_tokens_to_sample", Kind::Tokens(1)),
        optional("stop_sequences", TEXTS),
        optional("temperature", Kind::Number(0.0, 1.0)),
        optional("top_p", Kind::Number(0.0, 1.0)),
        optional("top_k", Kind::Integer(0, 500)),
        optional("anthropic_version", Kind::Any),
    ],
    open: false,
};

const NAMES: Names = Names {
    prompt: "prompt",
    max_tokens: "max_tokens_to_sample",
    temperature: "temperature",
    top_p: "top_p",
    top_k: "top_k",
    stop_sequences: "stop_sequences",
};

impl Family for ClaudeText {
    fn name(&self) -> &'static str {
        "claude_text"
    }

    fn task(&self) -> Task {
        Task::TextCompletion
    }

    fn pieces(&self) -> Pieces {
        Pieces::Whole
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let body = schema::read(body, &BODY, model.max_output_tokens)?;
        check_turns(body["prompt"].as_str().unwrap_or_default())?;
        Ok(prompt::turn(&body, &NAMES))
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        wire::json(&self.body(answer, &answer.text(), None))
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        let text = answer.text();
        chunks.advance(&text);
        chunks.finish();
        let metrics = chunks.metrics_at_once();
        chunks.add(&self.body(answer, &text, metrics));
    }

    /// The end of a turn is a stop sequence too: the next `Human:`.
    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        match stop {
            Stop::EndTurn | Stop::Sequence(_) => "stop_sequence",
            other => other.as_str(),
        }
    }
}

impl ClaudeText {
    fn body<'a>(
        &self,
        answer: &'a Answer,
        completion: &'a str,
        metrics: Option<InvocationMetrics>,
    ) -> Body<'a> {
        Body {
            r#type: "completion",
            completion,
            stop_reason: self.stop_word(&answer.stop),
            stop: match &answer.stop {
                Stop::EndTurn => Some(HUMAN),
                other => other.sequence(),
            },
            metrics,
        }
    }
}

/// Refuses a prompt without its turns, as the service does.
fn check_turns(prompt: &str) -> Result<(), ServiceError> {
    let mut missing = Vec::new();
    if !prompt.contains(HUMAN) {
        missing.push("prompt must start with \"\n\nHuman:\" turn");
    }
    if !prompt.contains(ASSISTANT) {
        missing.push("prompt must end with \"\n\nAssistant:\" turn");
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(ServiceError::validation(format!("Invalid prompt: {}", missing.join(", "))))
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    completion: &'a str,
    stop_reason: &'a str,
    stop: Option<&'a str>,
    #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
    metrics: Option<InvocationMetrics>,
}

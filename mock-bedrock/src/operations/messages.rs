//! Anthropic's Messages, for Claude: JSON, or server-sent events.

use serde::Deserialize;
use spanproof_schemas::ledger;

use super::{Operation, Stated, Written};
use crate::answer::{Answer, Stop};
use crate::asked::Asked;
use crate::claude_request;
use crate::error::ServiceError;
use crate::families::{Chunks, Family};
use crate::inference::{self, Shape};
use crate::model::Model;
use crate::route::Route;
use crate::script::Script;
use crate::turn::Turn;

/// `POST /anthropic/v1/messages`
pub(crate) struct Messages;

impl Operation for Messages {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::Messages
    }

    fn route(&self) -> Route {
        Route::post("/anthropic/v1/messages")
    }

    fn task(&self) -> ledger::Task {
        ledger::Task::Chat
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        #[derive(Deserialize)]
        struct Head {
            model: Option<String>,
            stream: Option<bool>,
        }
        let head: Head = asked.json()?;
        let Some(model) = head.model else {
            return Err(ServiceError::validation("model: Field required"));
        };
        asked.exchange.model_id = model;
        let message = Message {
            streams: head.stream.unwrap_or(false),
            has_version: asked.head.headers.contains_key("anthropic-version"),
        };
        asked.streams = message.streams;
        inference::answer(&message, asked)
    }

    /// `{"type":"error",…}`, as clients of Anthropic read it. The service's own texts are not known.
    fn error_body(&self, error: &ServiceError) -> Vec<u8> {
        let kind = match error.status.as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            503 => "overloaded_error",
            400..500 => "invalid_request_error",
            _ => "api_error",
        };
        serde_json::json!({
            "type": "error",
            "error": { "type": kind, "message": error.message },
        })
        .to_string()
        .into_bytes()
    }
}

struct Message {
    streams: bool,
    /// Whether a header states the version of the body.
    has_version: bool,
}

impl Shape for Message {
    fn read(&self, family: &dyn Family, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        if family.name() != "claude" {
            return Err(ServiceError::validation(format!(
                "model `{}` isn't supported on this route",
                model.id
            )));
        }
        claude_request::read_message(body, model, self.has_version)
    }

    fn write(&self, family: &dyn Family, answer: &Answer) -> Written {
        if !self.streams {
            return Written::whole(answer, family.write(answer));
        }
        let mut script = Script::server_sent();
        let mut chunks = Chunks::without_metrics(answer, |chunk, role, due, chars| {
            script.enter(role);
            script.server_sent_event(event_name(chunk), chunk, due, chars);
        });
        family.stream(answer, &mut chunks);
        drop(chunks);
        Written::stream(answer, script)
    }

    fn stop_word<'s>(&self, family: &dyn Family, stop: &'s Stop) -> &'s str {
        family.stop_word(stop)
    }

    fn stated(&self, family: &dyn Family, answer: &Answer) -> Stated {
        family.stated(answer)
    }
}

/// The event that a chunk is, which its first member says: `{"type":"message_start",…`.
fn event_name(chunk: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(chunk).ok()?;
    text.strip_prefix("{\"type\":\"")?.split('"').next()
}

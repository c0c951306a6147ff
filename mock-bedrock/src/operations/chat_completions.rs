//! OpenAI's chat completions, for the models that take its body: JSON, or server-sent events.

use spanproof_schemas::ledger;

use super::{Operation, Stated, Written};
use crate::answer::{Answer, Stop};
use crate::asked::Asked;
use crate::error::ServiceError;
use crate::families::{Chunks, Family};
use crate::inference::{self, Shape};
use crate::model::Model;
use crate::openai::{self, Dialect};
use crate::route::Route;
use crate::script::{Role, Script};
use crate::turn::Turn;

/// `POST /openai/v1/chat/completions`
pub(crate) struct ChatCompletions;

impl Operation for ChatCompletions {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::ChatCompletions
    }

    fn route(&self) -> Route {
        Route::post("/openai/v1/chat/completions")
    }

    fn task(&self) -> ledger::Task {
        ledger::Task::Chat
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let request = openai::read(asked.body, false)?;
        let Some(model) = request.model else {
            return Err(ServiceError::validation("you must provide a model parameter"));
        };
        asked.exchange.model_id = model;
        let (streams, includes_usage) = (request.streams, request.includes_usage);
        asked.streams = streams;
        inference::answer(&Completion { streams, includes_usage }, asked)
    }

    /// `{"error":{…}}`, as clients of OpenAI read it. The service's own texts are not known.
    fn error_body(&self, error: &ServiceError) -> Vec<u8> {
        let kind =
            if error.status.is_server_error() { "server_error" } else { "invalid_request_error" };
        serde_json::json!({
            "error": {
                "message": error.message,
                "type": kind,
                "param": null,
                "code": error.exception,
            }
        })
        .to_string()
        .into_bytes()
    }
}

struct Completion {
    streams: bool,
    includes_usage: bool,
}

impl Shape for Completion {
    fn read(&self, family: &dyn Family, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        if !family.takes_chat_completions() {
            return Err(ServiceError::validation(format!(
                "model `{}` isn't supported on this route",
                model.id
            )));
        }
        family.read(body, model)
    }

    fn write(&self, family: &dyn Family, answer: &Answer) -> Written {
        if !self.streams {
            return Written::whole(answer, family.write(answer));
        }
        let mut script = Script::server_sent();
        let mut end = (answer.timing.total, 0);
        let mut chunks = Chunks::without_metrics(answer, |chunk, role, due, chars| {
            script.enter(role);
            script.server_sent_event(None, chunk, due, chars);
            end = (due, chars);
        });
        openai::stream(answer, Dialect::OpenAi, &mut chunks);
        if self.includes_usage {
            openai::stream_usage(answer, &mut chunks);
        }
        drop(chunks);
        script.enter(Role::Stop);
        script.server_sent_event(None, b"[DONE]", end.0, end.1);
        Written::stream(answer, script)
    }

    fn stop_word<'s>(&self, _: &dyn Family, stop: &'s Stop) -> &'s str {
        openai::stop_word(stop)
    }

    fn stated(&self, _: &dyn Family, answer: &Answer) -> Stated {
        Stated {
            response_id: Some(openai::id(answer)),
            response_model: Some(answer.model.id.clone()),
            early_output_tokens: None,
        }
    }
}

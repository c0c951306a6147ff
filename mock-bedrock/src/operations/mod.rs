//! The operations that the mock serves, one file each.

mod apply_guardrail;
mod chat_completions;
mod converse;
mod converse_stream;
mod count_tokens;
mod get_async_invoke;
mod get_foundation_model;
mod invoke_agent;
mod invoke_flow;
mod invoke_guardrail_checks;
mod invoke_inline_agent;
mod invoke_model;
mod invoke_model_with_bidirectional_stream;
mod invoke_model_with_response_stream;
mod list_async_invokes;
mod list_foundation_models;
mod list_inference_profiles;
mod messages;
mod rerank;
mod retrieve;
mod retrieve_and_generate;
mod retrieve_and_generate_stream;
mod start_async_invoke;

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde::Serialize;
use spanproof_schemas::ledger::{self, Usage};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::error::ServiceError;
use crate::model::Model;
use crate::route::Route;
use crate::script::{Framing, Script};
use crate::sonic::Session;
use crate::wire;

pub(crate) use converse::Converse;
pub(crate) use invoke_model::InvokeModel;

/// Every operation. A new one is a file beside this one, and a line here.
pub(crate) static OPERATIONS: &[&dyn Operation] = &[
    &converse::Converse,
    &converse_stream::ConverseStream,
    &invoke_model::InvokeModel,
    &invoke_model_with_response_stream::InvokeModelWithResponseStream,
    &invoke_model_with_bidirectional_stream::InvokeModelWithBidirectionalStream,
    &count_tokens::CountTokens,
    &apply_guardrail::ApplyGuardrail,
    &invoke_guardrail_checks::InvokeGuardrailChecks,
    &chat_completions::ChatCompletions,
    &messages::Messages,
    &invoke_agent::InvokeAgent,
    &invoke_inline_agent::InvokeInlineAgent,
    &invoke_flow::InvokeFlow,
    &retrieve::Retrieve,
    &retrieve_and_generate::RetrieveAndGenerate,
    &retrieve_and_generate_stream::RetrieveAndGenerateStream,
    &rerank::Rerank,
    &start_async_invoke::StartAsyncInvoke,
    &get_async_invoke::GetAsyncInvoke,
    &list_async_invokes::ListAsyncInvokes,
    &list_foundation_models::ListFoundationModels,
    &get_foundation_model::GetFoundationModel,
    &list_inference_profiles::ListInferenceProfiles,
];

/// An operation of the API.
pub(crate) trait Operation: Sync {
    /// Its name in the ledger.
    fn operation(&self) -> ledger::Operation;

    /// Its method and path.
    fn route(&self) -> Route;

    /// What its exchanges are for; operations that run a model leave that to the model.
    fn task(&self) -> ledger::Task {
        ledger::Task::Administration
    }

    /// Whether its request is a stream of events too, which the answer does not wait for: it is
    /// asked to answer before any of the body has come.
    fn converses(&self) -> bool {
        false
    }

    /// Answers a request.
    ///
    /// # Errors
    ///
    /// The exception that the service answers instead.
    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError>;

    /// The body of an exception.
    fn error_body(&self, error: &ServiceError) -> Vec<u8> {
        error.body()
    }
}

/// An answer as it goes out.
#[derive(Debug)]
pub(crate) struct Written {
    /// Headers beside the content type, which the body tells, and the request id.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: WrittenBody,
    /// When its first byte is due, in simulated time from the arrival of the request.
    pub(crate) due: Duration,
    /// What the whole answer charges.
    pub(crate) usage: Usage,
    /// The model that generated it, if one did.
    pub(crate) model: Option<&'static Model>,
}

impl Written {
    /// A whole answer by a model.
    pub(crate) fn whole(answer: &Answer, body: Vec<u8>) -> Self {
        Written {
            headers: Vec::new(),
            body: WrittenBody::Whole(body),
            due: answer.timing.total,
            usage: answer.usage,
            model: Some(answer.model),
        }
    }

    /// A streamed answer by a model.
    pub(crate) fn stream(answer: &Answer, mut script: Script) -> Self {
        script.vary(&answer.timing);
        Written {
            headers: Vec::new(),
            body: WrittenBody::Stream(script),
            due: answer.timing.first,
            usage: answer.usage,
            model: Some(answer.model),
        }
    }

    /// JSON that no model generated, due after `due`.
    pub(crate) fn json(body: &impl Serialize, due: Duration) -> Self {
        Written {
            headers: Vec::new(),
            body: WrittenBody::Whole(wire::json(body)),
            due,
            usage: Usage::default(),
            model: None,
        }
    }

    pub(crate) fn with_headers(mut self, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        self.headers = headers;
        self
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum WrittenBody {
    Whole(Vec<u8>),
    Stream(Script),
    /// Events that answer those of the request as they come.
    Session(Box<Session>),
}

impl WrittenBody {
    /// The body, changed by `change` if it is whole.
    pub(crate) fn map_whole(self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        match self {
            WrittenBody::Whole(bytes) => WrittenBody::Whole(change(bytes)),
            other => other,
        }
    }

    pub(crate) fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            WrittenBody::Whole(_) => "application/json",
            WrittenBody::Stream(script) => script.framing().content_type(),
            WrittenBody::Session(_) => Framing::EventStream.content_type(),
        })
    }
}

/// What an answer's body says of itself.
#[derive(Debug, Default)]
pub(crate) struct Stated {
    pub(crate) response_id: Option<String>,
    pub(crate) response_model: Option<String>,
    /// The most output tokens that a stream states before its last chunks.
    pub(crate) early_output_tokens: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder;

    #[test]
    fn every_file_is_in_the_slice() {
        let mut registered: Vec<String> =
            OPERATIONS.iter().map(|operation| snake_case(operation.operation().name())).collect();
        registered.sort();
        assert_eq!(folder::stems("src/operations"), registered);
    }

    #[test]
    fn every_operation_of_the_ledger_is_served() {
        let mut served: Vec<_> = OPERATIONS.iter().map(|operation| operation.operation()).collect();
        served.sort_unstable();
        assert_eq!(served, ledger::Operation::ALL);
    }

    fn snake_case(name: &str) -> String {
        let mut snake = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(letter.to_lowercase());
        }
        snake
    }
}

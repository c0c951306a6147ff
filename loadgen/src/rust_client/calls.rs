//! Makes one call with the SDK and follows its answer to the end.

use std::fmt::Display;
use std::sync::{Arc, Mutex};

use aws_sdk_bedrockruntime::Client as Sdk;
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::primitives::event_stream::EventReceiver;
use aws_sdk_bedrockruntime::types::{ConverseStreamOutput, ResponseStream};
use serde::Deserialize as _;
use spanproof_schemas::time::UnixNanos;
use spanproof_schemas::worker::Call;
use spanproof_schemas::worker::Operation;
use tokio::sync::OwnedSemaphorePermit;

use super::MOST_CALL_TIME;
use super::answer::Answer;
use super::attribution::Attribution;
use super::call_span::CallSpan;
use super::converse::{ConverseRequest, SdkRequest};
use super::failure;
use super::instrumentation::Instrumentation;
use super::intercept::{CallIntercept, Slot};
use crate::client::{ClientError, ClientErrorKind};
use crate::clock::Clock;

/// How a call ended.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) started: UnixNanos,
    pub(super) first_chunk: Option<UnixNanos>,
    pub(super) error: Option<String>,
    pub(super) answer: Answer,
}

/// Makes `call`. `room` is the place in the export queue that its span will take.
pub(super) async fn make(
    sdk: &Sdk,
    instrumentation: &Arc<Instrumentation>,
    clock: &Clock,
    call: Call,
    room: OwnedSemaphorePermit,
) -> Result<End, ClientError> {
    let attribution = Attribution::of(&call);
    let Call { call: number, operation, model_id, request, headers } = call;
    let wrong = |error: &dyn Display| {
        let message = format!("call {number} is no {} request: {error}", operation.name());
        ClientError::new(ClientErrorKind::Ended, message)
    };
    let slot = Slot::with_room(room);
    let intercept = CallIntercept {
        instrumentation: Arc::clone(instrumentation),
        slot: slot.clone(),
        headers,
        attribution: Mutex::new(attribution),
    };
    let following = Following { started: clock.now(), clock, slot };
    Ok(match operation {
        Operation::Converse => {
            let SdkRequest { messages, system, inference, tools, metadata } =
                converse(request, &wrong)?;
            let sent = sdk
                .converse()
                .model_id(model_id)
                .set_messages(Some(messages))
                .set_system(system)
                .inference_config(inference)
                .set_tool_config(tools)
                .set_request_metadata(metadata)
                .customize()
                .interceptor(intercept)
                .send();
            following.buffered(sent.await)
        }
        Operation::ConverseStream => {
            let SdkRequest { messages, system, inference, tools, metadata } =
                converse(request, &wrong)?;
            let sent = sdk
                .converse_stream()
                .model_id(model_id)
                .set_messages(Some(messages))
                .set_system(system)
                .inference_config(inference)
                .set_tool_config(tools)
                .set_request_metadata(metadata)
                .customize()
                .interceptor(intercept)
                .send();
            following.streamed(sent.await.map(|output| output.stream)).await
        }
        Operation::InvokeModel => {
            let body = serde_json::to_vec(&request).map_err(|error| wrong(&error))?;
            let sent = sdk
                .invoke_model()
                .model_id(model_id)
                .content_type("application/json")
                .accept("application/json")
                .body(Blob::new(body))
                .customize()
                .interceptor(intercept)
                .send();
            following.buffered(sent.await)
        }
        Operation::InvokeModelWithResponseStream => {
            let body = serde_json::to_vec(&request).map_err(|error| wrong(&error))?;
            let sent = sdk
                .invoke_model_with_response_stream()
                .model_id(model_id)
                .content_type("application/json")
                .accept("application/json")
                .body(Blob::new(body))
                .customize()
                .interceptor(intercept)
                .send();
            following.streamed(sent.await.map(|output| output.body)).await
        }
    })
}

fn converse(
    request: serde_json::Value,
    wrong: &dyn Fn(&dyn Display) -> ClientError,
) -> Result<SdkRequest, ClientError> {
    let request = ConverseRequest::deserialize(request).map_err(|error| wrong(&error))?;
    request.into_sdk().map_err(|error| wrong(&error))
}

/// Follows a call from its request to the end of its answer.
struct Following<'a> {
    started: UnixNanos,
    clock: &'a Clock,
    slot: Slot,
}

impl Following<'_> {
    /// The end of a call whose answer came as a whole.
    fn buffered<O, E: ProvideErrorMetadata, R>(self, sent: Result<O, SdkError<E, R>>) -> End {
        let error = sent.err().map(|error| failure::name(&error));
        self.end(None, error)
    }

    /// Reads a stream to its end.
    async fn streamed<T: Event, E, S, R>(
        self,
        sent: Result<EventReceiver<T, E>, SdkError<S, R>>,
    ) -> End
    where
        E: failure::InStream + std::error::Error + Send + Sync + 'static,
        S: ProvideErrorMetadata,
    {
        let mut stream = match sent {
            Ok(stream) => stream,
            Err(error) => return self.end(None, Some(failure::name(&error))),
        };
        let mut first_chunk = None;
        let read = async {
            loop {
                match stream.recv().await {
                    Ok(Some(event)) => {
                        first_chunk.get_or_insert_with(|| self.clock.now());
                        self.slot.with(|span| event.is_taken_by(span));
                    }
                    Ok(None) => return None,
                    Err(error) => return Some(failure::in_stream_name(&error)),
                }
            }
        };
        let read = tokio::time::timeout(MOST_CALL_TIME, read).await;
        let error = read.unwrap_or_else(|_| Some("timeout".to_owned()));
        self.end(first_chunk, error)
    }

    fn end(self, first_chunk: Option<UnixNanos>, error: Option<String>) -> End {
        let mut answer = Answer::default();
        if let Some(mut span) = self.slot.take() {
            if let Some(error) = &error {
                span.failed(error.clone());
            }
            answer = span.answer.clone();
        }
        End { started: self.started, first_chunk, error, answer }
    }
}

/// An event of a stream.
trait Event {
    /// Takes note of the event in `span`.
    fn is_taken_by(&self, span: &mut CallSpan);
}

impl Event for ConverseStreamOutput {
    fn is_taken_by(&self, span: &mut CallSpan) {
        span.chunk_arrived();
        span.answer.take_converse_event(self);
        if let Some(content) = &mut span.content {
            content.take_converse_event(self);
        }
    }
}

impl Event for ResponseStream {
    fn is_taken_by(&self, span: &mut CallSpan) {
        span.chunk_arrived();
        let ResponseStream::Chunk(part) = self else { return };
        let Some(chunk) = part.bytes() else { return };
        span.answer.take_chunk(chunk.as_ref());
        if let Some(content) = &mut span.content {
            content.take_chunk(chunk.as_ref());
        }
    }
}

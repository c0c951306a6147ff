//! The SDK interceptor that begins and ends spans.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_bedrockruntime::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_bedrockruntime::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_bedrockruntime::error::BoxError;
use aws_sdk_bedrockruntime::operation::converse::ConverseOutput;
use aws_sdk_bedrockruntime::operation::invoke_model::InvokeModelOutput;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use tokio::sync::OwnedSemaphorePermit;

use super::answer::Answer;
use super::attribution::Attribution;
use super::call_span::CallSpan;
use super::content::AnswerContent;
use super::instrumentation::Instrumentation;
use super::request::Request;

/// The header that names the call, the same on each of its attempts.
const INVOCATION_ID: &str = "amz-sdk-invocation-id";

/// Follows one call through the SDK: begins its span before the request is made, adds headers,
/// takes note of the answer.
///
/// The span stays in the slot when the SDK is done, so that whoever made the call can follow its
/// stream, say how it failed, and end it.
#[derive(Debug)]
pub(super) struct CallIntercept {
    pub(super) instrumentation: Arc<Instrumentation>,
    pub(super) slot: Slot,
    /// Headers to send with the request.
    pub(super) headers: Vec<(String, String)>,
    /// Whom and what the call is for, until its span has it.
    pub(super) attribution: Mutex<Attribution>,
}

/// Where the span of a call is while the SDK makes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot(Arc<Mutex<Slotted>>);

#[derive(Debug, Default)]
struct Slotted {
    span: Option<CallSpan>,
    /// Room in the export queue, taken up for good once there is a span to fill it.
    room: Option<OwnedSemaphorePermit>,
}

impl Slot {
    pub(super) fn with_room(room: OwnedSemaphorePermit) -> Slot {
        Slot(Arc::new(Mutex::new(Slotted { span: None, room: Some(room) })))
    }

    fn begins(&self, span: CallSpan) {
        let mut slotted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = slotted.room.take() {
            room.forget();
        }
        slotted.span = Some(span);
    }

    pub(super) fn take(&self) -> Option<CallSpan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).span.take()
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut CallSpan) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).span.as_mut().map(look)
    }
}

#[dyn_dispatch_hint]
impl Intercept for CallIntercept {
    fn name(&self) -> &'static str {
        "SpanproofInstrumentation"
    }

    fn read_before_execution(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(request) = Request::of(context.input(), self.instrumentation.with_content) {
            let mut attribution = self.attribution.lock().unwrap_or_else(PoisonError::into_inner);
            let attribution = std::mem::take(&mut *attribution);
            let instrumentation = Arc::clone(&self.instrumentation);
            self.slot.begins(CallSpan::begin(instrumentation, request, attribution));
        }
        Ok(())
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        if let Some(traceparent) = self.slot.with(|span| span.traceparent()) {
            headers.try_insert("traceparent", traceparent)?;
        }
        for (name, value) in &self.headers {
            headers.try_insert(name.clone(), value.clone())?;
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(id) = context.request().headers().get(INVOCATION_ID) {
            self.slot.with(|span| span.set_invocation_id(id.to_owned()));
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else { return Ok(()) };
        self.slot.with(|span| {
            if let Some(output) = output.downcast_ref::<ConverseOutput>() {
                span.answer = Answer::of_converse(output);
                span.content = span.content.take().map(|_| AnswerContent::of_converse(output));
            } else if let Some(output) = output.downcast_ref::<InvokeModelOutput>() {
                span.answer = Answer::of_body(output.body().as_ref());
                let body = output.body().as_ref();
                span.content = span.content.take().map(|_| AnswerContent::of_body(body));
            }
        });
        Ok(())
    }
}

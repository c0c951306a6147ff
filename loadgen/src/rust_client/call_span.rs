//! The span of one call, from before its request is sent until its answer has ended.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, Tracer};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::Span;
use spanproof_schemas::ledger::Task;

use crate::dialect::{Dialect, PROVIDER};

use super::answer::Answer;
use super::attribution::Attribution;
use super::content::AnswerContent;
use super::instrumentation::{Instrumentation, Times};
use super::request::Request;

/// The attribute that names the SDK's invocation, by which the ledger is joined.
const INVOCATION_ID: &str = "spanproof.invocation_id";

/// A call that has begun. Dropping it ends its span with what is known by then: an application
/// that leaves a stream early leaves no span open.
#[derive(Debug)]
pub(super) struct CallSpan {
    instrumentation: Arc<Instrumentation>,
    span: Span,
    request: Request,
    begun: Instant,
    last_chunk: Option<Instant>,
    times: Times,
    pub(super) answer: Answer,
    /// What the answer said, only when content is wanted.
    pub(super) content: Option<AnswerContent>,
    error: Option<String>,
    /// That of every attempt. It is set when the span ends: the SDK keeps an attribute as often as
    /// it is set.
    invocation_id: Option<String>,
}

impl CallSpan {
    /// Starts the span of `request`, in a trace of its own unless a span is current.
    pub(super) fn begin(
        instrumentation: Arc<Instrumentation>,
        request: Request,
        attribution: Attribution,
    ) -> CallSpan {
        let name = format!("{} {}", request.task.operation_name(), request.model);
        let mut attributes = request_attributes(&instrumentation, &request);
        attributes.extend(attribution.attributes(&instrumentation.dialect, request.task));
        // Read together: the time to the first chunk is from the start of the span.
        let (started, begun) = (SystemTime::now(), Instant::now());
        let builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Client)
            .with_start_time(started)
            .with_attributes(attributes);
        let span = instrumentation.tracer.build_with_context(builder, &Context::current());
        CallSpan {
            span,
            begun,
            last_chunk: None,
            times: Times::default(),
            answer: Answer::default(),
            content: instrumentation.with_content.then(AnswerContent::default),
            error: None,
            invocation_id: None,
            request,
            instrumentation,
        }
    }

    /// The `traceparent` header of requests of this call.
    pub(super) fn traceparent(&self) -> String {
        let context = self.span.span_context();
        format!(
            "00-{}-{}-{:02x}",
            context.trace_id(),
            context.span_id(),
            context.trace_flags().to_u8()
        )
    }

    pub(super) fn set_invocation_id(&mut self, id: String) {
        self.invocation_id = Some(id);
    }

    /// Notes that a chunk of the answer has arrived.
    pub(super) fn chunk_arrived(&mut self) {
        let now = Instant::now();
        match self.last_chunk.replace(now) {
            None => self.times.to_first_chunk = Some(now - self.begun),
            Some(before) => self.times.between_chunks.push(now - before),
        }
    }

    /// Notes that the call has failed, by the name of its error. The text of the error is left
    /// out: services quote prompts in it.
    pub(super) fn failed(&mut self, error: String) {
        self.error = Some(error);
    }

    fn set_answer_attributes(&mut self) {
        let dialect = &self.instrumentation.dialect;
        let task = self.request.task;
        let span = &mut self.span;
        let mut set = |name: &'static str, value: Option<Value>| {
            if let Some(value) = value.filter(|_| dialect.has(task, name)) {
                span.set_attribute(KeyValue::new(name, value));
            }
        };
        let answer = &self.answer;
        set("gen_ai.response.id", answer.id.clone().map(Value::from));
        set("gen_ai.response.model", answer.model.clone().map(Value::from));
        let reasons = answer.stop_reason.clone().map(|reason| strings(vec![reason]));
        set("gen_ai.response.finish_reasons", reasons);
        let first_chunk = self.times.to_first_chunk.map(|first| first.as_secs_f64().into());
        set("gen_ai.response.time_to_first_chunk", first_chunk);
        let usage = answer.usage;
        set("gen_ai.usage.input_tokens", usage.map(|usage| tokens(dialect.input_tokens(usage))));
        // An embedding generates nothing to count.
        let generates = task != Task::Embeddings;
        let usage = usage.filter(|_| generates);
        set("gen_ai.usage.output_tokens", usage.map(|usage| tokens(usage.output_tokens)));
        let read = usage.map(|usage| usage.cache_read_input_tokens);
        set("gen_ai.usage.cache_read.input_tokens", read.filter(|read| *read > 0).map(tokens));
        let written = usage.map(|usage| usage.cache_write_input_tokens);
        set(dialect.cache_write_key, written.filter(|written| *written > 0).map(tokens));
        let said = self.content.take();
        let said = said.and_then(|content| content.messages(answer.stop_reason.as_deref()));
        set("gen_ai.output.messages", said.map(|messages| messages.to_string().into()));
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        self.times.duration = self.begun.elapsed();
        self.set_answer_attributes();
        if let Some(id) = self.invocation_id.take() {
            self.span.set_attribute(KeyValue::new(INVOCATION_ID, id));
        }
        if let Some(error) = &self.error {
            self.span.set_attribute(KeyValue::new("error.type", error.clone()));
            self.span.set_status(Status::error(""));
        }
        self.span.end();
        self.instrumentation.record(
            &self.request,
            &self.answer,
            &self.times,
            self.error.as_deref(),
        );
    }
}

fn request_attributes(instrumentation: &Instrumentation, request: &Request) -> Vec<KeyValue> {
    let dialect = &instrumentation.dialect;
    let (address, port) = &instrumentation.server;
    let mut attributes = Vec::with_capacity(24);
    attributes.extend([
        KeyValue::new("gen_ai.operation.name", request.task.operation_name()),
        KeyValue::new(dialect.provider_key, PROVIDER),
        KeyValue::new("gen_ai.request.model", request.model.clone()),
        KeyValue::new("server.address", address.clone()),
        KeyValue::new("server.port", i64::from(*port)),
    ]);
    let mut set = |name: &'static str, value: Option<Value>| {
        if let Some(value) = value.filter(|_| dialect.has(request.task, name)) {
            attributes.push(KeyValue::new(name, value));
        }
    };
    let parameters = &request.parameters;
    set("gen_ai.request.stream", request.is_streamed.then_some(true.into()));
    set("gen_ai.request.max_tokens", parameters.max_tokens.map(Value::from));
    set("gen_ai.request.temperature", parameters.temperature.map(Value::from));
    set("gen_ai.request.top_p", parameters.top_p.map(Value::from));
    set("gen_ai.request.top_k", parameters.top_k.map(|top_k| number(top_k, dialect)));
    let stop = &parameters.stop_sequences;
    set("gen_ai.request.stop_sequences", (!stop.is_empty()).then(|| strings(stop.clone())));
    if let Some(content) = &request.content {
        let json = |value: &Option<serde_json::Value>| {
            value.as_ref().map(|value| value.to_string().into())
        };
        set("gen_ai.system_instructions", json(&content.system));
        set("gen_ai.input.messages", json(&content.messages));
    }
    attributes
}

/// A whole number in versions that have it so.
#[expect(clippy::cast_possible_truncation, reason = "top-k is a small whole number")]
fn number(top_k: f64, dialect: &Dialect) -> Value {
    if dialect.top_k_is_int { Value::I64(top_k as i64) } else { Value::F64(top_k) }
}

fn strings(values: Vec<String>) -> Value {
    Value::Array(Array::String(values.into_iter().map(StringValue::from).collect()))
}

fn tokens(count: u64) -> Value {
    Value::I64(i64::try_from(count).unwrap_or(i64::MAX))
}

//! What Jaeger's query API answers, and its UI exports: `{"data": [traces]}`.
//!
//! Jaeger keeps what OTLP has fields for in tags of its own; they go back to their fields. It has
//! no lists: exporters write them as JSON text, and what is a list of plain values is read as one
//! again. Times are in microseconds.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde::Deserialize;
use serde_json::Value;

use super::export::Export;
use super::foreign::{any_value, attribute, id};
use crate::json::{DecodeError, base64_bytes};

const TRACE_ID_BYTES: usize = 16;
const SPAN_ID_BYTES: usize = 8;

/// Reads one answer.
pub(super) fn decode(text: &[u8]) -> Result<Export, DecodeError> {
    let answer: Answer = serde_json::from_slice(text)?;
    let mut resource_spans = Vec::new();
    for trace in answer.data {
        trace.into_otlp(&mut resource_spans)?;
    }
    Ok(Export::Traces(ExportTraceServiceRequest { resource_spans }))
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Trace>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    spans: Vec<JaegerSpan>,
    #[serde(default)]
    processes: BTreeMap<String, Process>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    #[serde(default)]
    service_name: String,
    #[serde(default)]
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JaegerSpan {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    #[serde(default)]
    flags: Option<u32>,
    operation_name: String,
    #[serde(default, rename = "parentSpanID")]
    parent_span_id: Option<String>,
    #[serde(default)]
    references: Option<Vec<Reference>>,
    start_time: u64,
    #[serde(default)]
    duration: u64,
    #[serde(default)]
    tags: Option<Vec<Tag>>,
    #[serde(default)]
    logs: Option<Vec<Log>>,
    #[serde(default, rename = "processID")]
    process_id: Option<String>,
    #[serde(default)]
    process: Option<Process>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: String,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Deserialize)]
struct Log {
    timestamp: u64,
    #[serde(default)]
    fields: Option<Vec<Tag>>,
}

#[derive(Clone, Deserialize)]
struct Tag {
    key: String,
    #[serde(default, rename = "type")]
    kind: String,
    value: Value,
}

impl Trace {
    /// Appends the spans, with those of one process and scope together.
    fn into_otlp(self, to: &mut Vec<ResourceSpans>) -> Result<(), DecodeError> {
        let mut by_process: BTreeMap<String, Vec<JaegerSpan>> = BTreeMap::new();
        for mut span in self.spans {
            // A span has the key of its process, or the process itself.
            if let Some(process) = span.process.take() {
                to.push(process.into_otlp(vec![span])?);
            } else {
                let key = span.process_id.clone().unwrap_or_default();
                by_process.entry(key).or_default().push(span);
            }
        }
        for (key, spans) in by_process {
            let process = self.processes.get(&key).cloned().ok_or_else(|| {
                DecodeError::value(format!("no process `{key}` in the trace of its span"))
            })?;
            to.push(process.into_otlp(spans)?);
        }
        Ok(())
    }
}

impl Process {
    fn into_otlp(self, spans: Vec<JaegerSpan>) -> Result<ResourceSpans, DecodeError> {
        let mut attributes = Vec::new();
        if !self.service_name.is_empty() {
            let name = AnyValue { value: Some(Any::StringValue(self.service_name)) };
            attributes.push(attribute("service.name".to_owned(), Some(name)));
        }
        for tag in self.tags.unwrap_or_default() {
            attributes.push(tag.into_otlp()?);
        }
        let mut scopes: BTreeMap<(String, String), Vec<Span>> = BTreeMap::new();
        for span in spans {
            let (scope, span) = span.into_otlp()?;
            scopes.entry(scope).or_default().push(span);
        }
        let scope_spans = scopes
            .into_iter()
            .map(|((name, version), spans)| ScopeSpans {
                scope: Some(InstrumentationScope {
                    name,
                    version,
                    ..InstrumentationScope::default()
                }),
                spans,
                schema_url: String::new(),
            })
            .collect();
        let resource = Some(Resource { attributes, ..Resource::default() });
        Ok(ResourceSpans { resource, scope_spans, schema_url: String::new() })
    }
}

impl JaegerSpan {
    /// The span, and the name and version of its scope.
    fn into_otlp(self) -> Result<((String, String), Span), DecodeError> {
        let start = nanoseconds(self.start_time);
        let mut span = Span {
            trace_id: padded(&self.trace_id, TRACE_ID_BYTES)?,
            span_id: padded(&self.span_id, SPAN_ID_BYTES)?,
            name: self.operation_name,
            flags: self.flags.unwrap_or_default(),
            start_time_unix_nano: start,
            end_time_unix_nano: start.saturating_add(nanoseconds(self.duration)),
            ..Span::default()
        };
        if let Some(parent) = self.parent_span_id.filter(|parent| !parent.is_empty()) {
            span.parent_span_id = padded(&parent, SPAN_ID_BYTES)?;
        }
        for reference in self.references.unwrap_or_default() {
            let trace_id = padded(&reference.trace_id, TRACE_ID_BYTES)?;
            let span_id = padded(&reference.span_id, SPAN_ID_BYTES)?;
            let is_parent = reference.ref_type == "CHILD_OF"
                && trace_id == span.trace_id
                && (span.parent_span_id.is_empty() || span.parent_span_id == span_id);
            if is_parent {
                span.parent_span_id = span_id;
            } else {
                span.links.push(Link { trace_id, span_id, ..Link::default() });
            }
        }
        for log in self.logs.unwrap_or_default() {
            span.events.push(log.into_otlp()?);
        }
        let scope = take_tags(&mut span, self.tags.unwrap_or_default())?;
        Ok((scope, span))
    }
}

/// Gives each tag its place in `span`, and returns the name and version of the scope.
fn take_tags(span: &mut Span, tags: Vec<Tag>) -> Result<(String, String), DecodeError> {
    let mut scope = (String::new(), String::new());
    let mut status = Status::default();
    let mut is_error = false;
    for tag in tags {
        let text = tag.value.as_str().unwrap_or_default();
        match tag.key.as_str() {
            "otel.scope.name" | "otel.library.name" => text.clone_into(&mut scope.0),
            "otel.scope.version" | "otel.library.version" => text.clone_into(&mut scope.1),
            "otel.status_description" => text.clone_into(&mut status.message),
            "otel.status_code" if text == "OK" => status.code = StatusCode::Ok as i32,
            "otel.status_code" if text == "ERROR" => status.code = StatusCode::Error as i32,
            "w3c.tracestate" => text.clone_into(&mut span.trace_state),
            "internal.span.format" => {}
            "span.kind" => {
                match SpanKind::from_str_name(&format!("SPAN_KIND_{}", text.to_ascii_uppercase())) {
                    Some(kind) => span.kind = kind as i32,
                    None => span.attributes.push(tag.into_otlp()?),
                }
            }
            "error" if tag.value == Value::Bool(true) || text == "true" => is_error = true,
            _ => span.attributes.push(tag.into_otlp()?),
        }
    }
    // Before there was a status, there was only this tag.
    if is_error && status.code == StatusCode::Unset as i32 {
        status.code = StatusCode::Error as i32;
    }
    span.status = Some(status);
    Ok(scope)
}

impl Log {
    /// An event; its name is a field of it.
    fn into_otlp(self) -> Result<Event, DecodeError> {
        let mut event = Event { time_unix_nano: nanoseconds(self.timestamp), ..Event::default() };
        for field in self.fields.unwrap_or_default() {
            match field.value.as_str() {
                Some(name) if field.key == "event" && event.name.is_empty() => {
                    name.clone_into(&mut event.name);
                }
                _ => event.attributes.push(field.into_otlp()?),
            }
        }
        Ok(event)
    }
}

impl Tag {
    fn into_otlp(self) -> Result<KeyValue, DecodeError> {
        let Tag { key, kind, value } = self;
        let unfit = |value: &Value| {
            DecodeError::value(format!("the tag `{key}` of type {kind} has the value {value}"))
        };
        let value = match (kind.as_str(), value) {
            ("binary", Value::String(text)) => {
                let bytes = base64_bytes(&text).ok_or_else(|| unfit(&Value::String(text)))?;
                Some(AnyValue { value: Some(Any::BytesValue(bytes)) })
            }
            ("int64", value) => {
                // JavaScript cannot hold them all, so that some versions write text.
                let number = match &value {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_i64(),
                };
                let number = number.ok_or_else(|| unfit(&value))?;
                Some(AnyValue { value: Some(Any::IntValue(number)) })
            }
            ("float64", value) => {
                let number = match &value {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_f64(),
                };
                let number = number.ok_or_else(|| unfit(&value))?;
                Some(AnyValue { value: Some(Any::DoubleValue(number)) })
            }
            (_, Value::String(text)) => any_value(plain_list(&text).unwrap_or(Value::String(text))),
            (_, value) => any_value(value),
        };
        Ok(attribute(key, value))
    }
}

/// The list that `text` is the JSON of, if all in it are plain values of one type.
fn plain_list(text: &str) -> Option<Value> {
    if !text.starts_with('[') {
        return None;
    }
    let Ok(Value::Array(values)) = serde_json::from_str(text) else { return None };
    let is_alike = values.iter().all(Value::is_string)
        || values.iter().all(Value::is_number)
        || values.iter().all(Value::is_boolean);
    is_alike.then_some(Value::Array(values))
}

/// An id in hex, whose leading zeros Jaeger may leave out.
fn padded(text: &str, bytes: usize) -> Result<Vec<u8>, DecodeError> {
    if text.is_empty() || text.len() > 2 * bytes {
        return Err(DecodeError::value(format!(
            "`{text}` is no id of {bytes} bytes in hex digits"
        )));
    }
    id(&format!("{text:0>width$}", width = 2 * bytes))
}

fn nanoseconds(microseconds: u64) -> u64 {
    microseconds.saturating_mul(1_000)
}

//! What the console exporters of the Python SDK print: a JSON object for each span and log record,
//! and one for each collection of metrics.
//!
//! They say everything that a judge asks for but the instrumentation scope of spans and log
//! records, and times are in microseconds there.

mod metrics;
mod value;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde::Deserialize;

use super::export::Export;
use super::foreign::{id, unix_nano};
use crate::json::DecodeError;
use value::{PrintedAttributes, PrintedValue};

/// Reads a span as `ConsoleSpanExporter` prints it.
fn span(text: &[u8]) -> Result<Export, DecodeError> {
    let printed: PrintedSpan = serde_json::from_slice(text)?;
    let (resource, schema_url) = printed.resource.into_otlp();
    let span = Span {
        trace_id: id(&printed.context.trace_id)?,
        span_id: id(&printed.context.span_id)?,
        parent_span_id: printed.parent_id.as_deref().map(id).transpose()?.unwrap_or_default(),
        name: printed.name,
        kind: kind(&printed.kind)?,
        start_time_unix_nano: time(printed.start_time.as_deref())?,
        end_time_unix_nano: time(printed.end_time.as_deref())?,
        attributes: printed.attributes.0,
        events: printed
            .events
            .into_iter()
            .map(|event| {
                Ok(Event {
                    time_unix_nano: time(event.timestamp.as_deref())?,
                    name: event.name,
                    attributes: event.attributes.0,
                    dropped_attributes_count: 0,
                })
            })
            .collect::<Result<_, DecodeError>>()?,
        links: printed
            .links
            .into_iter()
            .map(|link| {
                Ok(Link {
                    trace_id: id(&link.context.trace_id)?,
                    span_id: id(&link.context.span_id)?,
                    attributes: link.attributes.0,
                    ..Link::default()
                })
            })
            .collect::<Result<_, DecodeError>>()?,
        status: Some(Status {
            code: status_code(&printed.status.status_code)?,
            message: printed.status.description.unwrap_or_default(),
        }),
        ..Span::default()
    };
    let scope = Some(InstrumentationScope::default());
    let scope_spans = vec![ScopeSpans { scope, spans: vec![span], schema_url: String::new() }];
    let resource_spans = vec![ResourceSpans { resource, scope_spans, schema_url }];
    Ok(Export::Traces(ExportTraceServiceRequest { resource_spans }))
}

/// Reads a log record as `ConsoleLogRecordExporter`, once `ConsoleLogExporter`, prints it.
fn log_record(text: &[u8]) -> Result<Export, DecodeError> {
    let printed: PrintedLogRecord = serde_json::from_slice(text)?;
    let (resource, schema_url) = printed.resource.into_otlp();
    let log_record = LogRecord {
        time_unix_nano: time(printed.timestamp.as_deref())?,
        observed_time_unix_nano: time(printed.observed_timestamp.as_deref())?,
        severity_number: severity(&printed.severity_number)?,
        severity_text: printed.severity_text.unwrap_or_default(),
        body: printed.body.into_otlp(),
        attributes: printed.attributes.0,
        dropped_attributes_count: printed.dropped_attributes,
        flags: printed.trace_flags.unwrap_or_default(),
        trace_id: printed.trace_id.as_deref().map(id).transpose()?.unwrap_or_default(),
        span_id: printed.span_id.as_deref().map(id).transpose()?.unwrap_or_default(),
        event_name: printed.event_name.unwrap_or_default(),
    };
    let scope = Some(InstrumentationScope::default());
    let log_records = vec![log_record];
    let scope_logs = vec![ScopeLogs { scope, log_records, schema_url: String::new() }];
    let resource_logs = vec![ResourceLogs { resource, scope_logs, schema_url }];
    Ok(Export::Logs(ExportLogsServiceRequest { resource_logs }))
}

/// Whether an object with these keys is one of the exporters'.
pub(super) fn is_printed(keys: &[String]) -> bool {
    let has = |wanted: &str| keys.iter().any(|key| key == wanted);
    has("resource_metrics")
        || (has("context") && has("start_time"))
        || (has("body") && has("severity_number"))
}

/// Reads the object of an exporter that has these keys.
pub(super) fn decode(text: &[u8], keys: &[String]) -> Result<Export, DecodeError> {
    let has = |wanted: &str| keys.iter().any(|key| key == wanted);
    if has("resource_metrics") {
        metrics::metrics(text)
    } else if has("context") {
        span(text)
    } else {
        log_record(text)
    }
}

/// Whether an object that begins with these keys and then breaks off would have been one of the
/// exporters': they print their keys in one order.
pub(super) fn is_begun(keys: &[String]) -> bool {
    let mut first = keys.iter().map(String::as_str);
    match first.next() {
        Some("resource_metrics" | "body") => true,
        Some("name") => first.next() == Some("context"),
        _ => false,
    }
}

#[derive(Deserialize)]
struct PrintedSpan {
    name: String,
    context: PrintedContext,
    kind: String,
    #[serde(default)]
    parent_id: Option<String>,
    start_time: Option<String>,
    #[serde(default)]
    end_time: Option<String>,
    #[serde(default)]
    status: PrintedStatus,
    #[serde(default)]
    attributes: PrintedAttributes,
    #[serde(default)]
    events: Vec<PrintedEvent>,
    #[serde(default)]
    links: Vec<PrintedLink>,
    #[serde(default)]
    resource: PrintedResource,
}

#[derive(Deserialize)]
struct PrintedContext {
    trace_id: String,
    span_id: String,
}

#[derive(Default, Deserialize)]
struct PrintedStatus {
    #[serde(default)]
    status_code: String,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Deserialize)]
struct PrintedEvent {
    name: String,
    timestamp: Option<String>,
    #[serde(default)]
    attributes: PrintedAttributes,
}

#[derive(Deserialize)]
struct PrintedLink {
    context: PrintedContext,
    #[serde(default)]
    attributes: PrintedAttributes,
}

#[derive(Deserialize)]
struct PrintedLogRecord {
    body: PrintedValue,
    severity_number: PrintedValue,
    #[serde(default)]
    severity_text: Option<String>,
    #[serde(default)]
    attributes: PrintedAttributes,
    #[serde(default)]
    dropped_attributes: u32,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    observed_timestamp: Option<String>,
    #[serde(default)]
    trace_id: Option<String>,
    #[serde(default)]
    span_id: Option<String>,
    #[serde(default)]
    trace_flags: Option<u32>,
    #[serde(default)]
    resource: PrintedResource,
    #[serde(default)]
    event_name: Option<String>,
}

#[derive(Default, Deserialize)]
struct PrintedResource {
    #[serde(default)]
    attributes: PrintedAttributes,
    #[serde(default)]
    schema_url: String,
}

impl PrintedResource {
    fn into_otlp(self) -> (Option<Resource>, String) {
        let attributes = self.attributes.0;
        (Some(Resource { attributes, ..Resource::default() }), self.schema_url)
    }
}

/// A time; spans that were not ended have none.
fn time(printed: Option<&str>) -> Result<u64, DecodeError> {
    printed.map_or(Ok(0), unix_nano)
}

/// `SpanKind.CLIENT`.
fn kind(printed: &str) -> Result<i32, DecodeError> {
    let name = printed.strip_prefix("SpanKind.").unwrap_or(printed);
    SpanKind::from_str_name(&format!("SPAN_KIND_{name}"))
        .map(|kind| kind as i32)
        .ok_or_else(|| DecodeError::value(format!("`{printed}` is no kind of span")))
}

fn status_code(printed: &str) -> Result<i32, DecodeError> {
    match printed {
        "" | "UNSET" => Ok(StatusCode::Unset as i32),
        "OK" => Ok(StatusCode::Ok as i32),
        "ERROR" => Ok(StatusCode::Error as i32),
        other => Err(DecodeError::value(format!("`{other}` is no status code"))),
    }
}

/// A number; of some versions of the SDK, `<SeverityNumber.INFO: 9>`.
fn severity(printed: &PrintedValue) -> Result<i32, DecodeError> {
    let number = match &printed.0 {
        None => Some(0),
        Some(Any::IntValue(number)) => i32::try_from(*number).ok(),
        Some(Any::StringValue(text)) => {
            let digits = text.trim_end_matches('>').rsplit(' ').next();
            digits.and_then(|digits| digits.parse().ok())
        }
        Some(_) => None,
    };
    number.ok_or_else(|| DecodeError::value(format!("{printed:?} is no severity number")))
}

//! What the console exporters of the Python SDK print: a JSON object for each span and log record,
//! and one for each collection of metrics.
//!
//! They say everything that a judge asks for but the instrumentation scope of spans and log
//! records, and times are in microseconds there.

mod metrics;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::export::Export;
use super::foreign::{any_value, attributes, id, unix_nano};
use crate::json::DecodeError;

pub(super) use metrics::metrics;

/// Reads a span as `ConsoleSpanExporter` prints it.
pub(super) fn span(text: &[u8]) -> Result<Export, DecodeError> {
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
        attributes: attributes(printed.attributes.unwrap_or_default()),
        events: printed
            .events
            .into_iter()
            .map(|event| {
                Ok(Event {
                    time_unix_nano: time(event.timestamp.as_deref())?,
                    name: event.name,
                    attributes: attributes(event.attributes.unwrap_or_default()),
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
                    attributes: attributes(link.attributes.unwrap_or_default()),
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
pub(super) fn log_record(text: &[u8]) -> Result<Export, DecodeError> {
    let printed: PrintedLogRecord = serde_json::from_slice(text)?;
    let (resource, schema_url) = printed.resource.into_otlp();
    let log_record = LogRecord {
        time_unix_nano: time(printed.timestamp.as_deref())?,
        observed_time_unix_nano: time(printed.observed_timestamp.as_deref())?,
        severity_number: severity(&printed.severity_number)?,
        severity_text: printed.severity_text.unwrap_or_default(),
        body: any_value(printed.body),
        attributes: attributes(printed.attributes.unwrap_or_default()),
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
    attributes: Option<Map<String, Value>>,
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
    attributes: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct PrintedLink {
    context: PrintedContext,
    #[serde(default)]
    attributes: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct PrintedLogRecord {
    body: Value,
    severity_number: Value,
    #[serde(default)]
    severity_text: Option<String>,
    #[serde(default)]
    attributes: Option<Map<String, Value>>,
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
    attributes: Map<String, Value>,
    #[serde(default)]
    schema_url: String,
}

impl PrintedResource {
    fn into_otlp(self) -> (Option<Resource>, String) {
        let attributes = attributes(self.attributes);
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
fn severity(printed: &Value) -> Result<i32, DecodeError> {
    let number = match printed {
        Value::Null => Some(0),
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            let digits = text.trim_end_matches('>').rsplit(' ').next();
            digits.and_then(|digits| digits.parse().ok())
        }
        _ => None,
    };
    number
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| DecodeError::value(format!("{printed} is no severity number")))
}

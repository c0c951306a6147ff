//! A small run: an application's span around two calls, one of which failed, with their metrics and
//! an event.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use crate::capture::Export;

const CLIENT: i32 = 3;
const INTERNAL: i32 = 1;
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.37.0";

pub(super) fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

pub(super) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn array(values: &[&str]) -> Value {
    let values = values.iter().map(|it| AnyValue { value: Some(text(it)) }).collect();
    Value::ArrayValue(ArrayValue { values })
}

fn resource() -> Resource {
    let attributes = vec![
        attribute("telemetry.sdk.version", text("1.38.0")),
        attribute("service.name", text("atlas")),
        attribute("process.pid", Value::IntValue(4711)),
    ];
    Resource { attributes, ..Resource::default() }
}

fn scope(name: &str) -> InstrumentationScope {
    let (name, version) = (name.to_owned(), "0.59b0".to_owned());
    InstrumentationScope { name, version, ..InstrumentationScope::default() }
}

pub(super) fn traces(scope_name: &str, spans: Vec<Span>) -> Export {
    let schema_url = SCHEMA.to_owned();
    let scope_spans = vec![ScopeSpans { scope: Some(scope(scope_name)), spans, schema_url }];
    let resource_spans =
        vec![ResourceSpans { resource: Some(resource()), scope_spans, schema_url: String::new() }];
    Export::Traces(ExportTraceServiceRequest { resource_spans })
}

pub(super) fn span(trace: u128, id: u64, parent: u64, name: &str, kind: i32) -> Span {
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 { Vec::new() } else { parent.to_be_bytes().to_vec() },
        name: name.to_owned(),
        kind,
        start_time_unix_nano: 1_000 + id,
        end_time_unix_nano: 2_000 + id,
        ..Span::default()
    }
}

fn call(id: u64, outcome: Option<&str>) -> Span {
    let mut call = span(1, id, 1, "chat anthropic.claude", CLIENT);
    call.attributes = vec![
        attribute("gen_ai.operation.name", text("chat")),
        attribute("gen_ai.usage.input_tokens", Value::IntValue(12)),
        attribute("gen_ai.request.temperature", Value::DoubleValue(1.0)),
        attribute("gen_ai.response.finish_reasons", array(&["end_turn"])),
        attribute("gen_ai.response.time_to_first_chunk", Value::DoubleValue(0.25)),
        attribute("gen_ai.input.messages", text("[{\"content\":\"Name three rivers.\"}]")),
        attribute("server.address", text("127.0.0.1")),
        attribute("server.port", Value::IntValue(43_123)),
    ];
    if let Some(message) = outcome {
        call.status = Some(Status { code: 2, message: message.to_owned() });
        call.attributes.push(attribute("error.type", text("ThrottlingException")));
        call.events = vec![Event {
            name: "exception".to_owned(),
            attributes: vec![attribute("exception.stacktrace", text("app.py, line 3"))],
            ..Event::default()
        }];
        call.links = vec![Link {
            trace_id: 1_u128.to_be_bytes().to_vec(),
            span_id: 1_u64.to_be_bytes().to_vec(),
            ..Link::default()
        }];
    }
    call
}

pub(super) fn metric(name: &str, unit: &str, sum: f64) -> Metric {
    let point = HistogramDataPoint {
        attributes: vec![attribute("gen_ai.request.model", text("anthropic.claude"))],
        start_time_unix_nano: 1,
        time_unix_nano: 9,
        count: 2,
        sum: Some(sum),
        bucket_counts: vec![0, 2, 0],
        explicit_bounds: vec![1.0, 64.0],
        min: Some(sum / 2.0),
        max: Some(sum / 2.0),
        ..HistogramDataPoint::default()
    };
    let data = Histogram { data_points: vec![point], aggregation_temporality: 2 };
    Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        data: Some(Data::Histogram(data)),
        ..Metric::default()
    }
}

pub(super) fn metrics(metrics: Vec<Metric>) -> Export {
    let scope = Some(scope("instrumentation"));
    let scope_metrics = vec![ScopeMetrics { scope, metrics, schema_url: SCHEMA.to_owned() }];
    let resource_metrics = vec![ResourceMetrics {
        resource: Some(resource()),
        scope_metrics,
        schema_url: String::new(),
    }];
    Export::Metrics(ExportMetricsServiceRequest { resource_metrics })
}

pub(super) fn log(body: &str) -> LogRecord {
    LogRecord {
        event_name: "gen_ai.choice".to_owned(),
        severity_number: 9,
        trace_id: 1_u128.to_be_bytes().to_vec(),
        span_id: 2_u64.to_be_bytes().to_vec(),
        body: Some(AnyValue { value: Some(text(body)) }),
        ..LogRecord::default()
    }
}

pub(super) fn logs(log_records: Vec<LogRecord>) -> Export {
    let scope = Some(scope("instrumentation"));
    let scope_logs = vec![ScopeLogs { scope, log_records, schema_url: SCHEMA.to_owned() }];
    let resource_logs =
        vec![ResourceLogs { resource: Some(resource()), scope_logs, schema_url: String::new() }];
    Export::Logs(ExportLogsServiceRequest { resource_logs })
}

pub(super) fn exports() -> Vec<Export> {
    let astray = LogRecord { span_id: 77_u64.to_be_bytes().to_vec(), ..log("rivers, too") };
    vec![
        traces(
            "instrumentation",
            vec![call(2, None), call(3, None), call(4, Some("SPMC1234ABCD is not for logs"))],
        ),
        traces(
            "application",
            vec![
                span(1, 1, 0, "POST /atlas", INTERNAL),
                span(2, 1, 0, "health", INTERNAL),
                span(3, 1, 0, "health", INTERNAL),
                span(4, 1, 99, "callback", INTERNAL),
            ],
        ),
        metrics(vec![
            metric("gen_ai.client.token.usage", "{token}", 24.0),
            metric("gen_ai.client.operation.duration", "s", 0.5),
        ]),
        logs(vec![log("three rivers"), astray]),
    ]
}

/// Spans each below the one before.
pub(super) fn chain(length: u64) -> Vec<Export> {
    let link = |id| span(9, id, id - 1, "link of a chain", INTERNAL);
    vec![traces("application", (1..=length).map(link).collect())]
}

/// Two spans each below the other.
pub(super) fn circle() -> Vec<Export> {
    let spans = vec![span(8, 1, 2, "one", INTERNAL), span(8, 2, 1, "other", INTERNAL)];
    vec![traces("application", spans)]
}

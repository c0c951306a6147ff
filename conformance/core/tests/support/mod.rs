//! Cases as OTLP.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use conformance_core::otlp;
use conformance_core::{Choice, Content, Judge, Judgement, Settings};
use opentelemetry_proto::tonic::metrics::v1::Exemplar;
use serde_json::Value as Json;
use spanproof_fixtures::Case;
use spanproof_fixtures::case::{self, Attributes};
use spanproof_fixtures::reference::at_ms;

/// What the judge says of a case.
pub(crate) fn judge(case: &Case) -> Judgement {
    let mut settings = Settings::default();
    if let Some(version) = &case.semconv {
        settings.semconv = Choice::Required(version.parse().unwrap());
    }
    if case.content_allowed {
        settings.content = Content::Allowed;
    }
    let mut judge = Judge::new(settings);
    for record in &case.ledger {
        judge.ledger(record.clone());
    }
    for span in &case.spans {
        judge.traces(&traces(span));
    }
    for metric in &case.metrics {
        judge.metrics(&metrics(metric));
    }
    for log in &case.logs {
        judge.logs(&logs(log));
    }
    judge.finish()
}

pub(crate) fn traces(span: &case::Span) -> otlp::ExportTraceServiceRequest {
    otlp::ExportTraceServiceRequest {
        resource_spans: vec![otlp::ResourceSpans {
            resource: Some(otlp::Resource {
                attributes: attributes(&span.resource),
                ..otlp::Resource::default()
            }),
            scope_spans: vec![otlp::ScopeSpans {
                scope: Some(scope(&span.scope)),
                spans: vec![otlp_span(span)],
                schema_url: span.schema_url.clone(),
            }],
            schema_url: String::new(),
        }],
    }
}

fn otlp_span(span: &case::Span) -> otlp::Span {
    let kind = match span.kind {
        case::Kind::Client => otlp::SpanKind::Client,
        case::Kind::Internal => otlp::SpanKind::Internal,
        case::Kind::Server => otlp::SpanKind::Server,
        case::Kind::Producer => otlp::SpanKind::Producer,
        case::Kind::Consumer => otlp::SpanKind::Consumer,
        case::Kind::Unspecified => otlp::SpanKind::Unspecified,
    };
    let code = match span.status {
        case::Status::Unset => otlp::StatusCode::Unset,
        case::Status::Ok => otlp::StatusCode::Ok,
        case::Status::Error => otlp::StatusCode::Error,
    };
    let events = span.events.iter().map(|event| otlp::Event {
        name: event.name.clone(),
        attributes: attributes(&event.attributes),
        ..otlp::Event::default()
    });
    let links = span
        .links
        .iter()
        .map(|link| otlp::Link { attributes: attributes(link), ..otlp::Link::default() });
    otlp::Span {
        trace_id: u128::from(span.trace).to_be_bytes().to_vec(),
        span_id: span.span.to_be_bytes().to_vec(),
        parent_span_id: match span.parent {
            0 => Vec::new(),
            parent => parent.to_be_bytes().to_vec(),
        },
        name: span.name.clone(),
        kind: kind as i32,
        start_time_unix_nano: span.start_unix_nanos,
        end_time_unix_nano: span.end_unix_nanos,
        attributes: attributes(&span.attributes),
        status: Some(otlp::Status { message: span.status_message.clone(), code: code as i32 }),
        events: events.collect(),
        links: links.collect(),
        ..otlp::Span::default()
    }
}

fn metrics(metric: &case::Metric) -> otlp::ExportMetricsServiceRequest {
    let points = metric.points.iter().map(|point| otlp::HistogramDataPoint {
        attributes: attributes(&point.attributes),
        start_time_unix_nano: at_ms(point.start_ms),
        time_unix_nano: at_ms(point.time_ms),
        count: point.count,
        sum: Some(point.sum),
        exemplars: point
            .exemplars
            .iter()
            .map(|exemplar| Exemplar {
                filtered_attributes: attributes(exemplar),
                ..Exemplar::default()
            })
            .collect(),
        ..otlp::HistogramDataPoint::default()
    });
    let temporality = match metric.temporality {
        case::Temporality::Delta => otlp::AggregationTemporality::Delta,
        case::Temporality::Cumulative => otlp::AggregationTemporality::Cumulative,
    };
    otlp::ExportMetricsServiceRequest {
        resource_metrics: vec![otlp::ResourceMetrics {
            scope_metrics: vec![otlp::ScopeMetrics {
                scope: Some(scope(&metric.scope)),
                metrics: vec![otlp::Metric {
                    name: metric.name.clone(),
                    unit: metric.unit.clone(),
                    data: Some(otlp::Data::Histogram(otlp::Histogram {
                        data_points: points.collect(),
                        aggregation_temporality: temporality as i32,
                    })),
                    ..otlp::Metric::default()
                }],
                schema_url: metric.schema_url.clone(),
            }],
            ..otlp::ResourceMetrics::default()
        }],
    }
}

fn logs(log: &case::Log) -> otlp::ExportLogsServiceRequest {
    otlp::ExportLogsServiceRequest {
        resource_logs: vec![otlp::ResourceLogs {
            scope_logs: vec![otlp::ScopeLogs {
                scope: Some(scope(&log.scope)),
                log_records: vec![otlp::LogRecord {
                    event_name: log.event.clone(),
                    body: any(&log.body),
                    attributes: attributes(&log.attributes),
                    ..otlp::LogRecord::default()
                }],
                schema_url: String::new(),
            }],
            ..otlp::ResourceLogs::default()
        }],
    }
}

fn scope(name: &str) -> otlp::InstrumentationScope {
    otlp::InstrumentationScope { name: name.to_owned(), ..otlp::InstrumentationScope::default() }
}

fn attributes(attributes: &Attributes) -> Vec<otlp::KeyValue> {
    attributes.iter().map(|(key, value)| key_value(key, value)).collect()
}

fn key_value(key: &str, value: &Json) -> otlp::KeyValue {
    otlp::KeyValue { key: key.to_owned(), value: any(value), ..otlp::KeyValue::default() }
}

fn any(value: &Json) -> Option<otlp::AnyValue> {
    let value = match value {
        Json::Null => return None,
        Json::Bool(value) => otlp::Value::BoolValue(*value),
        Json::Number(number) => match number.as_i64() {
            Some(int) => otlp::Value::IntValue(int),
            None => otlp::Value::DoubleValue(number.as_f64().unwrap()),
        },
        Json::String(text) => otlp::Value::StringValue(text.clone()),
        Json::Array(values) => otlp::Value::ArrayValue(otlp::ArrayValue {
            values: values.iter().map(|value| any(value).unwrap_or_default()).collect(),
        }),
        Json::Object(map) => match (map.get("$bytes"), map.get("$map")) {
            (Some(Json::String(text)), None) => otlp::Value::BytesValue(text.clone().into_bytes()),
            (None, Some(Json::Object(entries))) => otlp::Value::KvlistValue(otlp::KeyValueList {
                values: entries.iter().map(|(key, value)| key_value(key, value)).collect(),
            }),
            _ => panic!("neither $bytes nor $map: {map:?}"),
        },
    };
    Some(otlp::AnyValue { value: Some(value) })
}

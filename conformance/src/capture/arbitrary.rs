//! Requests for property tests: every field of every message takes every kind of value.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::array::{uniform8, uniform16};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::Export;

pub(crate) fn export() -> impl Strategy<Value = Export> {
    prop_oneof![
        in_resource(span()).prop_map(|(resource, scope, spans)| {
            let schema_url = "url".to_owned();
            let scope_spans = vec![ScopeSpans { scope, spans, schema_url }];
            let resource_spans =
                vec![ResourceSpans { resource, scope_spans, schema_url: String::new() }];
            Export::Traces(Traces { resource_spans })
        }),
        in_resource(metric()).prop_map(|(resource, scope, metrics)| {
            let scope_metrics = vec![ScopeMetrics { scope, metrics, schema_url: String::new() }];
            let resource_metrics =
                vec![ResourceMetrics { resource, scope_metrics, schema_url: "url".to_owned() }];
            Export::Metrics(Metrics { resource_metrics })
        }),
        in_resource(log_record()).prop_map(|(resource, scope, log_records)| {
            let scope_logs = vec![ScopeLogs { scope, log_records, schema_url: String::new() }];
            let resource_logs =
                vec![ResourceLogs { resource, scope_logs, schema_url: String::new() }];
            Export::Logs(Logs { resource_logs })
        }),
    ]
}

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest as Logs;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest as Metrics;
pub(crate) use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest as Traces;

type InResource<T> = (Option<Resource>, Option<InstrumentationScope>, Vec<T>);

fn in_resource<T: std::fmt::Debug>(
    item: impl Strategy<Value = T>,
) -> impl Strategy<Value = InResource<T>> {
    let resource = (attributes(), any::<u32>()).prop_map(|(attributes, dropped)| Resource {
        attributes,
        dropped_attributes_count: dropped,
        ..Resource::default()
    });
    let scope = (any::<String>(), any::<String>(), attributes(), any::<u32>()).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    );
    (option::of(resource), option::of(scope), vec(item, 0..4))
}

/// Any double but NaN, which equals nothing, itself included.
fn double() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE
}

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        any::<String>().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|truth| Some(Value::BoolValue(truth))),
        any::<i64>().prop_map(|integer| Some(Value::IntValue(integer))),
        double().prop_map(|double| Some(Value::DoubleValue(double))),
        vec(any::<u8>(), 0..5).prop_map(|bytes| Some(Value::BytesValue(bytes))),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            vec(key_value(inner), 0..3)
                .prop_map(|values| Value::KvlistValue(KeyValueList { values })),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn key_value(value: impl Strategy<Value = AnyValue>) -> impl Strategy<Value = KeyValue> {
    (any::<String>(), option::of(value)).prop_map(|(key, value)| KeyValue {
        key,
        value,
        ..KeyValue::default()
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(key_value(any_value()), 0..3)
}

fn trace_id() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![9 => uniform16(1..u8::MAX).prop_map(Vec::from), 1 => Just(Vec::new())]
}

fn span_id() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![9 => uniform8(1..u8::MAX).prop_map(Vec::from), 1 => Just(Vec::new())]
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (trace_id(), span_id(), any::<String>(), span_id());
    let scalars = (any::<String>(), 0..6_i32, any::<u64>(), any::<u64>(), any::<[u32; 4]>());
    let event = (any::<u64>(), any::<String>(), attributes(), any::<u32>()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    );
    let link =
        (trace_id(), span_id(), any::<String>(), attributes(), any::<[u32; 2]>()).prop_map(
            |(trace_id, span_id, trace_state, attributes, [dropped_attributes_count, flags])| {
                Link { trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags }
            },
        );
    let status = (any::<String>(), 0..3_i32).prop_map(|(message, code)| Status { message, code });
    let parts = (attributes(), vec(event, 0..3), vec(link, 0..2), option::of(status));
    (ids, scalars, parts).prop_map(
        |(
            (trace_id, span_id, trace_state, parent_span_id),
            (name, kind, start_time_unix_nano, end_time_unix_nano, counts),
            (attributes, events, links, status),
        )| Span {
            trace_id,
            span_id,
            trace_state,
            parent_span_id,
            flags: counts[0],
            name,
            kind,
            start_time_unix_nano,
            end_time_unix_nano,
            attributes,
            dropped_attributes_count: counts[1],
            events,
            dropped_events_count: counts[2],
            links,
            dropped_links_count: counts[3],
            status,
        },
    )
}

fn log_record() -> impl Strategy<Value = LogRecord> {
    let scalars = (any::<[u64; 2]>(), 0..25_i32, any::<String>(), any::<[u32; 2]>());
    let parts = (option::of(any_value()), attributes(), trace_id(), span_id(), any::<String>());
    (scalars, parts).prop_map(
        |(
            (times, severity_number, severity_text, [dropped_attributes_count, flags]),
            (body, attributes, trace_id, span_id, event_name),
        )| LogRecord {
            time_unix_nano: times[0],
            observed_time_unix_nano: times[1],
            severity_number,
            severity_text,
            body,
            attributes,
            dropped_attributes_count,
            flags,
            trace_id,
            span_id,
            event_name,
        },
    )
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    let value = prop_oneof![
        double().prop_map(exemplar::Value::AsDouble),
        any::<i64>().prop_map(exemplar::Value::AsInt),
    ];
    (attributes(), any::<u64>(), span_id(), trace_id(), option::of(value)).prop_map(
        |(filtered_attributes, time_unix_nano, span_id, trace_id, value)| Exemplar {
            filtered_attributes,
            time_unix_nano,
            span_id,
            trace_id,
            value,
        },
    )
}

fn number_point() -> impl Strategy<Value = NumberDataPoint> {
    let value = prop_oneof![
        double().prop_map(number_data_point::Value::AsDouble),
        any::<i64>().prop_map(number_data_point::Value::AsInt),
    ];
    (attributes(), any::<[u64; 2]>(), vec(exemplar(), 0..2), any::<u32>(), option::of(value))
        .prop_map(|(attributes, times, exemplars, flags, value)| NumberDataPoint {
            attributes,
            start_time_unix_nano: times[0],
            time_unix_nano: times[1],
            exemplars,
            flags,
            value,
        })
}

fn histogram_point() -> impl Strategy<Value = HistogramDataPoint> {
    let doubles = (option::of(double()), option::of(double()), option::of(double()));
    let buckets = (vec(any::<u64>(), 0..4), vec(double(), 0..4));
    (attributes(), any::<[u64; 3]>(), doubles, buckets, vec(exemplar(), 0..2), any::<u32>())
        .prop_map(
            |(
                attributes,
                times,
                (sum, min, max),
                (bucket_counts, explicit_bounds),
                exemplars,
                flags,
            )| {
                HistogramDataPoint {
                    attributes,
                    start_time_unix_nano: times[0],
                    time_unix_nano: times[1],
                    count: times[2],
                    sum,
                    bucket_counts,
                    explicit_bounds,
                    exemplars,
                    flags,
                    min,
                    max,
                }
            },
        )
}

fn exponential_point() -> impl Strategy<Value = ExponentialHistogramDataPoint> {
    let buckets = || {
        option::of(
            (any::<i32>(), vec(any::<u64>(), 0..4))
                .prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }),
        )
    };
    let doubles = (option::of(double()), option::of(double()), option::of(double()), double());
    (attributes(), any::<[u64; 4]>(), doubles, any::<i32>(), buckets(), buckets(), any::<u32>())
        .prop_map(
            |(
                attributes,
                times,
                (sum, min, max, zero_threshold),
                scale,
                positive,
                negative,
                flags,
            )| {
                ExponentialHistogramDataPoint {
                    attributes,
                    start_time_unix_nano: times[0],
                    time_unix_nano: times[1],
                    count: times[2],
                    sum,
                    scale,
                    zero_count: times[3],
                    positive,
                    negative,
                    flags,
                    exemplars: Vec::new(),
                    min,
                    max,
                    zero_threshold,
                }
            },
        )
}

fn summary_point() -> impl Strategy<Value = SummaryDataPoint> {
    let quantile =
        (double(), double()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    (attributes(), any::<[u64; 3]>(), double(), vec(quantile, 0..3), any::<u32>()).prop_map(
        |(attributes, times, sum, quantile_values, flags)| SummaryDataPoint {
            attributes,
            start_time_unix_nano: times[0],
            time_unix_nano: times[1],
            count: times[2],
            sum,
            quantile_values,
            flags,
        },
    )
}

fn metric() -> impl Strategy<Value = Metric> {
    let temporality = 0..3_i32;
    let data = prop_oneof![
        vec(number_point(), 0..3).prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (vec(number_point(), 0..3), temporality.clone(), any::<bool>()).prop_map(
            |(data_points, aggregation_temporality, is_monotonic)| Data::Sum(Sum {
                data_points,
                aggregation_temporality,
                is_monotonic,
            })
        ),
        (vec(histogram_point(), 0..3), temporality.clone()).prop_map(
            |(data_points, aggregation_temporality)| Data::Histogram(Histogram {
                data_points,
                aggregation_temporality,
            })
        ),
        (vec(exponential_point(), 0..3), temporality).prop_map(
            |(data_points, aggregation_temporality)| Data::ExponentialHistogram(
                ExponentialHistogram { data_points, aggregation_temporality }
            )
        ),
        vec(summary_point(), 0..3).prop_map(|data_points| Data::Summary(Summary { data_points })),
    ];
    (any::<[String; 3]>(), attributes(), option::of(data)).prop_map(
        |([name, description, unit], metadata, data)| Metric {
            name,
            description,
            unit,
            metadata,
            data,
        },
    )
}

//! Telemetry of any kind, often such that means something.

use conformance_core::otlp::{self, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::made::{MODELS, text};

/// A value of any shape, often one that means something.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::IntValue),
        any::<f64>().prop_map(Value::DoubleValue),
        any::<bool>().prop_map(Value::BoolValue),
        ".{0,12}".prop_map(Value::StringValue),
        prop_oneof![
            Just("chat"),
            Just("embeddings"),
            Just("invoke_agent"),
            Just("aws.bedrock"),
            Just("LLM"),
            Just("ai.generateText.doGenerate"),
            Just(MODELS[0]),
            Just("18446744073709551615"),
        ]
        .prop_map(text),
        vec(any::<u8>(), 0..8).prop_map(Value::BytesValue),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let any = inner.prop_map(|value| otlp::AnyValue { value: Some(value) });
        prop_oneof![
            vec(any.clone(), 0..3)
                .prop_map(|values| Value::ArrayValue(otlp::ArrayValue { values })),
            vec((".{0,6}", any), 0..3).prop_map(|entries| {
                let entry = |(key, value)| otlp::KeyValue {
                    key,
                    value: Some(value),
                    ..otlp::KeyValue::default()
                };
                Value::KvlistValue(otlp::KeyValueList {
                    values: entries.into_iter().map(entry).collect(),
                })
            }),
        ]
    })
}

pub(crate) fn attribute() -> impl Strategy<Value = otlp::KeyValue> {
    let key = prop_oneof![
        prop::sample::select(vec![
            "gen_ai.operation.name",
            "gen_ai.system",
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "gen_ai.response.finish_reasons",
            "gen_ai.response.id",
            "gen_ai.token.type",
            "gen_ai.nonsense",
            "aws.bedrock.guardrail.id",
            "error.type",
            "server.address",
            "openinference.span.kind",
            "ai.operationId",
            "spanproof.invocation_id",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    (key, proptest::option::of(value())).prop_map(|(key, value)| otlp::KeyValue {
        key,
        value: Some(otlp::AnyValue { value }),
        ..otlp::KeyValue::default()
    })
}

pub(crate) fn any_span() -> impl Strategy<Value = otlp::Span> {
    (
        (vec(any::<u8>(), 0..20), vec(0..3_u8, 0..9), vec(0..3_u8, 0..9), ".{0,12}"),
        (-1..8_i32, any::<u64>(), any::<u64>(), -1..4_i32),
        vec(attribute(), 0..12),
    )
        .prop_map(|(ids, rest, attributes)| otlp::Span {
            trace_id: ids.0,
            span_id: ids.1,
            parent_span_id: ids.2,
            name: ids.3,
            kind: rest.0,
            start_time_unix_nano: rest.1,
            end_time_unix_nano: rest.2,
            status: Some(otlp::Status { message: String::new(), code: rest.3 }),
            attributes,
            ..otlp::Span::default()
        })
}

pub(crate) fn any_metric() -> impl Strategy<Value = otlp::Metric> {
    let name = prop_oneof![
        Just("gen_ai.client.token.usage"),
        Just("gen_ai.client.operation.duration"),
        Just("gen_ai.other"),
    ];
    let point = (vec(attribute(), 0..6), any::<(u64, u64, u64)>(), any::<Option<f64>>());
    (name, vec(point, 0..4), 0..4_i32).prop_map(|(name, points, temporality)| otlp::Metric {
        name: name.to_owned(),
        data: Some(otlp::Data::Histogram(otlp::Histogram {
            data_points: points
                .into_iter()
                .map(|(attributes, (start, time, count), sum)| otlp::HistogramDataPoint {
                    attributes,
                    start_time_unix_nano: start,
                    time_unix_nano: time,
                    count,
                    sum,
                    ..otlp::HistogramDataPoint::default()
                })
                .collect(),
            aggregation_temporality: temporality,
        })),
        ..otlp::Metric::default()
    })
}

pub(crate) fn metrics(metric: otlp::Metric) -> otlp::ExportMetricsServiceRequest {
    otlp::ExportMetricsServiceRequest {
        resource_metrics: vec![otlp::ResourceMetrics {
            scope_metrics: vec![otlp::ScopeMetrics {
                metrics: vec![metric],
                ..otlp::ScopeMetrics::default()
            }],
            ..otlp::ResourceMetrics::default()
        }],
    }
}

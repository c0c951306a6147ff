//! Calls with their exchanges and their true spans.

use conformance_core::otlp::{self, SpanKind, Value};
use proptest::prelude::*;
use spanproof_schemas::ledger::{Exchange, Operation, Record, TraceContext, Usage};

pub(crate) const EPOCH: u64 = 1_767_225_600_000_000_000;
pub(crate) const MILLI: u64 = 1_000_000;
pub(crate) const MODELS: [&str; 2] =
    ["anthropic.claude-3-haiku-20240307-v1:0", "amazon.nova-lite-v1:0"];

pub(crate) fn key_value(key: &str, value: Value) -> otlp::KeyValue {
    otlp::KeyValue {
        key: key.to_owned(),
        value: Some(otlp::AnyValue { value: Some(value) }),
        ..otlp::KeyValue::default()
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

pub(crate) fn count(tokens: u64) -> Value {
    Value::IntValue(i64::try_from(tokens).unwrap())
}

/// What ties a call to its span.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tie {
    InvocationId,
    CurrentSpan,
    Transport,
    RequestId,
    Time,
}

/// A call with its place in time.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) start_ms: u64,
    pub(crate) length_ms: u64,
    pub(crate) model: usize,
    pub(crate) usage: Usage,
    pub(crate) tie: Tie,
}

pub(crate) fn made() -> impl Strategy<Value = Made> {
    let tie = prop_oneof![
        Just(Tie::InvocationId),
        Just(Tie::CurrentSpan),
        Just(Tie::Transport),
        Just(Tie::RequestId),
        Just(Tie::Time),
    ];
    let usage = (1..10_000_u64, 1..10_000_u64, 0..3_000_u64, 0..3_000_u64).prop_map(
        |(input_tokens, output_tokens, cache_read_input_tokens, cache_write_input_tokens)| Usage {
            input_tokens,
            output_tokens,
            cache_read_input_tokens,
            cache_write_input_tokens,
            ..Usage::default()
        },
    );
    (0..400_u64, 20..200_u64, 0..MODELS.len(), usage, tie).prop_map(
        |(start_ms, length_ms, model, usage, tie)| Made { start_ms, length_ms, model, usage, tie },
    )
}

pub(crate) fn exchange(n: usize, made: &Made) -> Record {
    let n = n as u64;
    let current = match made.tie {
        Tie::CurrentSpan => Some(n + 1),
        Tie::Transport => Some(n + 1_000_001),
        _ => None,
    };
    Record::Exchange(Box::new(Exchange {
        sequence: n,
        arrived_unix_nanos: EPOCH + (made.start_ms + 3) * MILLI,
        finished_unix_nanos: EPOCH + (made.start_ms + made.length_ms - 3) * MILLI,
        request_id: format!("request-{n}"),
        operation: Operation::Converse,
        model_id: MODELS[made.model].to_owned(),
        trace_context: current.map(|span| TraceContext {
            trace_id: format!("{:032x}", n + 1),
            span_id: format!("{span:016x}"),
            sampled: true,
        }),
        invocation_id: Some(format!("invocation-{n}")),
        attempt: Some(1),
        usage: made.usage,
        stop_reason: Some("end_turn".to_owned()),
        status: 200,
        delivered: true,
        ..Exchange::default()
    }))
}

/// The true span of a call, and that of its transport where there is one.
pub(crate) fn spans(n: usize, made: &Made) -> Vec<otlp::Span> {
    let id = n as u64 + 1;
    let model = MODELS[made.model];
    let usage = made.usage;
    let mut attributes = vec![
        key_value("gen_ai.operation.name", text("chat")),
        key_value("gen_ai.provider.name", text("aws.bedrock")),
        key_value("server.address", text("127.0.0.1")),
        key_value("server.port", count(8080)),
        key_value("gen_ai.request.model", text(model)),
        key_value("gen_ai.usage.input_tokens", count(usage.all_input_tokens())),
        key_value("gen_ai.usage.output_tokens", count(usage.output_tokens)),
        key_value("gen_ai.usage.cache_read.input_tokens", count(usage.cache_read_input_tokens)),
        key_value(
            "gen_ai.usage.cache_creation.input_tokens",
            count(usage.cache_write_input_tokens),
        ),
        key_value(
            "gen_ai.response.finish_reasons",
            Value::ArrayValue(otlp::ArrayValue {
                values: vec![otlp::AnyValue { value: Some(text("stop")) }],
            }),
        ),
    ];
    match made.tie {
        Tie::InvocationId => {
            let id = text(&format!("invocation-{n}"));
            attributes.push(key_value("spanproof.invocation_id", id));
        }

        Tie::RequestId => {
            attributes.push(key_value("aws.request_id", text(&format!("request-{n}"))));
        }
        _ => {}
    }
    let span = otlp::Span {
        trace_id: u128::from(id).to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: format!("chat {model}"),
        kind: SpanKind::Client as i32,
        start_time_unix_nano: EPOCH + made.start_ms * MILLI,
        end_time_unix_nano: EPOCH + (made.start_ms + made.length_ms) * MILLI,
        attributes,
        ..otlp::Span::default()
    };
    let mut all = vec![span];
    if matches!(made.tie, Tie::Transport) {
        all.push(otlp::Span {
            span_id: (id + 1_000_000).to_be_bytes().to_vec(),
            parent_span_id: id.to_be_bytes().to_vec(),
            attributes: Vec::new(),
            name: "POST".to_owned(),
            ..all[0].clone()
        });
    }
    all
}

pub(crate) fn call(start_ms: u64, length_ms: u64, tie: Tie) -> Made {
    let usage = Usage { input_tokens: 5, output_tokens: 7, ..Usage::default() };
    Made { start_ms, length_ms, model: 0, usage, tie }
}

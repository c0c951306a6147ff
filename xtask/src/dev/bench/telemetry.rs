//! The telemetry that the benches decode and send: GenAI client spans of twenty attributes.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::SpanKind};
use serde_json::json;
use spanproof_schemas::ledger::{self, MarkerKind, Operation};

/// Spans in one export request, the batch size of the SDKs.
pub(super) const BATCH: usize = 512;

/// How long after one span the next starts.
pub(super) const STEP_NANOS: u64 = 1_000_000;

/// The `number`th batch: every span differs in ids, times, model and tokens.
pub(super) fn batch(number: u64) -> ExportTraceServiceRequest {
    batch_of(number, span)
}

/// The `number`th batch of spans that hold their content too: the instructions of one application,
/// which are the same every time, a conversation with a tool call, and an answer.
pub(super) fn content_batch(number: u64) -> ExportTraceServiceRequest {
    batch_of(number, |number| {
        let mut span = span(number);
        span.attributes.extend(content(number));
        span
    })
}

fn batch_of(number: u64, span: impl Fn(u64) -> Span) -> ExportTraceServiceRequest {
    let first = number * BATCH as u64;
    let spans = (first..first + BATCH as u64).map(span).collect();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![text("service.name", "bench")],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "bench".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans,
                schema_url: "https://opentelemetry.io/schemas/1.41.1".to_owned(),
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn span(number: u64) -> Span {
    let models = [
        "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
        "amazon.nova-lite-v1:0",
    ];
    let model = models[(number % 3) as usize];
    let (input, output) = (number % 3_000 + 20, number % 700 + 5);
    let start = 1_790_000_000_000_000_000 + number * STEP_NANOS;
    Span {
        trace_id: (u128::from(number) + 1).to_be_bytes().to_vec(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: format!("chat {model}"),
        kind: SpanKind::Client.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start + 900_000_000,
        attributes: vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "aws.bedrock"),
            text("gen_ai.request.model", model),
            text("gen_ai.response.model", model),
            text("gen_ai.response.id", &format!("msg_bdrk_{number:024}")),
            texts("gen_ai.response.finish_reasons", &["end_turn"]),
            int("gen_ai.request.max_tokens", 1_024),
            double("gen_ai.request.temperature", 0.5),
            double("gen_ai.request.top_p", 0.9),
            double("gen_ai.request.top_k", 40.0),
            texts("gen_ai.request.stop_sequences", &["END", "STOP"]),
            flag("gen_ai.request.stream", true),
            double("gen_ai.response.time_to_first_chunk", 0.4),
            int("gen_ai.usage.input_tokens", input),
            int("gen_ai.usage.output_tokens", output),
            int("gen_ai.usage.cache_read.input_tokens", 0),
            int("gen_ai.usage.cache_creation.input_tokens", 0),
            text("server.address", "bedrock-runtime.us-east-1.amazonaws.com"),
            int("server.port", 443),
            text("gen_ai.conversation.id", &format!("conversation-{:08}", number / 4)),
        ],
        ..Span::default()
    }
}

/// Some two and a half kilobytes of JSON.
fn content(number: u64) -> [KeyValue; 3] {
    let rules = "Answer in the language of the question, and name the order that you speak of. ";
    let instructions = json!([{"type": "text", "content": rules.repeat(6)}]);
    let question = "The parcel that was to come on Monday has not arrived, where is it? ".repeat(8);
    let call = format!("tooluse_{number:020}");
    let input = json!([
        {"role": "user", "parts": [{"type": "text", "content": format!("Order {number}: {question}")}]},
        {"role": "assistant", "parts": [
            {"type": "tool_call", "id": call, "name": "find_order", "arguments": {"number": number}},
        ]},
        {"role": "tool", "parts": [
            {"type": "tool_call_response", "id": call, "response": {"state": "in transit", "days": number % 9}},
        ]},
    ]);
    let answer = "It is on its way, and will be there within the days that the carrier has said. ";
    let text = format!("Order {number}. {}", answer.repeat(8));
    let output = json!([{
        "role": "assistant",
        "parts": [{"type": "text", "content": text}],
        "finish_reason": "stop",
    }]);
    [
        text_of("gen_ai.system_instructions", &instructions),
        text_of("gen_ai.input.messages", &input),
        text_of("gen_ai.output.messages", &output),
    ]
}

fn text_of(key: &str, json: &serde_json::Value) -> KeyValue {
    text(key, &json.to_string())
}

/// The first record of the ledger.
pub(super) fn run() -> ledger::Record {
    ledger::Record::Run(ledger::Run {
        version: ledger::LEDGER_VERSION,
        seed: 7,
        started_unix_nanos: 1_790_000_000_000_000_000,
        server_address: "bedrock-runtime.us-east-1.amazonaws.com".to_owned(),
        server_port: 443,
        marker_stems: [MarkerKind::Prompt, MarkerKind::Completion]
            .map(|kind| ledger::marker_stem(kind, 7))
            .into(),
        planted: Vec::new(),
    })
}

/// What was served for a span, as the mock's ledger has it: its request carried the span, and
/// everything that the span states is true.
pub(super) fn exchange(span: &Span, sequence: u64) -> ledger::Exchange {
    let stated = |name: &str| {
        let all = span.attributes.iter().find(|attribute| attribute.key == name);
        all.and_then(|attribute| attribute.value.as_ref()?.value.clone())
    };
    let text = |name| match stated(name) {
        Some(Value::StringValue(text)) => text,
        _ => String::new(),
    };
    let tokens = |name| match stated(name) {
        Some(Value::IntValue(tokens)) => tokens.cast_unsigned(),
        _ => 0,
    };
    let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
    ledger::Exchange {
        sequence,
        arrived_unix_nanos: start + 1_000_000,
        finished_unix_nanos: end - 1_000_000,
        request_id: format!("0e7a6b7e-5d0f-4d4c-8a51-{sequence:012x}"),
        operation: Operation::ConverseStream,
        model_id: text("gen_ai.request.model"),
        served_model: Some(text("gen_ai.request.model")),
        trace_context: Some(ledger::TraceContext {
            trace_id: conformance_core::model::hex(&span.trace_id),
            span_id: conformance_core::model::hex(&span.span_id),
            sampled: true,
        }),
        invocation_id: Some(conformance_core::model::hex(&span.trace_id)),
        attempt: Some(1),
        parameters: ledger::Parameters {
            max_tokens: Some(1_024),
            temperature: Some(0.5),
            top_p: Some(0.9),
            top_k: Some(40.0),
            stop_sequences: vec!["END".to_owned(), "STOP".to_owned()],
            guardrail_id: None,
        },
        usage: ledger::Usage {
            input_tokens: tokens("gen_ai.usage.input_tokens"),
            output_tokens: tokens("gen_ai.usage.output_tokens"),
            ..ledger::Usage::default()
        },
        stop_reason: Some("end_turn".to_owned()),
        response_id: Some(text("gen_ai.response.id")),
        response_model: Some(text("gen_ai.response.model")),
        status: 200,
        delivered: true,
        chunks: Some(ledger::Chunks {
            first_unix_nanos: start + 399_000_000,
            last_unix_nanos: end - 2_000_000,
            count: 40,
        }),
        markers: vec![format!("{}1", ledger::marker_stem(MarkerKind::Completion, 7))],
        prompt_sha256: "0123456789abcdef".repeat(4),
        completion_sha256: "fedcba9876543210".repeat(4),
        ..ledger::Exchange::default()
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn int(key: &str, value: u64) -> KeyValue {
    attribute(key, Value::IntValue(value.cast_signed()))
}

fn double(key: &str, value: f64) -> KeyValue {
    attribute(key, Value::DoubleValue(value))
}

fn flag(key: &str, value: bool) -> KeyValue {
    attribute(key, Value::BoolValue(value))
}

fn texts(key: &str, values: &[&str]) -> KeyValue {
    let values = values
        .iter()
        .map(|value| AnyValue { value: Some(Value::StringValue((*value).to_owned())) })
        .collect();
    attribute(key, Value::ArrayValue(ArrayValue { values }))
}

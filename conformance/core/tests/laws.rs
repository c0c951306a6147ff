//! Laws that hold for any telemetry.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use conformance_core::otlp::{self, SpanKind, StatusCode, Value};
use conformance_core::{Choice, Judge, Judgement, Settings};
use proptest::collection::vec;
use proptest::prelude::*;
use spanproof_schemas::ledger::{
    Exchange, LEDGER_VERSION, MarkerKind, Operation, Record, Run, TraceContext, Usage, marker_stem,
};
use spanproof_schemas::report::JoinMeans;

const EPOCH: u64 = 1_767_225_600_000_000_000;
const MILLI: u64 = 1_000_000;
const MODELS: [&str; 2] = ["anthropic.claude-3-haiku-20240307-v1:0", "amazon.nova-lite-v1:0"];

fn run() -> Record {
    Record::Run(Run {
        version: LEDGER_VERSION,
        seed: 7,
        started_unix_nanos: EPOCH,
        server_address: "127.0.0.1".to_owned(),
        server_port: 8080,
        marker_stems: vec![
            marker_stem(MarkerKind::Prompt, 7),
            marker_stem(MarkerKind::Completion, 7),
        ],
    })
}

fn key_value(key: &str, value: Value) -> otlp::KeyValue {
    otlp::KeyValue {
        key: key.to_owned(),
        value: Some(otlp::AnyValue { value: Some(value) }),
        ..otlp::KeyValue::default()
    }
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

fn count(tokens: u64) -> Value {
    Value::IntValue(i64::try_from(tokens).unwrap())
}

fn export(span: otlp::Span) -> otlp::ExportTraceServiceRequest {
    otlp::ExportTraceServiceRequest {
        resource_spans: vec![otlp::ResourceSpans {
            scope_spans: vec![otlp::ScopeSpans {
                scope: Some(otlp::InstrumentationScope {
                    name: "law".to_owned(),
                    ..otlp::InstrumentationScope::default()
                }),
                spans: vec![span],
                schema_url: "https://opentelemetry.io/schemas/1.41.1".to_owned(),
            }],
            ..otlp::ResourceSpans::default()
        }],
    }
}

/// What ties a call to its span.
#[derive(Clone, Copy, Debug)]
enum Tie {
    InvocationId,
    CurrentSpan,
    Transport,
    RequestId,
    Time,
}

/// A call with its place in time.
#[derive(Clone, Debug)]
struct Made {
    start_ms: u64,
    length_ms: u64,
    model: usize,
    usage: Usage,
    tie: Tie,
}

fn made() -> impl Strategy<Value = Made> {
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

fn exchange(n: usize, made: &Made) -> Record {
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
fn spans(n: usize, made: &Made) -> Vec<otlp::Span> {
    let id = n as u64 + 1;
    let model = MODELS[made.model];
    let usage = made.usage;
    let mut attributes = vec![
        key_value("gen_ai.operation.name", text("chat")),
        key_value("gen_ai.provider.name", text("aws.bedrock")),
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

/// Something that a judge takes in.
#[derive(Clone, Debug)]
enum Input {
    Record(Record),
    Span(otlp::Span),
}

fn judge(inputs: &[Input]) -> Judgement {
    let mut judge = Judge::new(Settings::default());
    judge.ledger(run());
    for input in inputs {
        match input {
            Input::Record(record) => judge.ledger(record.clone()),
            Input::Span(span) => judge.traces(&export(span.clone())),
        }
    }
    judge.finish()
}

fn inputs(calls: &[Made]) -> Vec<Input> {
    let mut inputs = Vec::new();
    for (n, made) in calls.iter().enumerate() {
        inputs.push(Input::Record(exchange(n, made)));
        inputs.extend(spans(n, made).into_iter().map(Input::Span));
    }
    inputs
}

/// A value of any shape, often one that means something.
fn value() -> impl Strategy<Value = Value> {
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

fn attribute() -> impl Strategy<Value = otlp::KeyValue> {
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

fn any_span() -> impl Strategy<Value = otlp::Span> {
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

fn any_metric() -> impl Strategy<Value = otlp::Metric> {
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

fn metrics(metric: otlp::Metric) -> otlp::ExportMetricsServiceRequest {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_the_judge_panic(
        spans in vec(any_span(), 0..8),
        made in vec(made(), 0..4),
        metric in any_metric(),
        body in proptest::option::of(value()),
        required in any::<bool>(),
    ) {
        let mut settings = Settings::default();
        if required {
            settings.semconv = Choice::Required("1.41.1".parse().unwrap());
        }
        let mut judge = Judge::new(settings);
        judge.ledger(run());
        for (n, made) in made.iter().enumerate() {
            judge.ledger(exchange(n, made));
        }
        for span in &spans {
            judge.traces(&export(span.clone()));
        }
        judge.metrics(&metrics(metric));
        judge.logs(&otlp::ExportLogsServiceRequest {
            resource_logs: vec![otlp::ResourceLogs {
                scope_logs: vec![otlp::ScopeLogs {
                    log_records: vec![otlp::LogRecord {
                        body: Some(otlp::AnyValue { value: body }),
                        ..otlp::LogRecord::default()
                    }],
                    ..otlp::ScopeLogs::default()
                }],
                ..otlp::ResourceLogs::default()
            }],
        });
        let judgement = judge.finish();
        prop_assert_eq!(judgement.telemetry.spans, spans.len() as u64);
    }

    #[test]
    fn true_telemetry_is_joined_in_full_and_has_no_findings(calls in vec(made(), 1..24)) {
        let judgement = judge(&inputs(&calls));
        let join = judgement.join.unwrap();
        prop_assert_eq!(join.matched, calls.len() as u64);
        prop_assert_eq!(join.unmatched_spans, 0);
        prop_assert_eq!(judgement.findings, vec![]);
    }

    #[test]
    fn the_order_of_ingestion_does_not_show(
        (inputs, shuffled) in (vec(made(), 1..10), vec(any_span(), 0..4), any::<prop::sample::Index>())
            .prop_map(|(mut calls, odd, lost)| {
                // Calls that only their order tells apart, with spans of which half are wrong.
                for made in &mut calls {
                    *made = call(made.start_ms / 200 * 200, 100, made.tie);
                }
                let mut all = inputs(&calls);
                for (at, input) in all.iter_mut().enumerate() {
                    if let Input::Span(span) = input && at % 4 < 2 {
                        span.attributes.retain(|known| !known.key.ends_with("finish_reasons"));
                    }
                }
                all.remove(lost.index(all.len()));
                all.extend(odd.into_iter().map(Input::Span));
                all
            })
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        prop_assert_eq!(judge(&inputs), judge(&shuffled));
    }

    #[test]
    fn sums_are_those_of_both_sides(
        calls in vec(made(), 1..12),
        lost in any::<prop::sample::Index>(),
    ) {
        let lost = lost.index(calls.len());
        let mut all = Vec::new();
        let mut served = 0;
        let mut reported = 0;
        for (n, made) in calls.iter().enumerate() {
            all.push(Input::Record(exchange(n, made)));
            served += made.usage.all_input_tokens();
            if n != lost {
                all.extend(spans(n, made).into_iter().map(Input::Span));
                reported += made.usage.all_input_tokens();
            }
        }
        let judgement = judge(&all);
        let join = judgement.join.unwrap();
        prop_assert_eq!(judgement.usage.served.input_tokens, served);
        prop_assert_eq!(judgement.usage.reported.input_tokens, reported);
        prop_assert_eq!((join.calls, join.unmatched_calls), (calls.len() as u64, 1));
        prop_assert_eq!(join.by.values().sum::<u64>(), join.matched);
        let by_model = judgement.calls_by_model.values();
        let of_models = by_model.map(|sums| sums.reported.all_input_tokens()).sum::<u64>();
        prop_assert_eq!(of_models, reported);
        let missing: u64 = judgement
            .findings
            .iter()
            .filter(|group| matches!(&*group.rule, "truth/missing-span" | "truth/unended-span"))
            .map(|group| group.count)
            .sum();
        prop_assert_eq!(missing, 1);
    }
}

#[test]
fn an_export_that_is_delivered_twice_counts_once() {
    let made = call(0, 100, Tie::CurrentSpan);
    let mut all = inputs(std::slice::from_ref(&made));
    all.extend(spans(0, &made).into_iter().map(Input::Span));
    let judgement = judge(&all);
    assert_eq!(judgement.findings, vec![]);
    assert_eq!(judgement.usage.reported.output_tokens, 7);
}

#[test]
fn an_error_status_is_read() {
    let made = call(0, 100, Tie::Time);
    let mut span = spans(0, &made).remove(0);
    span.status = Some(otlp::Status { message: String::new(), code: StatusCode::Error as i32 });
    let judgement = judge(&[Input::Record(exchange(0, &made)), Input::Span(span)]);
    let rules: Vec<&str> = judgement.findings.iter().map(|group| &*group.rule).collect();
    assert_eq!(rules, ["status/error-type"; 2]);
}

#[test]
fn every_tie_joins_by_its_means() {
    let means = [
        (Tie::InvocationId, JoinMeans::InvocationId),
        (Tie::CurrentSpan, JoinMeans::TraceContext),
        (Tie::Transport, JoinMeans::TraceContext),
        (Tie::RequestId, JoinMeans::ResponseId),
        (Tie::Time, JoinMeans::TimeOverlap),
    ];
    for (tie, means) in means {
        let calls: Vec<Made> = (0..5).map(|n| call(n * 10, 100, tie)).collect();
        let join = judge(&inputs(&calls)).join.unwrap();
        assert_eq!(join.by.into_iter().collect::<Vec<_>>(), [(means, 5)], "{tie:?}");
    }
}

/// Sixteen calls are open at any time, and spans say nothing but when, what and how it ended.
#[test]
fn time_alone_tells_calls_apart_that_start_in_order() {
    let mut all = Vec::new();
    for n in 0..400 {
        let made = call(n as u64 * 10, 160, Tie::Time);
        let reason = if n % 2 == 0 { "end_turn" } else { "max_tokens" };
        let Record::Exchange(mut exchange) = exchange(n, &made) else { unreachable!() };
        exchange.stop_reason = Some(reason.to_owned());
        all.push(Input::Record(Record::Exchange(exchange)));
        let mut span = spans(n, &made).remove(0);
        span.attributes.retain(|attribute| !attribute.key.starts_with("gen_ai.usage."));
        let reasons = span.attributes.last_mut().unwrap();
        *reasons = key_value(
            "gen_ai.response.finish_reasons",
            Value::ArrayValue(otlp::ArrayValue {
                values: vec![otlp::AnyValue { value: Some(text(reason)) }],
            }),
        );
        all.push(Input::Span(span));
    }
    let judgement = judge(&all);
    assert_eq!(judgement.join.unwrap().matched, 400);
    let wrong = judgement.findings.iter().find(|group| group.rule == "truth/finish-reasons");
    assert_eq!(wrong, None);
}

fn call(start_ms: u64, length_ms: u64, tie: Tie) -> Made {
    let usage = Usage { input_tokens: 5, output_tokens: 7, ..Usage::default() };
    Made { start_ms, length_ms, model: 0, usage, tie }
}

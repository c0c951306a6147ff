//! Whatever comes in, what is kept and how long it takes stay bounded, and what is said of it
//! stays true.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use conformance_core::otlp::{self, Value};
use conformance_core::{Judge, Judgement, Settings};
use spanproof_fixtures::reference::{self, MODEL};
use spanproof_schemas::ledger::Record;
use spanproof_schemas::report::{JoinMeans, Level};

fn record(value: serde_json::Value) -> Record {
    serde_json::from_value(value).unwrap()
}

fn judge_with_ledger() -> Judge {
    let mut judge = Judge::new(Settings::default());
    judge.ledger(record(reference::run()));
    judge
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

fn attribute(key: &str, value: Value) -> otlp::KeyValue {
    otlp::KeyValue {
        key: key.to_owned(),
        value: Some(otlp::AnyValue { value: Some(value) }),
        ..otlp::KeyValue::default()
    }
}

fn span(n: u64, more: Vec<otlp::KeyValue>) -> otlp::Span {
    let mut attributes = vec![
        attribute("gen_ai.operation.name", text("chat")),
        attribute("gen_ai.provider.name", text("aws.bedrock")),
        attribute("gen_ai.request.model", text(MODEL)),
    ];
    attributes.extend(more);
    otlp::Span {
        trace_id: u128::from(n + 1).to_be_bytes().to_vec(),
        span_id: (n + 1).to_be_bytes().to_vec(),
        name: format!("chat {MODEL}"),
        kind: otlp::SpanKind::Client as i32,
        start_time_unix_nano: reference::at_ms(0),
        end_time_unix_nano: reference::at_ms(100),
        attributes,
        ..otlp::Span::default()
    }
}

fn export(spans: Vec<otlp::Span>, version: &str) -> otlp::ExportTraceServiceRequest {
    otlp::ExportTraceServiceRequest {
        resource_spans: vec![otlp::ResourceSpans {
            scope_spans: vec![otlp::ScopeSpans {
                spans,
                schema_url: format!("https://opentelemetry.io/schemas/{version}"),
                ..otlp::ScopeSpans::default()
            }],
            ..otlp::ResourceSpans::default()
        }],
    }
}

fn points(all: Vec<otlp::HistogramDataPoint>) -> otlp::ExportMetricsServiceRequest {
    let data =
        otlp::Data::Histogram(otlp::Histogram { data_points: all, aggregation_temporality: 2 });
    otlp::ExportMetricsServiceRequest {
        resource_metrics: vec![otlp::ResourceMetrics {
            scope_metrics: vec![otlp::ScopeMetrics {
                metrics: vec![otlp::Metric {
                    name: "gen_ai.client.operation.duration".to_owned(),
                    unit: "s".to_owned(),
                    data: Some(data),
                    ..otlp::Metric::default()
                }],
                ..otlp::ScopeMetrics::default()
            }],
            ..otlp::ResourceMetrics::default()
        }],
    }
}

fn rules(judgement: &Judgement) -> Vec<&str> {
    let mut rules: Vec<&str> = judgement.findings.iter().map(|group| group.rule.as_str()).collect();
    rules.dedup();
    rules
}

#[test]
fn calls_that_nothing_tells_apart_are_all_joined() {
    let mut judge = judge_with_ledger();
    let alike = 1_000;
    for n in 0..alike {
        let mut exchange = reference::exchange(0);
        exchange["sequence"] = n.into();
        exchange["trace_context"] = serde_json::Value::Null;
        judge.ledger(record(exchange));
    }
    judge.traces(&export((0..alike).map(|n| span(n, Vec::new())).collect(), "1.41.1"));
    let join = judge.finish().join.unwrap();
    assert_eq!((join.matched, join.unmatched_spans), (alike, 0));
}

#[test]
fn a_metric_with_a_series_for_each_call_is_found_and_not_compared() {
    let mut judge = judge_with_ledger();
    judge.ledger(record(reference::exchange(0)));
    judge.traces(&export(vec![span(0, Vec::new())], "1.41.1"));
    let point = |n: u64| otlp::HistogramDataPoint {
        attributes: vec![attribute("call", Value::IntValue(i64::try_from(n).unwrap()))],
        count: 1,
        sum: Some(0.1),
        ..otlp::HistogramDataPoint::default()
    };
    judge.metrics(&points((0..140_000).map(point).collect()));
    let judgement = judge.finish();
    let found = rules(&judgement);
    assert!(found.contains(&"cardinality/metric-attribute"), "{found:?}");
    assert!(!found.iter().any(|rule| rule.starts_with("metrics/duration")), "{found:?}");
}

#[test]
fn an_export_that_is_repeated_is_found_once() {
    let mut judge = Judge::new(Settings::default());
    let point = otlp::HistogramDataPoint {
        attributes: vec![attribute("gen_ai.request.model", text(""))],
        count: 1,
        ..otlp::HistogramDataPoint::default()
    };
    for _ in 0..3 {
        judge.metrics(&points(vec![point.clone()]));
    }
    let findings = judge.finish().findings;
    let model = findings.iter().find(|group| group.rule == "metrics/model").unwrap();
    assert_eq!(model.count, 1);
}

#[test]
fn long_and_deep_values_stay_out_of_the_report() {
    let mut deep = text("please summarise");
    for _ in 0..1_000 {
        deep = Value::KvlistValue(otlp::KeyValueList { values: vec![attribute("in", deep)] });
    }
    let mut span = span(0, vec![attribute("gen_ai.input.messages", deep)]);
    span.name = "long ".repeat(200_000);
    let mut judge = judge_with_ledger();
    judge.traces(&export(vec![span], "1.41.1"));
    let judgement = judge.finish();
    let report = format!("{:?}", judgement.findings);
    assert!(report.len() < 10_000 && !report.contains("summarise"), "{} bytes", report.len());
    assert!(rules(&judgement).contains(&"redaction/content-leak"));
}

/// The second span uses a name that the stated version lacks.
#[test]
fn a_scope_is_counted_by_one_version_in_any_order() {
    let judged = |order: [u64; 2]| {
        let mut judge = judge_with_ledger();
        for n in order {
            let more = match n {
                0 => Vec::new(),
                _ => vec![attribute("gen_ai.request.stream", Value::BoolValue(true))],
            };
            judge.traces(&export(vec![span(n, more)], "1.37.0"));
        }
        judge.finish()
    };
    assert_eq!(judged([0, 1]), judged([1, 0]));
    let versions: Vec<_> = judged([0, 1]).semconv.into_iter().collect();
    assert_eq!(versions, [("1.41.1".to_owned(), 2)]);
}

/// A judge that settles within a few spans, and true calls that it has settled, one a second.
fn judge_with_settled_calls(version: &str, more: &dyn Fn(u64) -> Vec<otlp::KeyValue>) -> Judge {
    let mut judge = Judge::with_window(Settings::default(), 8);
    judge.ledger(record(reference::run()));
    for n in 0..40 {
        judge.ledger(true_exchange(n));
        judge.traces(&export(vec![true_span(n, more(n))], version));
    }
    assert!(judge.held() < 40, "{} are held", judge.held());
    judge
}

fn true_exchange(n: u64) -> Record {
    let mut exchange = reference::exchange(n);
    exchange["invocation_id"] = format!("invocation-{n}").into();
    exchange["usage"]["cache_read_input_tokens"] = 10.into();
    record(exchange)
}

fn true_span(n: u64, mut more: Vec<otlp::KeyValue>) -> otlp::Span {
    more.extend([
        attribute("gen_ai.usage.output_tokens", Value::IntValue(12)),
        attribute(
            "gen_ai.response.finish_reasons",
            Value::ArrayValue(otlp::ArrayValue {
                values: vec![otlp::AnyValue { value: Some(text("stop")) }],
            }),
        ),
        attribute("server.address", text("127.0.0.1")),
        attribute("server.port", Value::IntValue(8080)),
    ]);
    otlp::Span {
        start_time_unix_nano: reference::at_ms(n * 1000),
        end_time_unix_nano: reference::at_ms(n * 1000 + 100),
        ..span(n, more)
    }
}

fn input(tokens: i64) -> Vec<otlp::KeyValue> {
    vec![attribute("gen_ai.usage.input_tokens", Value::IntValue(tokens))]
}

#[test]
fn a_span_that_is_sent_again_when_it_has_just_been_settled_counts_once() {
    let mut judge = Judge::with_window(Settings::default(), 16);
    judge.ledger(record(reference::run()));
    let send = |judge: &mut Judge, n: u64| {
        judge.traces(&export(vec![true_span(n, input(25))], "1.37.0"));
    };
    for n in 0..40 {
        // What came in a generation is settled at the end of the next one.
        if let Some(settled) = u64::checked_sub(n, 16) {
            send(&mut judge, settled);
        }
        judge.ledger(true_exchange(n));
        send(&mut judge, n);
    }
    let join = judge.finish().join.unwrap();
    assert_eq!((join.matched, join.unmatched_spans, join.late_spans), (40, 0, 0));
}

/// The span of an agent that says how many tokens were put out within it.
fn agent() -> otlp::Span {
    otlp::Span {
        span_id: vec![9; 8],
        parent_span_id: Vec::new(),
        name: "invoke_agent weather".to_owned(),
        kind: otlp::SpanKind::Internal as i32,
        attributes: vec![
            attribute("gen_ai.operation.name", text("invoke_agent")),
            attribute("gen_ai.provider.name", text("aws.bedrock")),
            attribute("gen_ai.usage.output_tokens", Value::IntValue(99)),
        ],
        ..true_span(0, Vec::new())
    }
}

/// The span of a call within the agent.
fn within_agent(n: u64) -> otlp::Span {
    otlp::Span {
        trace_id: agent().trace_id,
        parent_span_id: agent().span_id,
        ..true_span(n, input(25))
    }
}

#[test]
fn an_agent_is_not_settled_before_the_calls_within_it() {
    let mut judge = Judge::with_window(Settings::default(), 8);
    judge.ledger(record(reference::run()));
    let (within, agent) = (within_agent(0), agent());
    judge.traces(&export(vec![within, agent], "1.37.0"));
    for n in 1..40 {
        judge.ledger(true_exchange(n));
        judge.traces(&export(vec![true_span(n, input(25))], "1.37.0"));
    }
    // Only now does the ledger tell what the call within the agent used.
    judge.ledger(true_exchange(0));
    let judgement = judge.finish();
    assert!(rules(&judgement).contains(&"usage/agent-usage"), "{:?}", rules(&judgement));
}

#[test]
fn an_agent_is_not_judged_by_a_part_of_what_was_done_within_it() {
    let mut judge = Judge::with_window(Settings::default(), 8);
    judge.ledger(record(reference::run()));
    // A call within a step of the agent, which has ended, and is told of later.
    let step = otlp::Span {
        span_id: vec![8; 8],
        name: "step".to_owned(),
        attributes: Vec::new(),
        ..within_agent(0)
    };
    let in_step = otlp::Span { parent_span_id: step.span_id.clone(), ..within_agent(0) };
    judge.ledger(true_exchange(0));
    judge.traces(&export(vec![in_step], "1.37.0"));
    for n in 1..40 {
        judge.ledger(true_exchange(n));
        judge.traces(&export(vec![true_span(n, input(25))], "1.37.0"));
    }
    judge.ledger(true_exchange(40));
    judge.traces(&export(vec![step, agent(), within_agent(40)], "1.37.0"));
    let judgement = judge.finish();
    assert!(!rules(&judgement).contains(&"usage/agent-usage"), "{:?}", rules(&judgement));
}

#[test]
fn a_call_waits_until_its_last_attempt_has_been_passed() {
    let mut judge = Judge::with_window(Settings::default(), 8);
    judge.ledger(record(reference::run()));
    let attempt = |judge: &mut Judge, number: u64| {
        let mut exchange = reference::exchange(number);
        exchange["invocation_id"] = "retried".into();
        exchange["attempt"] = number.into();
        judge.ledger(record(exchange));
    };
    attempt(&mut judge, 1);
    let retried = attribute("spanproof.invocation_id", text("retried"));
    judge.traces(&export(vec![true_span(0, vec![retried])], "1.37.0"));
    // Each comes within a generation of the one before.
    for n in 10..40 {
        if matches!(n, 13 | 16 | 19) {
            attempt(&mut judge, n / 3 - 2);
        }
        judge.ledger(true_exchange(n));
        judge.traces(&export(vec![true_span(n, input(25))], "1.37.0"));
    }
    let join = judge.finish().join.unwrap();
    assert_eq!((join.calls, join.matched, join.late_calls), (31, 31, 0));
}

#[test]
fn a_span_that_names_its_call_waits_for_it() {
    let mut judge = Judge::with_window(Settings::default(), 8);
    judge.ledger(record(reference::run()));
    // Another call's request carried it.
    let named = attribute("spanproof.invocation_id", text("named"));
    judge.ledger(record(reference::exchange(0)));
    judge.traces(&export(vec![true_span(0, vec![named])], "1.37.0"));
    for n in 10..40 {
        judge.ledger(true_exchange(n));
        judge.traces(&export(vec![true_span(n, input(25))], "1.37.0"));
    }
    let mut own = reference::exchange(1);
    own["invocation_id"] = "named".into();
    judge.ledger(record(own));
    let join = judge.finish().join.unwrap();
    assert_eq!((join.matched, join.unmatched_calls), (31, 1));
    assert_eq!(join.by.get(&JoinMeans::InvocationId), Some(&1));
}

#[test]
fn what_comes_after_its_call_was_settled_is_counted_and_found_at_no_fault() {
    let judged = |late: &dyn Fn(&mut Judge)| {
        let mut judge = judge_with_settled_calls("1.37.0", &|_| input(25));
        late(&mut judge);
        let judgement = judge.finish();
        let violations = judgement.findings.iter().filter(|group| group.level == Level::Violation);
        assert_eq!(violations.count(), 0, "{:?}", rules(&judgement));
        let join = judgement.join.unwrap();
        assert_eq!(join.matched, 40);
        (join.late_calls, join.late_spans)
    };
    let another_attempt = |judge: &mut Judge| {
        let mut retry = reference::exchange(0);
        retry["sequence"] = 40.into();
        retry["invocation_id"] = "invocation-0".into();
        retry["attempt"] = 2.into();
        retry["finished_unix_nanos"] = reference::at_ms(50_000).into();
        judge.ledger(record(retry));
    };
    assert_eq!(judged(&another_attempt), (1, 0));
    let second_span = |judge: &mut Judge| {
        let mut second = true_span(0, input(25));
        second.span_id = 99_u64.to_be_bytes().to_vec();
        judge.traces(&export(vec![second], "1.37.0"));
    };
    assert_eq!(judged(&second_span), (0, 1));
}

/// The version that the scope states leaves cached tokens out of the input, the one that it turns
/// out to speak has them in.
#[test]
fn what_rests_on_a_version_that_a_scope_grew_out_of_is_left_out_and_told() {
    let mut judge = judge_with_settled_calls("1.37.0", &|_| input(35));
    let newer = attribute("gen_ai.request.stream", Value::BoolValue(false));
    judge.traces(&export(vec![true_span(40, vec![newer])], "1.37.0"));
    let judgement = judge.finish();
    let found = rules(&judgement);
    assert!(!found.contains(&"usage/input-tokens"), "{found:?}");
    let told = judgement.findings.iter().find(|group| group.rule == "resource/dialect").unwrap();
    assert_eq!(told.message, "the scope spoke 1.37.0 at first, and another version later");
    assert!(told.examples[0].actual.as_ref().unwrap().contains("findings by 1.37.0"));
}

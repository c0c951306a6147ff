//! What a judgement holds beside its findings, for reports to show: the rules, the calls, the
//! attributes, the traces around what was found.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use conformance_core::otlp::{self, Value};
use conformance_core::{Judge, Judgement, Settings};
use proptest::prelude::*;
use spanproof_fixtures::reference::{self, MARKER_STEMS, MODEL};
use spanproof_schemas::ledger::Record;
use spanproof_schemas::report::{RequirementLevel, RuleState, TraceExcerpt};

fn record(value: serde_json::Value) -> Record {
    serde_json::from_value(value).unwrap()
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

/// Any span of the trace 1, a hundredth of a second long.
fn plain(id: u64, parent: u64) -> otlp::Span {
    otlp::Span {
        trace_id: 1_u128.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 { Vec::new() } else { parent.to_be_bytes().to_vec() },
        name: format!("step {id}"),
        kind: otlp::SpanKind::Internal as i32,
        start_time_unix_nano: reference::at_ms(id * 10),
        end_time_unix_nano: reference::at_ms(id * 10 + 10),
        ..otlp::Span::default()
    }
}

/// The same, as a model call whose name is not what the conventions say.
fn call(id: u64, parent: u64, more: Vec<otlp::KeyValue>) -> otlp::Span {
    let mut attributes = vec![
        attribute("gen_ai.operation.name", text("chat")),
        attribute("gen_ai.provider.name", text("aws.bedrock")),
        attribute("gen_ai.request.model", text(MODEL)),
    ];
    attributes.extend(more);
    otlp::Span { kind: otlp::SpanKind::Client as i32, attributes, ..plain(id, parent) }
}

fn export(spans: Vec<otlp::Span>) -> otlp::ExportTraceServiceRequest {
    otlp::ExportTraceServiceRequest {
        resource_spans: vec![otlp::ResourceSpans {
            scope_spans: vec![otlp::ScopeSpans {
                spans,
                schema_url: "https://opentelemetry.io/schemas/1.41.1".to_owned(),
                ..otlp::ScopeSpans::default()
            }],
            ..otlp::ResourceSpans::default()
        }],
    }
}

/// The judgement on these spans, and the traces that it would show.
fn judged(ledger: Vec<Record>, spans: Vec<otlp::Span>) -> (Judgement, Vec<TraceExcerpt>) {
    let mut judge = Judge::new(Settings::default());
    for record in ledger {
        judge.ledger(record);
    }
    let request = export(spans);
    judge.traces(&request);
    let judgement = judge.finish();
    let mut excerpts = judgement.excerpts();
    excerpts.traces(&request);
    let traces = excerpts.finish();
    (judgement, traces)
}

/// Each span of an excerpt as its depth and the number in its id.
fn drawn(excerpt: &TraceExcerpt) -> Vec<(u32, u64)> {
    let number = |id: &str| u64::from_str_radix(id, 16).unwrap();
    excerpt.spans.iter().map(|span| (span.depth, number(&span.span_id))).collect()
}

#[test]
fn the_span_found_stands_among_its_ancestors_siblings_and_children() {
    let mut spans = vec![plain(1, 0), plain(2, 1), plain(3, 1), call(7, 3, Vec::new())];
    // Siblings before and after, of which two are shown on each side, and a child.
    spans.extend([4, 5, 6, 8, 9, 10].map(|id| plain(id, 3)));
    spans.push(plain(11, 7));
    let (_, traces) = judged(Vec::new(), spans);
    let [trace] = &traces[..] else { panic!("one trace: {traces:?}") };
    assert_eq!(trace.captured_spans, 11);
    assert_eq!(
        drawn(trace),
        [(0, 1), (1, 3), (2, 5), (2, 6), (2, 7), (3, 11), (2, 8), (2, 9)],
        "{trace:?}"
    );
}

#[test]
fn parents_in_a_circle_or_never_captured_are_drawn_all_the_same() {
    let (_, circle) = judged(Vec::new(), vec![plain(1, 2), call(2, 1, Vec::new())]);
    assert_eq!(drawn(&circle[0]).len(), 2);
    let (_, orphan) = judged(Vec::new(), vec![call(2, 99, Vec::new())]);
    let span = &orphan[0].spans[0];
    assert!(!span.has_parent && span.parent_span_id.is_some(), "{span:?}");
}

#[test]
fn a_huge_trace_is_shown_in_part_and_counted_whole() {
    let mut spans: Vec<_> = (1..=20_000).map(|id| plain(id, u64::from(id > 1))).collect();
    spans.push(call(30_000, 1, Vec::new()));
    let (_, traces) = judged(Vec::new(), spans);
    assert_eq!(traces[0].captured_spans, 20_001);
    assert!(traces[0].spans.len() < 50, "{}", traces[0].spans.len());
    assert!(drawn(&traces[0]).contains(&(1, 30_000)));
}

#[test]
fn an_excerpt_shows_no_content() {
    let prompt = format!("{} tell me all about it", MARKER_STEMS[0]);
    let more = vec![
        attribute("gen_ai.input.messages", text("tell me all about it")),
        attribute("gen_ai.made_up", text("tell me all about it")),
        attribute("gen_ai.response.id", text(&format!("{}{prompt}", "x".repeat(500)))),
    ];
    let span = otlp::Span { name: prompt, ..call(1, 0, more) };
    let (_, traces) = judged(vec![record(reference::run())], vec![span]);
    let shown = format!("{traces:?}");
    assert!(!shown.contains("tell me") && !shown.contains("xxx"), "{shown}");
    assert_eq!(traces[0].spans[0].attributes["gen_ai.operation.name"], "\"chat\"");
}

proptest! {
    /// Whatever the parents are, the order in which spans come does not show.
    #[test]
    fn the_order_of_spans_does_not_show(
        parents in proptest::collection::vec(0_u64..30, 1..30),
        marked in 0_usize..30,
        turn in 0_usize..30,
    ) {
        let mut spans: Vec<_> = (1..).zip(&parents).map(|(id, parent)| plain(id, *parent)).collect();
        let at = marked % spans.len();
        spans[at] = call(at as u64 + 1, parents[at], Vec::new());
        let (_, in_order) = judged(Vec::new(), spans.clone());
        let turn = turn % spans.len();
        spans.rotate_left(turn);
        spans.push(spans[0].clone());
        let (_, turned) = judged(Vec::new(), spans);
        prop_assert_eq!(&in_order, &turned);
        let ids: std::collections::BTreeSet<_> = drawn(&in_order[0]).into_iter().collect();
        prop_assert_eq!(ids.len(), in_order[0].spans.len(), "each span once");
    }
}

#[test]
fn the_first_calls_and_later_ones_with_findings_are_listed() {
    let mut ledger = vec![record(reference::run())];
    ledger.extend((0..3_000).map(|n| record(reference::exchange(n))));
    // The first two thousand have their spans, the others have none.
    let spans = (0..2_000).map(|n| {
        let counts = [("gen_ai.usage.input_tokens", 25), ("gen_ai.usage.output_tokens", 12)];
        let mut more = counts.map(|(key, tokens)| attribute(key, Value::IntValue(tokens))).to_vec();
        let reasons = vec![otlp::AnyValue { value: Some(text("end_turn")) }];
        let reasons = Value::ArrayValue(otlp::ArrayValue { values: reasons });
        more.push(attribute("gen_ai.response.finish_reasons", reasons));
        more.push(attribute("server.address", text("127.0.0.1")));
        more.push(attribute("server.port", Value::IntValue(8080)));
        otlp::Span {
            trace_id: u128::from(n + 1_u64).to_be_bytes().to_vec(),
            name: format!("chat {MODEL}"),
            start_time_unix_nano: reference::at_ms(n * 1_000),
            end_time_unix_nano: reference::at_ms(n * 1_000 + 100),
            ..call(n + 1, 0, more)
        }
    });
    let (judgement, _) = judged(ledger, spans.collect());
    let table = judgement.truth.unwrap();
    assert_eq!((table.calls, table.calls_with_findings), (3_000, 1_000));
    assert_eq!(table.rows.len(), 1_000);
    let (first, later) = table.rows.split_at(200);
    assert!(first.iter().all(|row| row.rules.is_empty() && row.reported.is_some()));
    assert!(later.iter().all(|row| row.exchange >= 2_000 && row.rules == ["truth/missing-span"]));
}

#[test]
fn a_call_lists_what_was_found_on_it_and_on_its_span() {
    let ledger = vec![record(reference::run()), record(reference::exchange(0))];
    let (judgement, _) = judged(ledger, vec![call(1, 0, Vec::new())]);
    let table = judgement.truth.unwrap();
    let rules = &table.rows[0].rules;
    for rule in ["naming/span-name", "usage/input-tokens"] {
        assert!(rules.iter().any(|known| known == rule), "{rule} is not in {rules:?}");
    }
    assert!(judged(Vec::new(), vec![call(1, 0, Vec::new())]).0.truth.is_none());
}

#[test]
fn coverage_counts_what_is_there_beside_what_is_asked() {
    let more = vec![attribute("gen_ai.made_up", text("x")), attribute("app.own", text("x"))];
    let spans = vec![call(1, 0, more), call(2, 0, Vec::new()), plain(3, 0)];
    let (judgement, _) = judged(Vec::new(), spans);
    let [coverage] = &judgement.coverage[..] else { panic!("one type: {judgement:?}") };
    assert_eq!(coverage.span_type.as_deref(), Some("aws.bedrock.client"));
    assert_eq!(coverage.spans, 2);
    let of = |name: &str| {
        let found = coverage.attributes.iter().find(|attribute| attribute.name == name);
        found.map(|attribute| (attribute.requirement, attribute.spans))
    };
    assert_eq!(of("gen_ai.operation.name"), Some((Some(RequirementLevel::Required), 2)));
    assert_eq!(of("gen_ai.request.top_k"), Some((Some(RequirementLevel::Recommended), 0)));
    assert_eq!(of("gen_ai.made_up"), Some((None, 1)));
    assert_eq!(of("app.own"), None, "what is not of the conventions is left alone");
}

#[test]
fn a_rule_without_anything_to_look_at_was_not_checked() {
    let mut settings = Settings::default();
    settings.set_level("naming/span-name", None).unwrap();
    let mut judge = Judge::new(settings);
    judge.traces(&export(vec![call(1, 0, Vec::new())]));
    let judgement = judge.finish();
    let state = |id: &str| judgement.rules.iter().find(|rule| rule.id == id).unwrap().state;
    assert_eq!(state("naming/span-name"), RuleState::Off);
    assert_eq!(state("presence/required-attribute"), RuleState::Checked);
    for rule in ["metrics/duration-count", "metrics/unit", "cardinality/metric-attribute"] {
        assert_eq!(state(rule), RuleState::NothingToCheck, "{rule}");
    }
    assert_eq!(state("truth/missing-span"), RuleState::NothingToCheck);
    let empty = Judge::new(Settings::default()).finish();
    assert!(empty.rules.iter().all(|rule| rule.state == RuleState::NothingToCheck));
}

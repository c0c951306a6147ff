//! Telemetry that no SDK sends: a clear finding or error, in time that grows with its size, and a
//! report of it that is one.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use conformance_core::otlp::{self, Value};
use conformance_core::{Judge, Judgement, Redaction, Settings};
use prost::Message as _;
use serde_json::{Value as Json, json};
use spanproof_fixtures::reference::{self, MODEL};
use spanproof_schemas::ledger::Record;

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

fn attribute(key: impl Into<String>, value: Value) -> otlp::KeyValue {
    otlp::KeyValue {
        key: key.into(),
        value: Some(otlp::AnyValue { value: Some(value) }),
        ..otlp::KeyValue::default()
    }
}

/// A span that conforms.
fn span() -> otlp::Span {
    otlp::Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: format!("chat {MODEL}"),
        kind: otlp::SpanKind::Client as i32,
        start_time_unix_nano: reference::at_ms(0),
        end_time_unix_nano: reference::at_ms(100),
        attributes: vec![
            attribute("gen_ai.operation.name", text("chat")),
            attribute("gen_ai.provider.name", text("aws.bedrock")),
            attribute("gen_ai.request.model", text(MODEL)),
        ],
        ..otlp::Span::default()
    }
}

fn export(spans: Vec<otlp::Span>) -> otlp::ExportTraceServiceRequest {
    let scope_spans = vec![otlp::ScopeSpans {
        spans,
        schema_url: "https://opentelemetry.io/schemas/1.41.1".to_owned(),
        ..otlp::ScopeSpans::default()
    }];
    let resource_spans =
        vec![otlp::ResourceSpans { scope_spans, ..otlp::ResourceSpans::default() }];
    otlp::ExportTraceServiceRequest { resource_spans }
}

fn logs(record: otlp::LogRecord) -> otlp::ExportLogsServiceRequest {
    let scope_logs =
        vec![otlp::ScopeLogs { log_records: vec![record], ..otlp::ScopeLogs::default() }];
    let resource_logs = vec![otlp::ResourceLogs { scope_logs, ..otlp::ResourceLogs::default() }];
    otlp::ExportLogsServiceRequest { resource_logs }
}

/// Judges beside a ledger whose only call the span of [`span`] could be.
fn judge(redaction: Redaction, take_in: impl Fn(&mut Judge)) -> Judgement {
    let mut settings = Settings::default();
    settings.redaction = redaction;
    let mut judge = Judge::new(settings);
    for value in [reference::run(), reference::exchange(0)] {
        let record: Record = serde_json::from_value(value).unwrap();
        judge.ledger(record);
    }
    take_in(&mut judge);
    judge.finish()
}

/// Judges a span in both ways in which spans come, which must not show.
fn judge_span(span: &otlp::Span) -> Judgement {
    let request = export(vec![span.clone()]);
    let decoded = judge(Redaction::NoContent, |judge| judge.traces(&request));
    let bytes = request.encode_to_vec();
    let read = judge(Redaction::NoContent, |judge| judge.traces_protobuf(&bytes).unwrap());
    assert_eq!(decoded, read);
    decoded
}

/// The messages of the findings of a rule.
fn found<'j>(judgement: &'j Judgement, rule: &str) -> Vec<&'j str> {
    let of_rule = judgement.findings.iter().filter(|group| group.rule == rule);
    of_rule.map(|group| group.message.as_str()).collect()
}

/// Holds what a judgement says to the schema of reports.
#[track_caller]
fn is_report(judgement: &Judgement) {
    const SCHEMA: &str = include_str!("../../../schemas/report.schema.json");
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    let schema = json!({
        "$schema": schema["$schema"],
        "$defs": schema["$defs"],
        "type": "object",
        "properties": {
            "findings": { "items": { "$ref": "#/$defs/finding_group" } },
            "truth": schema["properties"]["truth"],
        },
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    let said = json!({ "findings": judgement.findings, "truth": judgement.truth });
    let errors: Vec<String> = validator.iter_errors(&said).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn ids_of_any_length_are_found_and_a_report_has_none_of_them() {
    let lengths = [0, 1, 7, 8, 9, 15, 16, 17, 300];
    for (trace, id) in lengths.into_iter().flat_map(|one| lengths.map(|other| (one, other))) {
        let record = otlp::LogRecord {
            event_name: "gen_ai.client.inference.operation.details".to_owned(),
            trace_id: vec![0xab; trace],
            span_id: vec![0xcd; id],
            // Something for the rules that search every text.
            attributes: vec![attribute("key", text(concat!("AKIA", "IOSFODNN7EXAMPLE")))],
            ..otlp::LogRecord::default()
        };
        let judgement = judge(Redaction::NoContent, |judge| judge.logs(&logs(record.clone())));
        is_report(&judgement);
        assert!(!found(&judgement, "redaction/credential").is_empty());
        let said = found(&judgement, "events/trace-context");
        for (name, length, right) in [("trace_id", trace, 16), ("span_id", id, 8)] {
            let about: Vec<&&str> = said.iter().filter(|said| said.contains(name)).collect();
            assert_eq!(about.is_empty(), length == right, "{name} of {length}: {said:?}");
        }

        let span = otlp::Span { trace_id: vec![0xab; trace], span_id: vec![0xcd; id], ..span() };
        let judgement = judge_span(&span);
        is_report(&judgement);
        assert_eq!(found(&judgement, "values/span-ids").is_empty(), (trace, id) == (16, 8));
    }
}

#[test]
fn ids_of_zeros_are_found() {
    for (trace, id) in [(0, 2), (1, 0), (0, 0)] {
        let span = otlp::Span { trace_id: vec![trace; 16], span_id: vec![id; 8], ..span() };
        let judgement = judge_span(&span);
        is_report(&judgement);
        assert_eq!(found(&judgement, "values/span-ids"), ["an id of the span is not valid"]);
    }
}

#[test]
fn times_at_the_edges_are_found() {
    let (start, end) = (reference::at_ms(0), reference::at_ms(100));
    for (start, end, says) in [
        (0, end, "the span has no start"),
        (start, 0, "the span has no end"),
        (end, start, "the span ends before it starts"),
        (u64::MAX, 1, "the span ends before it starts"),
        (1, u64::MAX, "the span's times are before 2019 or after 2100"),
        (start, u64::MAX, "the span's times are before 2019 or after 2100"),
        (u64::MAX, u64::MAX, "the span's times are before 2019 or after 2100"),
    ] {
        let event = otlp::Event { time_unix_nano: u64::MAX, ..otlp::Event::default() };
        let span = otlp::Span {
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            events: vec![event],
            ..span()
        };
        let judgement = judge_span(&span);
        is_report(&judgement);
        assert_eq!(found(&judgement, "values/span-times"), [says]);
    }
}

#[test]
fn durations_that_cannot_be_are_found() {
    for seconds in [-1.0, f64::NAN, f64::INFINITY, f64::MAX, f64::MIN] {
        let mut span = span();
        let key = "gen_ai.response.time_to_first_chunk";
        span.attributes.push(attribute(key, Value::DoubleValue(seconds)));
        is_report(&judge_span(&span));
        let point = otlp::HistogramDataPoint {
            attributes: span.attributes[..3].to_vec(),
            start_time_unix_nano: u64::MAX,
            time_unix_nano: 0,
            count: u64::MAX,
            sum: Some(seconds),
            bucket_counts: vec![u64::MAX, u64::MAX],
            explicit_bounds: vec![seconds],
            ..otlp::HistogramDataPoint::default()
        };
        let data = otlp::Data::Histogram(otlp::Histogram {
            data_points: vec![point.clone(), point],
            aggregation_temporality: 1,
        });
        let metric = otlp::Metric {
            name: "gen_ai.client.operation.duration".to_owned(),
            unit: "s".to_owned(),
            data: Some(data),
            ..otlp::Metric::default()
        };
        let scope_metrics =
            vec![otlp::ScopeMetrics { metrics: vec![metric], ..otlp::ScopeMetrics::default() }];
        let resource_metrics =
            vec![otlp::ResourceMetrics { scope_metrics, ..otlp::ResourceMetrics::default() }];
        let request = otlp::ExportMetricsServiceRequest { resource_metrics };
        let judgement = judge(Redaction::NoContent, |judge| judge.metrics(&request));
        is_report(&judgement);
        assert!(!found(&judgement, "metrics/values").is_empty(), "{seconds}");
    }
}

/// So many that what looked at each pair of them would not end.
const MANY: usize = 50_000;

#[test]
fn many_of_everything_are_judged() {
    let mut span = span();
    for n in 0..MANY {
        span.attributes.push(attribute(format!("app.setting.{}", n / 2), Value::IntValue(1)));
        span.attributes.push(attribute(format!("gen_ai.unheard.of.{n}"), text("x")));
        span.attributes.push(attribute("gen_ai.request.model", text(MODEL)));
        span.events.push(otlp::Event {
            name: "gen_ai.choice".to_owned(),
            time_unix_nano: n as u64,
            ..otlp::Event::default()
        });
        span.links.push(otlp::Link::default());
    }
    let judgement = judge_span(&span);
    is_report(&judgement);
    let twice = judgement.findings.iter().find(|group| group.rule == "naming/duplicate-attribute");
    assert_eq!(twice.unwrap().count, MANY as u64 / 2 + 1);
}

#[test]
fn keys_made_to_look_alike_are_told_apart() {
    // All have one length, and one end.
    let list = (0..120).map(|n| attribute(format!("{n:04}.the-same-end"), text("x")));
    let span = otlp::Span { attributes: list.collect(), ..span() };
    let request = export(vec![span]);
    let judgement = judge(Redaction::NoContent, |judge| judge.traces(&request));
    assert!(found(&judgement, "naming/duplicate-attribute").is_empty());
}

#[test]
fn a_key_that_comes_twice_is_found_at_any_depth() {
    let twice = |key: &str| vec![attribute(key, text("x")), attribute(key, text("y"))];
    let list = |value| {
        let values = vec![otlp::AnyValue { value: Some(value) }];
        Value::ArrayValue(otlp::ArrayValue { values })
    };
    let map = || Value::KvlistValue(otlp::KeyValueList { values: twice("a") });
    for more in [
        twice("app.key"),
        twice("gen_ai.request.top_k"),
        vec![attribute("gen_ai.tool.definitions", map())],
        vec![attribute("gen_ai.tool.definitions", list(map()))],
        vec![attribute("gen_ai.tool.definitions", list(list(map())))],
    ] {
        let mut span = span();
        span.attributes.extend(more.clone());
        assert_eq!(found(&judge_span(&span), "naming/duplicate-attribute").len(), 1, "{more:?}");
    }
}

#[test]
fn content_of_many_parts_is_judged() {
    let part = r#"{"type":"tool_call","id":"a","name":"b","arguments":{"c":[[[[{}]]]]}}"#;
    let parts = vec![part; MANY / 5].join(",");
    let messages = format!(r#"[{{"role":"assistant","parts":[{parts}],"finish_reason":"stop"}}]"#);
    let mut span = span();
    span.attributes.push(attribute("gen_ai.output.messages", text(&messages)));
    // Brackets that never close, more of them than a stack could hold.
    span.attributes.push(attribute("gen_ai.input.messages", text(&"[".repeat(MANY))));
    let request = export(vec![span]);
    is_report(&judge(Redaction::ContentAllowed, |judge| judge.traces(&request)));
}

#[test]
fn a_value_of_a_hundred_megabytes_is_judged() {
    let value = Value::StringValue("x".repeat(100_000_000));
    let mut span = span();
    span.attributes.push(attribute("gen_ai.input.messages", value));
    let request = export(vec![span]);
    let judgement = judge(Redaction::NoContent, |judge| judge.traces(&request));
    is_report(&judgement);
    assert!(format!("{:?}", judgement.findings).len() < 10_000);
}

/// A field of protobuf that is delimited by its length.
fn field(number: u8, inside: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encode_length_delimiter(inside.len(), &mut field).unwrap();
    field.extend_from_slice(inside);
    field
}

/// An export of one span with this protobuf in it.
fn around(span: &[u8]) -> Vec<u8> {
    field(1, &field(2, &field(2, span)))
}

#[test]
fn protobuf_that_nests_without_end_is_an_error() {
    const DEEP: usize = 10_000;
    // Written backwards: each length is that of what is within.
    let mut backwards = Vec::new();
    for number in [1, 5].repeat(DEEP) {
        let mut head = vec![number << 3 | 2];
        prost::encode_length_delimiter(backwards.len(), &mut head).unwrap();
        backwards.extend(head.iter().rev());
    }
    backwards.reverse();
    let arrays = field(9, &[field(1, b"key"), field(2, &backwards)].concat());
    // Groups of a field that OTLP does not have, closed again and not.
    let groups = [vec![15 << 3 | 3; DEEP], vec![15 << 3 | 4; DEEP]].concat();
    let open = vec![15 << 3 | 3; DEEP];
    for bytes in [around(&arrays), around(&groups), around(&open), groups, open] {
        let mut judge = Judge::new(Settings::default());
        assert!(judge.traces_protobuf(&bytes).is_err());
    }
}

#[test]
fn lengths_and_text_that_lie_are_errors() {
    let ids = [field(1, &[1; 16]), field(2, &[1; 8])].concat();
    for bad in [
        // More than there is, more than there can be, and a number without end.
        vec![5 << 3 | 2, 0xff, 0xff, 0xff, 0xff, 0x0f],
        [&[5 << 3 | 2][..], &[0xff; 9], &[1]].concat(),
        [&[6 << 3][..], &[0xff; 20]].concat(),
        field(5, b"\xff\xfe"),
        field(9, &field(1, b"\xc0\x80")),
        field(9, &field(2, &field(1, b"\xed\xa0\x80"))),
    ] {
        let bytes = around(&[&ids[..], &bad].concat());
        let mut judge = Judge::new(Settings::default());
        assert!(judge.traces_protobuf(&bytes).is_err(), "{bad:x?}");
    }
}

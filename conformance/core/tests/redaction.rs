//! What was planted is found at any place of any signal, and never printed; what was not is never
//! reported.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conformance_core::otlp::{
    self, AnyValue, ArrayValue, Data, Exemplar, KeyValue, KeyValueList, Value,
};
use conformance_core::{Judge, Redaction, Settings};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use spanproof_fixtures::reference;
use spanproof_schemas::ledger::Planted;
use spanproof_schemas::report::{FindingGroup, Level};

fn any_value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn text(text: &str) -> AnyValue {
    any_value(Value::StringValue(text.to_owned()))
}

fn attribute(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

fn attributes(told: &str) -> Vec<KeyValue> {
    vec![attribute("app.told", text(told))]
}

/// A place that text can stand in: gives the text there to the judge.
type Place = fn(&mut Judge, &str);

fn span(judge: &mut Judge, span: otlp::Span) {
    traces(judge, otlp::Resource::default(), otlp::InstrumentationScope::default(), span);
}

fn traces(
    judge: &mut Judge,
    resource: otlp::Resource,
    scope: otlp::InstrumentationScope,
    span: otlp::Span,
) {
    judge.traces(&otlp::ExportTraceServiceRequest {
        resource_spans: vec![otlp::ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![otlp::ScopeSpans {
                scope: Some(scope),
                spans: vec![span],
                ..otlp::ScopeSpans::default()
            }],
            ..otlp::ResourceSpans::default()
        }],
    });
}

fn with_attribute(judge: &mut Judge, value: AnyValue) {
    let attributes = vec![attribute("app.told", value)];
    span(judge, otlp::Span { attributes, ..otlp::Span::default() });
}

fn log(judge: &mut Judge, record: otlp::LogRecord) {
    judge.logs(&otlp::ExportLogsServiceRequest {
        resource_logs: vec![otlp::ResourceLogs {
            scope_logs: vec![otlp::ScopeLogs {
                log_records: vec![record],
                ..otlp::ScopeLogs::default()
            }],
            ..otlp::ResourceLogs::default()
        }],
    });
}

fn metric(judge: &mut Judge, metric: otlp::Metric) {
    judge.metrics(&otlp::ExportMetricsServiceRequest {
        resource_metrics: vec![otlp::ResourceMetrics {
            scope_metrics: vec![otlp::ScopeMetrics {
                metrics: vec![metric],
                ..otlp::ScopeMetrics::default()
            }],
            ..otlp::ResourceMetrics::default()
        }],
    });
}

fn histogram(point: otlp::HistogramDataPoint) -> otlp::Metric {
    let data = otlp::Histogram { data_points: vec![point], ..otlp::Histogram::default() };
    otlp::Metric { data: Some(Data::Histogram(data)), ..otlp::Metric::default() }
}

const PLACES: [(&str, Place); 17] = [
    ("span attribute", |judge, told| with_attribute(judge, text(told))),
    ("bytes", |judge, told| {
        with_attribute(judge, any_value(Value::BytesValue(told.as_bytes().to_vec())));
    }),
    ("map in an array", |judge, told| {
        let map = KeyValueList { values: attributes(told) };
        let values = vec![any_value(Value::KvlistValue(map))];
        with_attribute(judge, any_value(Value::ArrayValue(ArrayValue { values })));
    }),
    ("JSON in JSON", |judge, told| {
        let inner = serde_json::json!({ "told": told }).to_string();
        with_attribute(judge, text(&serde_json::json!({ "inner": inner }).to_string()));
    }),
    ("attribute name", |judge, told| {
        let attributes = vec![attribute(told, text("x"))];
        span(judge, otlp::Span { attributes, ..otlp::Span::default() });
    }),
    ("span name", |judge, told| {
        span(judge, otlp::Span { name: told.to_owned(), ..otlp::Span::default() });
    }),
    ("status message", |judge, told| {
        let status = Some(otlp::Status { message: told.to_owned(), code: 2 });
        span(judge, otlp::Span { status, ..otlp::Span::default() });
    }),
    ("trace state", |judge, told| {
        span(judge, otlp::Span { trace_state: told.to_owned(), ..otlp::Span::default() });
    }),
    ("span event", |judge, told| {
        let event = otlp::Event { attributes: attributes(told), ..otlp::Event::default() };
        span(judge, otlp::Span { events: vec![event], ..otlp::Span::default() });
    }),
    ("name of a span event", |judge, told| {
        let event = otlp::Event { name: told.to_owned(), ..otlp::Event::default() };
        span(judge, otlp::Span { events: vec![event], ..otlp::Span::default() });
    }),
    ("link", |judge, told| {
        let link = otlp::Link { attributes: attributes(told), ..otlp::Link::default() };
        span(judge, otlp::Span { links: vec![link], ..otlp::Span::default() });
    }),
    ("resource", |judge, told| {
        let resource = otlp::Resource { attributes: attributes(told), ..otlp::Resource::default() };
        traces(judge, resource, otlp::InstrumentationScope::default(), otlp::Span::default());
    }),
    ("scope", |judge, told| {
        let scope = otlp::InstrumentationScope {
            name: told.to_owned(),
            ..otlp::InstrumentationScope::default()
        };
        traces(judge, otlp::Resource::default(), scope, otlp::Span::default());
    }),
    ("log body", |judge, told| {
        log(judge, otlp::LogRecord { body: Some(text(told)), ..otlp::LogRecord::default() });
    }),
    ("log attribute", |judge, told| {
        log(judge, otlp::LogRecord { attributes: attributes(told), ..otlp::LogRecord::default() });
    }),
    ("metric attribute", |judge, told| {
        let attributes = attributes(told);
        let point = otlp::HistogramDataPoint { attributes, ..otlp::HistogramDataPoint::default() };
        metric(judge, histogram(point));
    }),
    ("exemplar", |judge, told| {
        let filtered_attributes = attributes(told);
        let exemplars = vec![Exemplar { filtered_attributes, ..Exemplar::default() }];
        let point = otlp::HistogramDataPoint { exemplars, ..otlp::HistogramDataPoint::default() };
        metric(judge, histogram(point));
    }),
];

/// A way that text takes before it stands in telemetry.
type Encode = fn(&str) -> String;

const ENCODINGS: [Encode; 5] = [
    str::to_owned,
    |text| serde_json::to_string(text).unwrap(),
    |text| STANDARD.encode(text),
    |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
    |text| conformance_core::model::hex(text.as_bytes()),
];

const POLICIES: [Redaction; 7] = [
    Redaction::NoContent,
    Redaction::HashOnly,
    Redaction::Marker,
    Redaction::Truncated(4_096),
    Redaction::ContentAllowed,
    Redaction::EventsOnly,
    Redaction::ExternalReference,
];

/// What the rules about redaction find in a text at a place.
fn found(redaction: Redaction, place: Place, told: &str) -> Vec<FindingGroup> {
    let mut settings = Settings::default();
    settings.redaction = redaction;
    let mut judge = Judge::new(settings);
    judge.ledger(serde_json::from_value(reference::run()).unwrap());
    place(&mut judge, told);
    let findings = judge.finish().findings.into_iter();
    findings.filter(|group| group.rule.starts_with("redaction/")).collect()
}

fn planted() -> impl Strategy<Value = Planted> {
    prop::sample::select(reference::planted())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_planted_is_found_at_any_place_in_any_encoding_and_never_printed(
        planted in planted(),
        place in 0..PLACES.len(),
        encoding in 0..ENCODINGS.len(),
        redaction in prop::sample::select(&POLICIES),
        before in "([a-z]{1,9} ){0,3}",
    ) {
        let told = ENCODINGS[encoding](&format!("{before}{}", planted.value));
        let (name, place) = PLACES[place];
        let groups = found(redaction, place, &told);
        prop_assert_eq!(groups.len(), 1, "{} in {}: {:?}", told, name, groups);
        prop_assert_eq!(groups[0].level, Level::Violation, "{}", name);
        let report = format!("{groups:?}");
        prop_assert!(!report.contains(&told) && !report.contains(&planted.value), "{}", report);
    }

    #[test]
    fn a_marker_is_found_at_any_place_where_no_content_may_stand(
        origin in 0..reference::MARKER_STEMS.len(),
        place in 0..PLACES.len(),
        encoding in 0..ENCODINGS.len(),
        redaction in prop::sample::select(&POLICIES),
    ) {
        let stem = reference::MARKER_STEMS[origin];
        let told = ENCODINGS[encoding](&format!("please summarise {stem}17"));
        let (name, place) = PLACES[place];
        let groups = found(redaction, place, &told);
        let is_allowed = redaction == Redaction::ContentAllowed;
        prop_assert_eq!(groups.len(), usize::from(!is_allowed), "{}: {:?}", name, groups);
        let report = format!("{groups:?}");
        prop_assert!(!report.contains(stem), "{}", report);
    }

    #[test]
    fn text_without_any_is_never_reported(
        place in 0..PLACES.len(),
        encoding in 0..ENCODINGS.len(),
        redaction in prop::sample::select(&POLICIES),
        words in "[A-Za-zà-ü ]{0,60}",
        trace in "[0-9a-f]{32}",
        model in "(us\\.)?[a-z]{4,9}\\.[a-z]{4,9}-[0-9]-[0-9]-20[0-9]{6}-v[0-9]:[0-9]",
        address in "10\\.[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}:[0-9]{4}",
        nanos in 1_500_000_000_000_000_000_u64..2_500_000_000_000_000_000,
    ) {
        for told in [words, trace, model, address, nanos.to_string()] {
            let (name, place) = PLACES[place];
            let groups = found(redaction, place, &ENCODINGS[encoding](&told));
            prop_assert!(groups.is_empty(), "{} in {}: {:?}", told, name, groups);
        }
    }
}

//! What a program with the Python SDK's console exporters printed: `tests/inputs/python-console.txt`
//! is the output of one with opentelemetry-sdk 1.45.2.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;

use super::*;

const OUTPUT: &str = include_str!("../../../tests/inputs/python-console.txt");

#[test]
fn every_object_is_read_and_everything_else_is_passed_over() {
    let (read, error) = read_bytes(OUTPUT.as_bytes());
    assert!(error.is_none(), "{error:?}");
    let total = read.iter().map(Export::items).fold(Items::default(), |sum, items| Items {
        spans: sum.spans + items.spans,
        metric_points: sum.metric_points + items.metric_points,
        log_records: sum.log_records + items.log_records,
    });
    assert_eq!(total, Items { spans: 2, metric_points: 5, log_records: 2 });
}

#[test]
fn a_span_comes_back_as_it_was() {
    let (read, _) = read_bytes(OUTPUT.as_bytes());
    let span = read
        .iter()
        .find_map(|export| match export {
            Export::Traces(request) => Some(&request.resource_spans[0]),
            _ => None,
        })
        .unwrap();
    insta::assert_debug_snapshot!("console_span", span);
}

#[test]
fn a_log_record_comes_back_as_it_was() {
    let (read, _) = read_bytes(OUTPUT.as_bytes());
    let Export::Logs(request) = &read[0] else { panic!("no log record") };
    insta::assert_debug_snapshot!("console_log_record", request.resource_logs[0].scope_logs);
}

#[test]
fn metrics_are_of_the_kind_that_they_were() {
    let (read, _) = read_bytes(OUTPUT.as_bytes());
    let Some(Export::Metrics(request)) = read.last() else { panic!("no metrics") };
    let scope = &request.resource_metrics[0].scope_metrics[0];
    assert_eq!(scope.scope.as_ref().unwrap().name, "my.meter");
    assert_eq!(scope.schema_url, "https://z/z");
    let kinds: Vec<_> = scope
        .metrics
        .iter()
        .map(|metric| match metric.data.as_ref().unwrap() {
            Data::Gauge(_) => "gauge",
            Data::Sum(sum) if sum.is_monotonic => "counter",
            Data::Sum(_) => "up-down counter",
            Data::Histogram(_) => "histogram",
            Data::ExponentialHistogram(_) => "exponential histogram",
            Data::Summary(_) => "summary",
        })
        .collect();
    assert_eq!(kinds, ["histogram", "counter", "up-down counter", "gauge"]);
    insta::assert_debug_snapshot!("console_histogram", scope.metrics[0]);
}

#[test]
fn an_exponential_histogram_is_told_by_its_scale() {
    let text = r#"{"resource_metrics":[{"scope_metrics":[{"scope":{"name":"s"},"metrics":[{"name":"m",
        "data":{"data_points":[{"attributes":{},"count":1,"sum":2,"scale":3,"zero_count":0,
        "positive":{"offset":1,"bucket_counts":[1]},"negative":{"offset":0,"bucket_counts":[0]},
        "flags":0,"min":2,"max":2,"exemplars":[{"filtered_attributes":{},"value":2,
        "time_unix_nano":5,"span_id":1,"trace_id":340282366920938463463374607431768211455}]}],
        "aggregation_temporality":1}}]}]}]}"#;
    let (read, error) = read_bytes(text.as_bytes());
    assert!(error.is_none(), "{error:?}");
    let Export::Metrics(request) = &read[0] else { panic!("no metrics") };
    let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(Data::ExponentialHistogram(histogram)) = &metric.data else { panic!("{metric:?}") };
    assert_eq!(histogram.data_points[0].exemplars[0].trace_id, [0xff; 16]);
    assert_eq!(histogram.data_points[0].exemplars[0].span_id, [0, 0, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn objects_on_a_line_each_are_read_too() {
    // As a formatter of one's own prints them.
    let (read, _) = read_bytes(OUTPUT.as_bytes());
    let mut lines = String::from("[INFO] one moment\n{\"level\": \"info\"}\n");
    let mut object = String::new();
    for line in OUTPUT.lines() {
        let is_inside = !object.is_empty();
        if line == "{" || is_inside {
            object.push_str(line.trim());
        }
        if line == "}" {
            lines.push_str(&std::mem::take(&mut object));
            lines.push_str("\nand on\n");
        }
    }
    let (again, error) = read_bytes(lines.as_bytes());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(again, read);
}

#[test]
fn a_brace_that_a_program_prints_costs_no_object() {
    let (read, _) = read_bytes(OUTPUT.as_bytes());
    let (again, error) = read_bytes(format!("{{\n{OUTPUT}{{\n  \"a\":\n{OUTPUT}").as_bytes());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(again, [read.clone(), read].concat());
}

#[test]
fn output_that_is_cut_off_says_so() {
    let end = OUTPUT.rfind("\"bucket_counts\"").unwrap();
    let (read, error) = read_bytes(&OUTPUT.as_bytes()[..end]);
    assert_eq!(read.len(), 4);
    assert!(matches!(error, Some(ReadError::Truncated { whole: 4, .. })), "{error:?}");
}

#[test]
fn what_a_program_prints_among_otlp_is_an_error() {
    for text in ["hello\n{\"resourceLogs\":[]}\n", "{\"resourceLogs\":[]}\nhello\n"] {
        let (_, error) = read_bytes(text.as_bytes());
        let error = error.unwrap().to_string();
        assert!(error.contains("hello"), "{error}");
    }
}

#[test]
fn integers_and_doubles_are_told_apart() {
    let (read, _) = read_bytes(OUTPUT.as_bytes());
    let Export::Traces(request) = &read[2] else { panic!("no span") };
    let attributes = &request.resource_spans[0].scope_spans[0].spans[0].attributes;
    let value = |key: &str| {
        let found = attributes.iter().find(|attribute| attribute.key == key).unwrap();
        found.value.clone().unwrap().value.unwrap()
    };
    assert_eq!(value("gen_ai.usage.input_tokens"), Any::IntValue(12));
    assert_eq!(value("gen_ai.request.temperature"), Any::DoubleValue(0.5));
}

/// A span as `ConsoleSpanExporter` prints it, with these attributes.
fn printed_span(attributes: &str) -> String {
    format!(
        r#"{{
    "name": "chat",
    "context": {{
        "trace_id": "0x000102030405060708090a0b0c0d0e0f",
        "span_id": "0x0001020304050607",
        "trace_state": "[]"
    }},
    "kind": "SpanKind.CLIENT",
    "parent_id": null,
    "start_time": "2026-11-26T17:53:06.718007Z",
    "end_time": "2026-11-26T17:53:06.718013Z",
    "status": {{
        "status_code": "UNSET"
    }},
    "attributes": {attributes},
    "events": [],
    "links": [],
    "resource": {{
        "attributes": {{}},
        "schema_url": ""
    }}
}}
"#
    )
}

fn attributes_of(export: &Export) -> Vec<(&str, Option<Any>)> {
    let Export::Traces(request) = export else { panic!("no span") };
    let span = &request.resource_spans[0].scope_spans[0].spans[0];
    let value = |value: &Option<opentelemetry_proto::tonic::common::v1::AnyValue>| {
        value.clone().and_then(|value| value.value)
    };
    span.attributes.iter().map(|one| (one.key.as_str(), value(&one.value))).collect()
}

#[test]
fn numbers_that_json_lacks_are_read() {
    let span = printed_span(r#"{"up": Infinity, "down": -Infinity, "text": "NaN", "none": NaN}"#);
    for text in [span.clone(), format!("{span}{OUTPUT}"), format!("{OUTPUT}{span}")] {
        let (read, error) = read_bytes(text.as_bytes());
        assert!(error.is_none(), "{error:?}");
        let is_it = |export: &&Export| {
            matches!(export, Export::Traces(_)) && attributes_of(export).len() == 4
        };
        let attributes = attributes_of(read.iter().find(is_it).unwrap());
        let (none, others) = attributes.split_last().unwrap();
        assert_eq!(
            others,
            [
                ("up", Some(Any::DoubleValue(f64::INFINITY))),
                ("down", Some(Any::DoubleValue(f64::NEG_INFINITY))),
                ("text", Some(Any::StringValue("NaN".to_owned()))),
            ]
        );
        assert!(matches!(none, ("none", Some(Any::DoubleValue(number))) if number.is_nan()));
    }
}

#[test]
fn numbers_that_json_lacks_are_read_wherever_metrics_have_numbers() {
    let text = r#"{"resource_metrics":[{"scope_metrics":[{"scope":{"name":"s"},"metrics":[
        {"name":"h","data":{"data_points":[{"attributes":{"a":NaN},"count":1,"sum":NaN,
            "min":-Infinity,"max":Infinity,"bucket_counts":[0,1],"explicit_bounds":[Infinity],
            "exemplars":[{"value":NaN}]}],"aggregation_temporality":2}},
        {"name":"g","data":{"data_points":[{"attributes":{},"value":-Infinity}]}}]}]}]}"#;
    let (read, error) = read_bytes(text.as_bytes());
    assert!(error.is_none(), "{error:?}");
    let Export::Metrics(request) = &read[0] else { panic!("no metrics") };
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let Some(Data::Histogram(histogram)) = &metrics[0].data else { panic!("{metrics:?}") };
    let point = &histogram.data_points[0];
    assert!(point.sum.unwrap().is_nan());
    assert_eq!((point.min, point.max), (Some(f64::NEG_INFINITY), Some(f64::INFINITY)));
    assert_eq!(point.explicit_bounds, [f64::INFINITY]);
    insta::assert_compact_debug_snapshot!(point.exemplars[0].value, @"Some(AsDouble(NaN))");
    let Some(Data::Gauge(gauge)) = &metrics[1].data else { panic!("{metrics:?}") };
    insta::assert_compact_debug_snapshot!(gauge.data_points[0].value, @"Some(AsDouble(-inf))");
}

#[test]
fn numbers_that_json_lacks_are_an_error_in_otlp() {
    let text = "\n{\"resourceSpans\": [],\n \"more\": [NaN, 1]}\n";
    insta::assert_snapshot!(first_part(&message(text.as_bytes())), @"`FILE` is no telemetry at line 3: expected value (column 11)");
}

/// The message up to what is accepted.
fn first_part(message: &str) -> &str {
    message.split("; accepted are").next().unwrap()
}

#[test]
fn attributes_that_come_twice_are_read_twice() {
    let (read, _) = read_bytes(printed_span(r#"{"a": 1, "a": 2}"#).as_bytes());
    let values = attributes_of(&read[0]).into_iter();
    assert_eq!(
        values.collect::<Vec<_>>(),
        [("a", Some(Any::IntValue(1))), ("a", Some(Any::IntValue(2)))]
    );
}

#[test]
fn telemetry_that_cannot_be_read_is_never_passed_over() {
    let good = printed_span("{}");
    let half = &good[..good.find("\"status\"").unwrap()];
    let told = |bad: &str| {
        let alone = message(bad.as_bytes());
        let behind = message(format!("{good}hello\n{bad}").as_bytes());
        let lines = good.lines().count() + 1;
        // The same wherever it stands, but for the line.
        let line = alone.split("line ").nth(1).unwrap().split(':').next().unwrap();
        let later = line.parse::<usize>().unwrap() + lines;
        assert_eq!(behind, alone.replacen(&format!("line {line}:"), &format!("line {later}:"), 1));
        first_part(&alone).to_owned()
    };
    insta::assert_snapshot!(told(&good.replace("SpanKind.CLIENT", "SpanKind.OTHER")), @"`FILE` is no telemetry at line 1: `SpanKind.OTHER` is no kind of span (column 1)");
    insta::assert_snapshot!(told(&good.replace("0x0001020304050607", "0x7")), @"`FILE` is no telemetry at line 1: `0x708090a0b0c0d0e0f` is no id in hex digits (column 1)");
    insta::assert_snapshot!(told(&good.replace("\"events\": []", "\"events\": [NaN, {}]")), @"`FILE` is no telemetry at line 16: missing field `name` (column 16)");
    // Another thread printed something into it.
    insta::assert_snapshot!(told(&format!("{half}hello\n{good}")), @"`FILE` is no telemetry at line 12: key must be a string (column 5)");
    insta::assert_snapshot!(told("{\"body\": \"one\ntwo\", \"severity_number\": 9}\n"), @"`FILE` is no telemetry at line 1: a line ends within a string");
    insta::assert_snapshot!(told("{\"resource_metrics\": [}\n"), @"`FILE` is no telemetry at line 1: expected value (column 23)");
    insta::assert_snapshot!(told("{\"resourceLogs\": 7}\n"), @"`FILE` is no telemetry at line 1: invalid type: integer `7`, expected a list (column 18)");
    let deep = printed_span(&format!("{}{}", "[".repeat(300), "]".repeat(300)));
    insta::assert_snapshot!(told(&deep), @"`FILE` is no telemetry at line 1: arrays and objects nest more than 256 deep");
    let long = format!("{{\"a\": [{}what]}}\n", "1,\n".repeat(400_000));
    insta::assert_snapshot!(told(&long), @"`FILE` is no telemetry at line 400001: expected value (column 1)");
}

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::*;

/// The one span of a request whose span is written as `span`.
fn span(span: &str) -> Result<Span, DecodeError> {
    let text = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
    let mut request: ExportTraceServiceRequest = decode(text.as_bytes())?;
    Ok(request.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0))
}

/// The value of an attribute that is written as `value`.
fn attribute(value: &str) -> Result<Option<Value>, DecodeError> {
    let mut span = span(&format!(r#"{{"attributes":[{{"key":"k","value":{value}}}]}}"#))?;
    Ok(span.attributes.remove(0).value.and_then(|value| value.value))
}

fn error<T: std::fmt::Debug>(result: Result<T, DecodeError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_span_as_exporters_write_it() {
    let span = span(
        r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174",
            "parentSpanId":"","name":"chat","kind":3,"startTimeUnixNano":"1544712660000000000",
            "endTimeUnixNano":1544712661000000000,"status":{"code":"STATUS_CODE_ERROR"},
            "attributes":null,"flags":257,"someFutureField":{"a":[1,2]}}"#,
    )
    .unwrap();
    assert_eq!(span.trace_id[..3], [0x5b, 0x8e, 0xff]);
    assert_eq!(span.span_id.len(), 8);
    assert_eq!(span.kind, SpanKind::Client as i32);
    assert_eq!(span.start_time_unix_nano + 1_000_000_000, span.end_time_unix_nano);
    assert_eq!(span.status.unwrap().code, 2);
    assert_eq!(span.flags, 257);
}

#[test]
fn absent_fields_are_at_their_default() {
    assert_eq!(span("{}").unwrap(), Span::default());
}

#[test]
fn attribute_values_in_every_form() {
    for (written, expected) in [
        (r#"{"intValue":"5"}"#, Some(Value::IntValue(5))),
        (r#"{"intValue":5}"#, Some(Value::IntValue(5))),
        (r#"{"intValue":-5.0}"#, Some(Value::IntValue(-5))),
        (r#"{"intValue":0}"#, Some(Value::IntValue(0))),
        (r#"{"doubleValue":5}"#, Some(Value::DoubleValue(5.0))),
        (r#"{"doubleValue":"-Infinity"}"#, Some(Value::DoubleValue(f64::NEG_INFINITY))),
        (r#"{"boolValue":false}"#, Some(Value::BoolValue(false))),
        (r#"{"stringValue":""}"#, Some(Value::StringValue(String::new()))),
        (r#"{"bytesValue":"-_8"}"#, Some(Value::BytesValue(vec![0xfb, 0xff]))),
        (r#"{"arrayValue":{}}"#, Some(Value::ArrayValue(ArrayValue::default()))),
        (r#"{"kvlistValue":{}}"#, Some(Value::KvlistValue(KeyValueList::default()))),
        (r#"{"futureValue":1}"#, None),
        (r#"{"stringValue":null}"#, None),
        ("{}", None),
        ("null", None),
    ] {
        assert_eq!(attribute(written).unwrap(), expected, "{written}");
    }
}

#[test]
fn values_of_the_wrong_type_are_named() {
    insta::assert_snapshot!(error(span(r#"{"traceId":"xyz"}"#)), @r#"invalid value: string "xyz", expected an id in hex digits (line 1, column 60)"#);
    insta::assert_snapshot!(error(span(r#"{"kind":"CLIENT"}"#)), @r#"invalid value: string "CLIENT", expected an integer, as a number or as text (line 1, column 59)"#);
    insta::assert_snapshot!(error(attribute(r#"{"intValue":1.5}"#)), @"invalid value: floating point `1.5`, expected an integer, as a number or as text (line 1, column 92)");
    insta::assert_snapshot!(error(attribute(r#"{"intValue":"9223372036854775808"}"#)), @"9223372036854775808 is out of range (line 1, column 110)");
    insta::assert_snapshot!(error(span("[]")), @"invalid type: sequence, expected an object (line 1, column 43)");
}

#[test]
fn metrics_of_every_kind() {
    let text = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"a","gauge":{"dataPoints":[{"asInt":"7"},{"asDouble":1},{"flags":1}]}},
        {"name":"b","sum":{"dataPoints":[{"asInt":7}],"aggregationTemporality":2,"isMonotonic":true}},
        {"name":"c","histogram":{"dataPoints":[{"count":"2","sum":0,"bucketCounts":["1",1],"explicitBounds":[1,2.5]}]}},
        {"name":"d","exponentialHistogram":{"dataPoints":[{"scale":-2,"zeroCount":"1","positive":{"offset":-1,"bucketCounts":["3"]}}]}},
        {"name":"e","summary":{"dataPoints":[{"quantileValues":[{"quantile":0.5,"value":"NaN"}]}]}},
        {"name":"f"}
    ]}]}]}"#;
    let export = decode_export(text).unwrap();
    assert_eq!(export.items().metric_points, 7);
    let Export::Metrics(mut request) = export else { panic!("not metrics") };
    let metrics = request.resource_metrics.remove(0).scope_metrics.remove(0).metrics;
    let Some(Data::Gauge(gauge)) = &metrics[0].data else { panic!("not a gauge") };
    assert_eq!(gauge.data_points[0].value, Some(number_data_point::Value::AsInt(7)));
    assert_eq!(gauge.data_points[1].value, Some(number_data_point::Value::AsDouble(1.0)));
    assert_eq!(gauge.data_points[2].value, None);
    let Some(Data::Histogram(histogram)) = &metrics[2].data else { panic!("not a histogram") };
    assert_eq!(histogram.data_points[0].sum, Some(0.0));
    assert_eq!(histogram.data_points[0].bucket_counts, [1, 1]);
}

#[test]
fn an_export_is_told_by_its_key() {
    insta::assert_snapshot!(error(decode_export(b"{}")), @"no `resourceSpans`, `resourceMetrics` or `resourceLogs` in an object with no keys");
    insta::assert_snapshot!(error(decode_export(br#"{"resource_spans":[],"x":1}"#)), @"no `resourceSpans`, `resourceMetrics` or `resourceLogs` in an object with resource_spans, x");
    insta::assert_snapshot!(error(decode_export(br#"{"resourceSpans":[],"resourceLogs":[]}"#)), @"one object holds more than one signal (line 1, column 38)");
    insta::assert_snapshot!(error(decode_export(br#"{"resourceSpans":[]} {}"#)), @"trailing characters (line 1, column 22)");
    assert!(matches!(decode_export(br#"{"resourceSpans":[{"#), Err(DecodeError::Incomplete)));
    assert_eq!(decode_export(br#"{"x":1,"resourceLogs":null}"#).unwrap().signal().as_str(), "logs");
}

#[test]
fn nesting_has_a_limit_that_protobuf_stays_below() {
    let arrays = |depth: usize| {
        format!("{}{{}}{}", r#"{"arrayValue":{"values":["#.repeat(depth), r"]}}".repeat(depth))
    };
    // Protobuf decoding stops at a hundred messages within one another, two for each array.
    assert!(attribute(&arrays(50)).is_ok());
    assert!(matches!(attribute(&arrays(100_000)), Err(DecodeError::TooDeep)));
    assert!(attribute(&format!(r#"{{"stringValue":"{}\""}}"#, "[".repeat(1000))).is_ok());
}

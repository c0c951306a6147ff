//! What Jaeger's query API answers.

use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

use super::*;

const ANSWER: &str = r#"{"data":[{"traceID":"2b95d7fea25e04dd8c7560ecdf2b97ef","spans":[
  {"traceID":"2b95d7fea25e04dd8c7560ecdf2b97ef","spanID":"80664557d32c272","flags":1,
   "operationName":"chat m","references":[
     {"refType":"CHILD_OF","traceID":"2b95d7fea25e04dd8c7560ecdf2b97ef","spanID":"3526a3c6b73130a8"},
     {"refType":"FOLLOWS_FROM","traceID":"1","spanID":"2"}],
   "startTime":1795715586717903,"duration":464,
   "tags":[
     {"key":"otel.scope.name","type":"string","value":"my.lib"},
     {"key":"otel.scope.version","type":"string","value":"1.2.3"},
     {"key":"span.kind","type":"string","value":"client"},
     {"key":"otel.status_code","type":"string","value":"ERROR"},
     {"key":"error","type":"bool","value":true},
     {"key":"otel.status_description","type":"string","value":"went wrong"},
     {"key":"gen_ai.usage.input_tokens","type":"int64","value":12},
     {"key":"gen_ai.usage.output_tokens","type":"int64","value":"13"},
     {"key":"gen_ai.request.temperature","type":"float64","value":1},
     {"key":"gen_ai.response.finish_reasons","type":"string","value":"[\"end_turn\"]"},
     {"key":"gen_ai.output.messages","type":"string","value":"[{\"role\":\"assistant\"}]"},
     {"key":"raw","type":"binary","value":"AQI="},
     {"key":"internal.span.format","type":"string","value":"otlp"}],
   "logs":[{"timestamp":1795715586717916,"fields":[
     {"key":"event","type":"string","value":"ev"},{"key":"a","type":"int64","value":1}]}],
   "processID":"p1","warnings":null}],
  "processes":{"p1":{"serviceName":"shop","tags":[{"key":"n","type":"int64","value":3}]}},
  "warnings":null}],"total":0,"limit":0,"offset":0,"errors":null}"#;

fn spans(text: &str) -> Vec<ResourceSpans> {
    let (read, error) = read_bytes(text.as_bytes());
    assert!(error.is_none(), "{error:?}");
    let [Export::Traces(request)] = &read[..] else { panic!("{read:?}") };
    request.resource_spans.clone()
}

#[test]
fn what_otlp_has_fields_for_goes_back_to_its_fields() {
    insta::assert_debug_snapshot!("jaeger_span", spans(ANSWER));
}

#[test]
fn errors_without_a_status_are_a_status() {
    let old = ANSWER.replace("otel.status_code", "other");
    let status = spans(&old)[0].scope_spans[0].spans[0].status.clone().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "went wrong"));
}

#[test]
fn an_answer_without_traces_holds_nothing() {
    assert!(spans(r#"{"data":[],"total":0}"#).is_empty());
}

#[test]
fn what_does_not_fit_is_an_error_that_says_where() {
    for (from, to, says) in [
        ("\"p1\",\"warnings\"", "\"p2\",\"warnings\"", "no process `p2`"),
        ("\"80664557d32c272\"", "\"x\"", "is no id in hex digits"),
        ("\"AQI=\"", "\"%\"", "the tag `raw` of type binary has the value \"%\""),
        ("\"13\"", "\"many\"", "the tag `gen_ai.usage.output_tokens` of type int64"),
        ("\"duration\":464", "\"duration\":-1", "line 6: invalid value: integer `-1`"),
    ] {
        let text = ANSWER.replace(from, to);
        assert_ne!(text, ANSWER);
        let error = read_bytes(text.as_bytes()).1.unwrap().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn many_traces_are_read_one_by_one() {
    let start = ANSWER.find("{\"traceID\"").unwrap();
    let end = ANSWER.find("],\"total\"").unwrap();
    let trace = &ANSWER[start..end];
    let count = (20 << 20) / trace.len();
    let traces = vec![trace; count].join(",");
    let (read, error) = read_bytes(format!("{{\"data\":[{traces}],\"total\":0}}").as_bytes());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read.len(), count);
}

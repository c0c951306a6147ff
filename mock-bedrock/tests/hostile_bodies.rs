//! Bodies that nobody means well with: each is answered, none is lost from the ledger.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::{HAIKU, Mock, NOVA, TITAN, hello};
use proptest::prelude::*;
use serde_json::json;
use spanproof_schemas::ledger::{MarkerKind, marker_stem};
use spanproof_schemas::speed::Speed;
use tokio::runtime::Runtime;

/// Posts one body and checks that it was answered and recorded; returns status and message.
async fn answered(model: &str, segment: &str, body: &str) -> (u16, String) {
    let mock = Mock::start(Speed::Max);
    let answered = mock.post(&format!("/model/{model}/{segment}"), &[], body).await;
    assert!(answered.is_whole);
    let exchange = mock.exchange().await;
    assert!(exchange.delivered);
    assert_eq!(exchange.status, answered.status.as_u16());
    let message = match exchange.exception {
        Some(_) => answered.json()["message"].as_str().unwrap().to_owned(),
        None => String::new(),
    };
    (exchange.status, message)
}

fn tool_body(schema: &str) -> String {
    format!(
        r#"{{"messages":[{{"role":"user","content":[{{"text":"Hi"}}]}}],"toolConfig":{{"tools":[{{"toolSpec":{{"name":"t","inputSchema":{{"json":{schema}}}}}}}],"toolChoice":{{"any":{{}}}}}}}}"#
    )
}

#[tokio::test]
async fn nesting_beyond_measure_is_refused_or_carried_but_never_followed() {
    const DEPTH: usize = 10_000;
    let deep = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
    let deep_object = r#"{"a":"#.repeat(DEPTH) + "1" + &"}".repeat(DEPTH);
    for body in [
        deep.clone(),
        deep_object.clone(),
        format!(r#"{{"messages":{deep}}}"#),
        format!(r#"{{"unknown":{deep}}}"#),
        format!(r#"{{"messages":[{{"role":"user","content":[{{"toolResult":{deep_object}}}]}}]}}"#),
        tool_body(&deep_object),
        format!(r#"{{"anthropic_version":"x","max_tokens":9,"messages":{deep}}}"#),
        format!(r#"{{"inputText":{deep}}}"#),
        "[".repeat(1_000_000),
    ] {
        for (model, segment) in
            [(HAIKU, "converse"), (HAIKU, "invoke"), (NOVA, "invoke"), (TITAN, "invoke")]
        {
            let (status, _) = answered(model, segment, &body).await;
            assert!(matches!(status, 200 | 400), "{status}");
        }
    }
}

#[tokio::test]
async fn schemas_that_ask_for_the_world_end_in_text() {
    let many: Vec<String> = (0..50_000).map(|n| format!("\"p{n}\"")).collect();
    let many_properties: Vec<String> =
        (0..15_000).map(|n| format!(r##""p{n}":{{"$ref":"#"}}"##)).collect();
    let many_branches = vec!["false"; 80_000].join(",");
    let long = "a".repeat(100_000);
    for schema in [
        format!(r#"{{"required":[{}]}}"#, many.join(",")),
        format!(
            r#"{{"properties":{{{}}},"required":[{}]}}"#,
            many_properties.join(","),
            many[..15_000].join(",")
        ),
        format!(r#"{{"properties":{{{}}}}}"#, many_properties.join(",")),
        format!(r#"{{"anyOf":[{many_branches}]}}"#),
        format!(r##"{{"anyOf":[{{"$ref":"#"}},{many_branches}],"enum":[]}}"##),
        format!(r#"{{"allOf":[{{"properties":{{{}}}}}],"$defs":{{}}}}"#, many_properties.join(",")),
        format!(r#"{{"type":"array","minItems":10000,"items":{{"const":"{long}"}}}}"#),
        r#"{"type":"array","minItems":10000,"items":{"type":"string","minLength":100000}}"#.to_owned(),
        r#"{"type":"array","minItems":18446744073709551615}"#.to_owned(),
        r#"{"type":"array","minItems":18446744073709551615,"uniqueItems":true,"items":{"const":1}}"#.to_owned(),
        r#"{"type":"object","minProperties":18446744073709551615}"#.to_owned(),
        r##"{"$ref":"#"}"##.to_owned(),
        r##"{"allOf":[{"$ref":"#"}]}"##.to_owned(),
        r#"{"type":"integer","minimum":1e308,"maximum":-1e308}"#.to_owned(),
        r#"{"type":"number","multipleOf":1e-320,"minimum":1e300}"#.to_owned(),
        "false".to_owned(),
        "3".to_owned(),
    ] {
        let (status, message) = answered(HAIKU, "converse", &tool_body(&schema)).await;
        assert_eq!((status, message.as_str()), (200, ""), "{}", &schema[..schema.len().min(60)]);
    }
}

#[tokio::test]
async fn a_body_full_of_markers_lists_each_once() {
    let stem = marker_stem(MarkerKind::Prompt, 7);
    let markers: Vec<String> = (0..200_000).map(|n| format!("{stem}{n}")).collect();
    let mock = Mock::start(Speed::Max);
    let body = hello().replace("harbour", &markers.join(" "));
    mock.post(&format!("/model/{HAIKU}/converse"), &[], &body).await;
    let exchange = mock.exchange().await;
    let found = exchange.markers.iter().filter(|marker| marker.starts_with(&stem)).count();
    assert_eq!(found, 200_000);
}

#[tokio::test]
async fn parameters_at_their_edges() {
    let with = |more: &str| hello().replacen('{', &format!("{{{more},"), 1);
    let tools = |choice: &str| {
        with(&format!(
            r#""toolConfig":{{"tools":[{{"toolSpec":{{"name":"t","inputSchema":{{"json":{{}}}}}}}}]{choice}}}"#
        ))
    };
    let claude = |more: &str| {
        format!(
            r#"{{"anthropic_version":"x","max_tokens":64,"messages":[{{"role":"user","content":"Hi"}}]{more}}}"#
        )
    };
    let sequences = |count: usize| serde_json::to_string(&vec!["zz"; count]).unwrap();
    let mut seen = Vec::new();
    for (what, segment, body) in [
        ("an empty object", "converse", "{}".to_owned()),
        ("null", "converse", "null".to_owned()),
        ("nothing", "converse", String::new()),
        ("maxTokens 1", "converse", with(r#""inferenceConfig":{"maxTokens":1}"#)),
        ("maxTokens -1", "converse", with(r#""inferenceConfig":{"maxTokens":-1}"#)),
        (
            "maxTokens 2^63",
            "converse",
            with(r#""inferenceConfig":{"maxTokens":9223372036854775808}"#),
        ),
        ("maxTokens 1e400", "converse", with(r#""inferenceConfig":{"maxTokens":1e400}"#)),
        (
            "maxTokens i64::MAX",
            "converse",
            with(r#""inferenceConfig":{"maxTokens":9223372036854775807}"#),
        ),
        ("no stop sequences", "converse", with(r#""inferenceConfig":{"stopSequences":[]}"#)),
        ("an empty stop sequence", "converse", with(r#""inferenceConfig":{"stopSequences":[""]}"#)),
        (
            "most stop sequences",
            "converse",
            with(&format!(r#""inferenceConfig":{{"stopSequences":{}}}"#, sequences(2_500))),
        ),
        (
            "one more",
            "converse",
            with(&format!(r#""inferenceConfig":{{"stopSequences":{}}}"#, sequences(2_501))),
        ),
        ("an empty schema", "converse", tools(r#","toolChoice":{"any":{}}"#)),
        ("an unknown tool", "converse", tools(r#","toolChoice":{"tool":{"name":"u"}}"#)),
        ("an empty choice", "converse", tools(r#","toolChoice":{}"#)),
        ("no tools", "converse", with(r#""toolConfig":{"tools":[],"toolChoice":{"any":{}}}"#)),
        ("a claude stop sequence of blanks", "invoke", claude(r#","stop_sequences":[" "]"#)),
        ("no claude stop sequences", "invoke", claude(r#","stop_sequences":[]"#)),
        (
            "too many claude stop sequences",
            "invoke",
            claude(&format!(r#","stop_sequences":{}"#, sequences(8_192))),
        ),
        (
            "an unknown claude tool",
            "invoke",
            claude(r#","tools":[],"tool_choice":{"type":"tool","name":"u"}"#),
        ),
        ("an unnamed claude tool", "invoke", claude(r#","tool_choice":{"type":"tool"}"#)),
        (
            "a claude tool without properties",
            "invoke",
            claude(r#","tools":[{"name":"t","input_schema":{}}],"tool_choice":{"type":"any"}"#),
        ),
    ] {
        let (status, message) = answered(HAIKU, segment, &body).await;
        seen.push(format!("{what}: {status} {message}").trim_end().to_owned());
    }
    insta::assert_snapshot!(seen.join("\n"));
}

/// JSON that looks a little like a request.
fn almost_a_request() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,12}".prop_map(|text| json!(text)),
        prop::sample::select(vec!["user", "assistant", "tool", "any", "auto", "t", "1h", "image"])
            .prop_map(|word| json!(word)),
    ];
    let member = prop::sample::select(vec![
        "messages",
        "role",
        "content",
        "text",
        "system",
        "inferenceConfig",
        "maxTokens",
        "topP",
        "temperature",
        "stopSequences",
        "toolConfig",
        "tools",
        "toolSpec",
        "name",
        "inputSchema",
        "json",
        "toolChoice",
        "tool",
        "any",
        "cachePoint",
        "type",
        "ttl",
        "max_tokens",
        "anthropic_version",
        "stop_sequences",
        "tool_choice",
        "input_schema",
        "cache_control",
        "inputText",
        "dimensions",
        "normalize",
        "image",
        "toolUse",
        "toolResult",
        "input",
        "additionalModelRequestFields",
        "additionalModelResponseFieldPaths",
        "serviceTier",
    ]);
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(member.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_sent_is_answered_and_recorded(
        bodies in prop::collection::vec(almost_a_request(), 1..12),
        noise in prop::collection::vec("\\PC{0,40}", 1..4),
    ) {
        Runtime::new().unwrap().block_on(async {
            let mock = Mock::start(Speed::Max);
            let mut sent = 0;
            let base: serde_json::Value = serde_json::from_str(&hello()).unwrap();
            for body in bodies {
                // As it is, and laid over a request that is sound.
                let mut over = base.clone();
                if let (Some(over), Some(body)) = (over.as_object_mut(), body.as_object()) {
                    over.extend(body.clone());
                }
                for text in [body.to_string(), over.to_string()] {
                    for (model, segment) in [
                        (HAIKU, "converse"), (HAIKU, "converse-stream"), (HAIKU, "invoke"),
                        (HAIKU, "invoke-with-response-stream"), (NOVA, "invoke"), (TITAN, "invoke"),
                    ] {
                        let answered = mock.post(&format!("/model/{model}/{segment}"), &[], &text).await;
                        assert!(answered.is_whole && matches!(answered.status.as_u16(), 200 | 400), "{text}");
                        sent += 1;
                    }
                }
            }
            for text in noise {
                assert_eq!(mock.post(&format!("/model/{HAIKU}/converse"), &[], &text).await.status, 400);
                sent += 1;
            }
            let exchanges = mock.exchanges().await;
            assert_eq!(exchanges.len(), sent);
            assert!(exchanges.iter().all(|exchange| exchange.delivered));
        });
    }
}

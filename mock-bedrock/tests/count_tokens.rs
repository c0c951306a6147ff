//! `CountTokens` promises what the same input is then charged.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode};
use mock_bedrock::{Config, Handler, InMemory};
use proptest::prelude::*;
use serde_json::{Value, json};
use spanproof_schemas::speed::Speed;

const HAIKU: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";
/// Its base id is not served on demand.
const SONNET: &str = "anthropic.claude-3-7-sonnet-20250219-v1:0";

struct Mock {
    handler: Handler,
    ledger: InMemory,
    runtime: tokio::runtime::Runtime,
}

impl Mock {
    fn start() -> Self {
        let ledger = InMemory::default();
        let config = Config { speed: Speed::Max, ..Config::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Mock { handler: Handler::new(config, ledger.clone()).unwrap(), ledger, runtime }
    }

    fn post(&self, model: &str, operation: &str, body: &Value) -> (StatusCode, Value) {
        let path = format!("/model/{}/{operation}", model.replace(':', "%3A"));
        let request = Request::post(path).body(Bytes::from(body.to_string())).unwrap();
        let response = self.runtime.block_on(self.handler.answer(request));
        (response.status(), serde_json::from_slice(response.body()).unwrap())
    }

    fn count(&self, model: &str, input: &Value) -> u64 {
        let (status, body) = self.post(model, "count-tokens", &json!({ "input": input }));
        assert_eq!(status, 200, "{body}");
        body["inputTokens"].as_u64().unwrap()
    }

    /// All input tokens that the last exchange was charged.
    fn charged(&self) -> u64 {
        self.ledger.exchanges().pop().unwrap().usage.all_input_tokens()
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z ,.]{0,60}".prop_map(|text| format!("Say: {text}")),
        "\\PC{1,40}".prop_map(|text| format!("x{text}")),
        (1..9_000_usize).prop_map(|length| "harbour ".repeat(length / 8 + 1)),
    ]
}

/// A Converse body: system prompt, messages with cache points, images and tool results, tools.
fn converse() -> impl Strategy<Value = Value> {
    let block = prop_oneof![
        4 => text().prop_map(|text| json!({"text": text})),
        1 => Just(json!({"cachePoint": {"type": "default"}})),
        1 => Just(json!({"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}})),
        1 => text().prop_map(|text| json!({"guardContent": {"text": {"text": text}}})),
    ];
    let blocks = prop::collection::vec(block, 0..4);
    (prop::option::of(text()), text(), blocks, text(), any::<bool>()).prop_map(
        |(system, first, rest, last, has_tool)| {
            let mut content = vec![json!({"text": first})];
            content.extend(rest);
            let mut body = json!({
                "messages": [
                    {"role": "user", "content": content},
                    {"role": "assistant", "content": [{"text": "Go on."}]},
                    {"role": "user", "content": [{"text": last}]},
                ],
            });
            if let Some(system) = system {
                body["system"] = json!([{"text": system}, {"cachePoint": {"type": "default"}}]);
            }
            if has_tool {
                body["toolConfig"] = json!({"tools": [{"toolSpec": {
                    "name": "weather",
                    "description": "tells the weather",
                    "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
                }}]});
            }
            body
        },
    )
}

/// A native Claude body.
fn claude() -> impl Strategy<Value = Value> {
    (prop::option::of(text()), text(), text(), any::<bool>()).prop_map(
        |(system, first, last, is_cached)| {
            let mut body = json!({
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 64,
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": first}]},
                    {"role": "assistant", "content": "Go on."},
                    {"role": "user", "content": last},
                ],
            });
            if let Some(system) = system {
                body["system"] = json!(system);
            }
            if is_cached {
                body["messages"][0]["content"][0]["cache_control"] = json!({"type": "ephemeral"});
            }
            body
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn converse_is_charged_what_was_counted(body in converse(), is_sonnet in any::<bool>()) {
        let mock = Mock::start();
        let model = if is_sonnet { SONNET } else { HAIKU };
        let counted = mock.count(model, &json!({ "converse": body }));
        prop_assert_eq!(mock.charged(), 0, "counting is free");
        for _ in 0..2 {
            let (status, answer) = mock.post(&format!("us.{model}"), "converse", &body);
            prop_assert_eq!(status, 200, "{}", answer);
            prop_assert_eq!(mock.charged(), counted);
            let usage = &answer["usage"];
            let stated = |name: &str| usage[name].as_u64().unwrap_or(0);
            let input = stated("inputTokens") + stated("cacheReadInputTokens") + stated("cacheWriteInputTokens");
            prop_assert_eq!(input, counted);
        }
    }

    #[test]
    fn invoke_model_is_charged_what_was_counted(body in claude()) {
        let mock = Mock::start();
        let encoded = STANDARD.encode(body.to_string());
        let counted = mock.count(SONNET, &json!({"invokeModel": {"body": encoded}}));
        for _ in 0..2 {
            let (status, answer) = mock.post(&format!("us.{SONNET}"), "invoke", &body);
            prop_assert_eq!(status, 200, "{}", answer);
            prop_assert_eq!(mock.charged(), counted);
        }
    }
}

#[test]
fn models_and_bodies_that_cannot_be_counted_are_refused_in_the_service_s_words() {
    let mock = Mock::start();
    let converse = json!({"messages": [{"role": "user", "content": [{"text": "How deep?"}]}]});
    let mut seen = Vec::new();
    let mut refuse = |model: &str, body: Value| {
        let (status, answer) = mock.post(model, "count-tokens", &body);
        assert_eq!(status, 400, "{answer}");
        seen.push(answer["message"].as_str().unwrap().to_owned());
    };
    let asked = json!({"input": {"converse": converse}});
    for model in ["amazon.nova-lite-v1:0", &format!("us.{SONNET}"), "no.such-model"] {
        refuse(model, asked.clone());
    }
    refuse(HAIKU, json!({}));
    refuse(HAIKU, json!({"input": {}}));
    refuse(HAIKU, json!({"input": {"converse": converse, "invokeModel": {"body": "e30="}}}));
    refuse(HAIKU, json!({"input": {"invokeModel": {"body": "not base64!"}}}));
    refuse(HAIKU, json!({"input": {"invokeModel": {"body": "e30="}}}));
    refuse(HAIKU, json!({"input": {"converse": {"messages": []}}}));
    insta::assert_snapshot!("refused", seen.join("\n"));
    let arn = format!("arn:aws:bedrock:us-east-1::foundation-model%2F{SONNET}");
    assert!(mock.count(&arn, &json!({ "converse": converse })) > 0);
}

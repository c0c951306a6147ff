//! The routes that speak the bodies of OpenAI and of Anthropic: JSON, and server-sent events.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::{Answered, Mock};
use serde_json::Value;
use spanproof_schemas::speed::Speed;

const MESSAGE: &str = r#""model":"anthropic.claude-3-haiku-20240307-v1:0","max_tokens":60,"messages":[{"role":"user","content":"How deep is the harbour?"}]"#;
const VERSION: &[(&str, &str)] = &[("anthropic-version", "2023-06-01")];

/// The data of each event, and its name.
fn events(answered: &Answered) -> Vec<(Option<String>, String)> {
    assert_eq!(answered.header("content-type"), Some("text/event-stream"));
    let text = String::from_utf8(answered.body.to_vec()).unwrap();
    text.split_terminator("\n\n")
        .map(|event| {
            let field = |name: &str| {
                event.lines().find_map(|line| line.strip_prefix(name)).map(ToOwned::to_owned)
            };
            (field("event: "), field("data: ").unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_message_streams_as_it_is_told_whole() {
    let mock = Mock::start(Speed::Max);
    let whole =
        mock.post("/anthropic/v1/messages", VERSION, &format!("{{{MESSAGE}}}")).await.json();
    let streamed = mock
        .post("/anthropic/v1/messages", VERSION, &format!("{{{MESSAGE},\"stream\":true}}"))
        .await;
    let mut text = String::new();
    let mut names = Vec::new();
    let mut last = Value::Null;
    for (name, data) in events(&streamed) {
        last = serde_json::from_str(&data).unwrap();
        assert_eq!(name.as_deref(), last["type"].as_str());
        text.push_str(last["delta"]["text"].as_str().unwrap_or_default());
        names.extend(name);
        if last["type"] == "message_delta" {
            assert_eq!(last["usage"]["output_tokens"], whole["usage"]["output_tokens"]);
            assert_eq!(last["delta"]["stop_reason"], whole["stop_reason"]);
        }
    }
    assert_eq!(text, whole["content"][0]["text"].as_str().unwrap());
    assert_eq!(names[0], "message_start");
    assert_eq!(last, serde_json::json!({"type": "message_stop"}), "no invocation metrics here");
    for exchange in mock.exchanges().await {
        assert_eq!(exchange.operation.name(), "Messages");
        assert_eq!(exchange.model_id, "anthropic.claude-3-haiku-20240307-v1:0");
        assert!(exchange.delivered && exchange.usage.output_tokens > 0);
        assert_eq!(exchange.response_id.as_deref(), whole["id"].as_str());
    }
}

#[tokio::test]
async fn a_chat_completion_streams_as_it_is_told_whole() {
    const TOOL: &str = r#","tools":[{"type":"function","function":{"name":"depth","parameters":{"type":"object","properties":{"place":{"type":"string"}},"required":["place"]}}}],"tool_choice":"required""#;
    let path = "/openai/v1/chat/completions";
    let mock = Mock::start(Speed::Max);
    for more in ["", TOOL] {
        let body = format!(
            r#""model":"openai.gpt-oss-20b-1:0","max_completion_tokens":400,"messages":[{{"role":"developer","content":"Be brief."}},{{"role":"user","content":"How deep is the harbour?"}}]{more}"#
        );
        let whole = mock.post(path, &[], &format!("{{{body}}}")).await.json();
        let streamed =
            format!("{{{body},\"stream\":true,\"stream_options\":{{\"include_usage\":true}}}}");
        let events = events(&mock.post(path, &[], &streamed).await);
        let (end, chunks) = events.split_last().unwrap();
        assert_eq!(end, &(None, "[DONE]".to_owned()));
        let (mut content, mut arguments, mut finished) = (String::new(), String::new(), None);
        let mut usage = Value::Null;
        for (_, chunk) in chunks {
            let chunk: Value = serde_json::from_str(chunk).unwrap();
            assert_eq!(chunk["id"], whole["id"]);
            assert_eq!(chunk["object"], "chat.completion.chunk");
            let Some(choice) = chunk["choices"].get(0) else {
                usage = chunk["usage"].clone();
                continue;
            };
            content.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
            let call = &choice["delta"]["tool_calls"][0]["function"]["arguments"];
            arguments.push_str(call.as_str().unwrap_or_default());
            finished = choice["finish_reason"].as_str().map(ToOwned::to_owned).or(finished);
        }
        let told = &whole["choices"][0];
        assert_eq!(content, told["message"]["content"].as_str().unwrap_or_default());
        let call = &told["message"]["tool_calls"][0]["function"]["arguments"];
        assert_eq!(arguments, call.as_str().unwrap_or_default());
        assert_eq!(arguments.is_empty(), more.is_empty());
        assert_eq!(finished.as_deref(), told["finish_reason"].as_str());
        assert_eq!(usage, whole["usage"]);
        assert!(content.starts_with("<reasoning>"), "{content}");
    }
    let exchanges = mock.exchanges().await;
    let words: Vec<_> = exchanges.iter().filter_map(|one| one.stop_reason.as_deref()).collect();
    assert_eq!(words[2..], ["tool_calls", "tool_calls"]);
    assert!(exchanges.iter().all(|one| one.usage.reasoning_output_tokens > 0 && one.delivered));
}

#[tokio::test]
async fn what_the_routes_refuse_reads_as_their_clients_expect() {
    let mock = Mock::start(Speed::Max);
    let body = r#"{"model":"amazon.nova-lite-v1:0","max_tokens":9,"messages":[]}"#;
    let refused = mock.post("/anthropic/v1/messages", VERSION, body).await;
    insta::assert_snapshot!(String::from_utf8(refused.body.to_vec()).unwrap(), @r#"{"error":{"message":"model `amazon.nova-lite-v1:0` isn't supported on this route","type":"invalid_request_error"},"type":"error"}"#);
    let refused = mock.post("/anthropic/v1/messages", &[], &format!("{{{MESSAGE}}}")).await;
    assert_eq!(refused.status, 400);
    let refused = mock.post("/openai/v1/chat/completions", &[], r#"{"messages":[]}"#).await;
    insta::assert_snapshot!(String::from_utf8(refused.body.to_vec()).unwrap(), @r#"{"error":{"code":"ValidationException","message":"Malformed input request: #/messages: expected minimum item count: 1, found: 0, please reformat your input and try again.","param":null,"type":"invalid_request_error"}}"#);
}

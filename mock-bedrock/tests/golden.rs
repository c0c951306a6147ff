//! One answer of each family by each operation, as a client sees it.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::{Answered, HAIKU, Mock, NOVA, TITAN};
use spanproof_schemas::speed::Speed;

const CLAUDE_BODY: &str = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":24,"messages":[{"role":"user","content":"How deep is the harbour?"}]}"#;
const BODY: &str = r#"{"messages":[{"role":"user","content":[{"text":"How deep is the harbour?"}]}],"inferenceConfig":{"maxTokens":24}}"#;
const TOOL_BODY: &str = r#"{"messages":[{"role":"user","content":[{"text":"Weather?"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1,"maximum":7}},"required":["city","days"]}}}}],"toolChoice":{"any":{}}}}"#;

async fn seen(model: &str, segment: &str, body: &str) -> String {
    let mock = Mock::start(Speed::Max);
    let answered = mock.post(&format!("/model/{model}/{segment}"), &[], body).await;
    mock.server.shutdown().await.unwrap();
    shown(&answered)
}

/// Status, headers but for date and length, and the body: its frames, if it is a stream.
fn shown(answered: &Answered) -> String {
    let mut lines = vec![answered.status.to_string()];
    let mut headers: Vec<String> = answered
        .headers
        .iter()
        .filter(|(name, _)| {
            !["connection", "date", "content-length", "transfer-encoding"].contains(&name.as_str())
        })
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    lines.extend(headers);
    if answered.header("content-type") == Some("application/vnd.amazon.eventstream") {
        for frame in answered.frames() {
            let payload = String::from_utf8(frame.payload.to_vec()).unwrap();
            lines.push(format!("[{}] {payload}", frame.name()));
            if frame.name() == "chunk" {
                lines.pop();
                lines.push(format!("[chunk] {}", frame.chunk()));
            }
        }
    } else {
        lines.push(String::from_utf8(answered.body.to_vec()).unwrap());
    }
    lines.join("\n")
}

#[tokio::test]
async fn claude_by_converse() {
    insta::assert_snapshot!(seen(HAIKU, "converse", BODY).await);
}

#[tokio::test]
async fn claude_by_converse_stream() {
    insta::assert_snapshot!(seen(HAIKU, "converse-stream", BODY).await);
}

#[tokio::test]
async fn claude_by_invoke_model() {
    insta::assert_snapshot!(seen(HAIKU, "invoke", CLAUDE_BODY).await);
}

#[tokio::test]
async fn claude_by_invoke_model_with_response_stream() {
    insta::assert_snapshot!(seen(HAIKU, "invoke-with-response-stream", CLAUDE_BODY).await);
}

#[tokio::test]
async fn claude_calls_a_tool_by_converse_stream() {
    insta::assert_snapshot!(seen(HAIKU, "converse-stream", TOOL_BODY).await);
}

#[tokio::test]
async fn nova_by_converse() {
    insta::assert_snapshot!(seen(NOVA, "converse", BODY).await);
}

#[tokio::test]
async fn nova_by_converse_stream() {
    insta::assert_snapshot!(seen(NOVA, "converse-stream", TOOL_BODY).await);
}

#[tokio::test]
async fn nova_by_invoke_model() {
    insta::assert_snapshot!(seen(NOVA, "invoke", BODY).await);
}

#[tokio::test]
async fn nova_by_invoke_model_with_response_stream() {
    insta::assert_snapshot!(seen(NOVA, "invoke-with-response-stream", BODY).await);
}

#[tokio::test]
async fn titan_by_invoke_model() {
    let body = r#"{"inputText":"How deep is the harbour?","dimensions":256}"#;
    let seen = seen(TITAN, "invoke", body).await;
    let (head, vector) = seen.split_once("{\"embedding\":[").unwrap();
    let first = vector.split(',').next().unwrap();
    let last = vector.rsplit_once(']').unwrap().1;
    insta::assert_snapshot!(format!("{head}{{\"embedding\":[{first},…{last}"));
}

#[tokio::test]
async fn titan_does_not_converse_or_stream() {
    insta::assert_snapshot!(seen(TITAN, "converse", BODY).await);
    insta::assert_snapshot!(
        seen(TITAN, "invoke-with-response-stream", r#"{"inputText":"a"}"#).await
    );
}

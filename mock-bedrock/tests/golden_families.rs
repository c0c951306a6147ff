//! One answer of each family, natively and by Converse, whole and streamed, as a client sees it.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::{Answered, Mock};
use spanproof_schemas::speed::Speed;

const QUESTION: &str = "How deep is the harbour?";

/// Head and body of every answer, one after the other.
async fn seen(model: &str, asked: &[(&str, String)]) -> String {
    let mut seen = Vec::new();
    for (segment, body) in asked {
        let mock = Mock::start(Speed::Max);
        let model = model.replace(':', "%3A");
        let answered = mock.post(&format!("/model/{model}/{segment}"), &[], body).await;
        let exchange = mock.exchange().await;
        assert_eq!(exchange.status, answered.status.as_u16());
        seen.push(format!("POST {segment} {body}\n{}", shown(&answered)));
    }
    seen.join("\n\n")
}

/// The native body by both operations, and the question by both Converse operations.
fn everywhere(native: &str) -> Vec<(&'static str, String)> {
    let converse = format!(
        r#"{{"messages":[{{"role":"user","content":[{{"text":"{QUESTION}"}}]}}],"inferenceConfig":{{"maxTokens":16}}}}"#
    );
    vec![
        ("invoke", native.to_owned()),
        ("invoke-with-response-stream", native.to_owned()),
        ("converse", converse.clone()),
        ("converse-stream", converse),
    ]
}

/// Status, the headers that the service adds, and the body: its frames, if it is a stream.
fn shown(answered: &Answered) -> String {
    let mut lines = vec![answered.status.to_string()];
    let mut headers: Vec<String> = answered
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-amzn-") || *name == "content-type")
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    lines.extend(headers);
    if answered.header("content-type") == Some("application/vnd.amazon.eventstream") {
        lines.extend(answered.frames().iter().map(|frame| match frame.name() {
            "chunk" => format!("[chunk] {}", frame.chunk()),
            name => format!("[{name}] {}", String::from_utf8(frame.payload.to_vec()).unwrap()),
        }));
    } else {
        lines.push(String::from_utf8(answered.body.to_vec()).unwrap());
    }
    lines.join("\n")
}

#[tokio::test]
async fn titan_text() {
    let body = r#"{"inputText":"How deep is the harbour?","textGenerationConfig":{"maxTokenCount":16,"temperature":0.5}}"#;
    insta::assert_snapshot!(seen("amazon.titan-text-express-v1", &everywhere(body)).await);
}

#[tokio::test]
async fn llama() {
    let body = r#"{"prompt":"How deep is the harbour?","max_gen_len":16}"#;
    insta::assert_snapshot!(seen("meta.llama3-8b-instruct-v1:0", &everywhere(body)).await);
}

#[tokio::test]
async fn mistral_text() {
    let body = r#"{"prompt":"<s>[INST] How deep is the harbour? [/INST]","max_tokens":16}"#;
    insta::assert_snapshot!(seen("mistral.mistral-7b-instruct-v0:2", &everywhere(body)).await);
}

#[tokio::test]
async fn claude_text() {
    let body = r#"{"prompt":"\n\nHuman: How deep is the harbour?\n\nAssistant:","max_tokens_to_sample":16}"#;
    insta::assert_snapshot!(seen("anthropic.claude-v2:1", &everywhere(body)).await);
}

#[tokio::test]
async fn cohere_command() {
    let body = r#"{"prompt":"How deep is the harbour?","max_tokens":16,"stream":true}"#;
    let mut asked = everywhere(body);
    asked.push(("invoke-with-response-stream", body.replace(",\"stream\":true", "")));
    insta::assert_snapshot!(seen("cohere.command-light-text-v14", &asked).await);
}

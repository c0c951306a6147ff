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
    undated(&lines.join("\n"))
}

/// Chat completions state when they were made.
fn undated(text: &str) -> String {
    let mut parts = text.split("\"created\":");
    let mut undated = parts.next().unwrap().to_owned();
    for part in parts {
        undated.push_str("\"created\":…");
        undated.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    undated
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

const CHAT: &str = r#"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"How deep is the harbour?"}],"max_tokens":48}"#;
const CHAT_WITH_TOOL: &str = r#"{"messages":[{"role":"user","content":"Weather?"}],"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"days":{"type":"integer","minimum":1,"maximum":7}},"required":["days"]}}}],"tool_choice":"required"}"#;

fn with_tool() -> Vec<(&'static str, String)> {
    vec![
        ("invoke", CHAT_WITH_TOOL.to_owned()),
        ("invoke-with-response-stream", CHAT_WITH_TOOL.to_owned()),
    ]
}

#[tokio::test]
async fn gpt_oss() {
    insta::assert_snapshot!(seen("openai.gpt-oss-20b-1:0", &everywhere(CHAT)).await);
}

#[tokio::test]
async fn qwen() {
    insta::assert_snapshot!(seen("qwen.qwen3-32b-v1:0", &everywhere(CHAT)).await);
}

#[tokio::test]
async fn qwen_calls_a_tool() {
    insta::assert_snapshot!(seen("qwen.qwen3-32b-v1:0", &with_tool()).await);
}

#[tokio::test]
async fn deepseek_r1() {
    let body = r#"{"prompt":"How deep is the harbour?","max_tokens":600,"temperature":0.5}"#;
    let mut asked = everywhere(body);
    asked.remove(1);
    asked.push(("invoke", r#"{"prompt":"How deep? <think>\n","max_tokens":600}"#.to_owned()));
    asked.push(("invoke-with-response-stream", body.replace("600", "12")));
    insta::assert_snapshot!(seen("us.deepseek.r1-v1:0", &asked).await);
}

#[tokio::test]
async fn deepseek_chat() {
    insta::assert_snapshot!(seen("deepseek.v3.2", &everywhere(CHAT)).await);
}

#[tokio::test]
async fn jamba() {
    insta::assert_snapshot!(seen("ai21.jamba-1-5-mini-v1:0", &everywhere(CHAT)).await);
}

#[tokio::test]
async fn mistral_chat() {
    let mut asked = everywhere(CHAT);
    asked.push(("invoke", r#"{"prompt":"How deep?","max_tokens":16}"#.to_owned()));
    insta::assert_snapshot!(seen("mistral.mistral-large-2402-v1:0", &asked).await);
}

#[tokio::test]
async fn mistral_chat_calls_a_tool() {
    insta::assert_snapshot!(seen("mistral.mistral-large-2407-v1:0", &with_tool()).await);
}

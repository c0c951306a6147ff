//! One answer of each family, natively and by Converse, whole and streamed, as a client sees it.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use std::fmt::Write as _;

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
    shortened(&untimed(&lines.join("\n")))
}

/// Vectors by their first number and how many there are.
fn shortened(text: &str) -> String {
    let mut short = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let (before, list) = rest.split_at(at + 1);
        short.push_str(before);
        let end = list.find(|c: char| !c.is_ascii_digit() && !",.-+e".contains(c)).unwrap();
        let count = list[..end].split(',').count();
        if count > 8 && list[end..].starts_with(']') {
            let first = list.split(',').next().unwrap();
            write!(short, "{first},… {count} in all").unwrap();
            rest = &list[end..];
        } else {
            rest = list;
        }
    }
    short + rest
}

/// What tells of time: when answers were made, and how long they took.
const TIMES: &[&str] = &[
    "\"created\":",
    "\"latencyMs\":",
    "\"invocationLatency\":",
    "\"firstByteLatency\":",
    "\"requestDurationMillis\":",
    "x-amzn-bedrock-invocation-latency: ",
];

fn untimed(text: &str) -> String {
    let untimed = |text: String, key: &&str| {
        let mut parts = text.split(key);
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| {
            text + key + "…" + part.trim_start_matches(|c: char| c.is_ascii_digit())
        })
    };
    TIMES.iter().fold(text.to_owned(), untimed)
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
async fn gpt() {
    insta::assert_snapshot!(seen("us.openai.gpt-5.6-sol", &everywhere(CHAT)).await);
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

#[tokio::test]
async fn command_r() {
    let body = r#"{"message":"How deep is the harbour?","chat_history":[{"role":"USER","message":"Hi"},{"role":"CHATBOT","message":"Hello."}],"max_tokens":16,"p":0.9}"#;
    insta::assert_snapshot!(seen("cohere.command-r-v1:0", &everywhere(body)).await);
}

#[tokio::test]
async fn command_r_calls_a_tool() {
    let body = r#"{"message":"Weather in a week?","tools":[{"name":"weather","description":"The weather","parameter_definitions":{"days":{"description":"Days ahead","type":"int","required":true}}}]}"#;
    let asked = [("invoke", body.to_owned()), ("invoke-with-response-stream", body.to_owned())];
    insta::assert_snapshot!(seen("cohere.command-r-plus-v1:0", &asked).await);
}

/// The body, and how such models answer the operations that they do not have.
fn embedded(bodies: &[&str]) -> Vec<(&'static str, String)> {
    let mut asked: Vec<_> = bodies.iter().map(|body| ("invoke", (*body).to_owned())).collect();
    asked.push(("invoke-with-response-stream", bodies[0].to_owned()));
    asked
}

#[tokio::test]
async fn titan_embed() {
    let bodies = [
        r#"{"inputText":"How deep is the harbour?"}"#,
        r#"{"inputText":"How deep is the harbour?","dimensions":256,"embeddingTypes":["float","binary"]}"#,
    ];
    let v1 = seen("amazon.titan-embed-text-v1", &embedded(&bodies[..1])).await;
    let v2 = seen("amazon.titan-embed-text-v2:0", &embedded(&bodies)).await;
    insta::assert_snapshot!([v1, v2].join("\n\n"));
}

#[tokio::test]
async fn cohere_embed() {
    let bodies = [
        r#"{"texts":["How deep is the Harbour?","Deep."],"input_type":"search_query"}"#,
        r#"{"texts":["How deep is the Harbour?"],"input_type":"search_query","embedding_types":["float","int8","ubinary"]}"#,
    ];
    let v3 = seen("cohere.embed-english-v3", &embedded(&bodies)).await;
    let v4_bodies = [
        bodies[0],
        r#"{"inputs":[{"content":[{"type":"text","text":"A page"},{"type":"image_url","image_url":"data:image/png;base64,AA=="}]}],"input_type":"search_document","embedding_types":["binary"],"output_dimension":256}"#,
    ];
    let v4 = seen("cohere.embed-v4:0", &embedded(&v4_bodies)).await;
    insta::assert_snapshot!([v3, v4].join("\n\n"));
}

#[tokio::test]
async fn nova_embed() {
    let bodies = [
        r#"{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX","embeddingDimension":384,"text":{"truncationMode":"END","value":"How deep?"}}}"#,
        r#"{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"VIDEO_RETRIEVAL","video":{"format":"mp4","embeddingMode":"AUDIO_VIDEO_SEPARATE","source":{"bytes":"AA=="}}}}"#,
    ];
    let seen = seen("amazon.nova-2-multimodal-embeddings-v1:0", &embedded(&bodies)).await;
    insta::assert_snapshot!(seen);
}

#[tokio::test]
async fn rerank() {
    let body = r#"{"api_version":2,"query":"How deep is the harbour?","documents":["An invoice.","The harbour is twelve metres deep.",{"text":"How is it?"}],"top_n":2}"#;
    let cohere = seen("cohere.rerank-v3-5:0", &embedded(&[body])).await;
    let amazon = body.replace("\"api_version\":2,", "");
    let amazon = seen("amazon.rerank-v1:0", &embedded(&[&amazon])).await;
    insta::assert_snapshot!([cohere, amazon].join("\n\n"));
}

#[tokio::test]
async fn claude_thinks() {
    let native = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":1100,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"How deep is the harbour?"}]}"#;
    let converse = r#"{"messages":[{"role":"user","content":[{"text":"How deep?"}]}],"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}}"#;
    let redacted =
        native.replace("the harbour", "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E");
    let asked = [
        ("invoke", native.to_owned()),
        ("invoke-with-response-stream", native.to_owned()),
        ("invoke", redacted.clone()),
        ("invoke-with-response-stream", redacted),
        ("converse", converse.to_owned()),
    ];
    insta::assert_snapshot!(seen("us.anthropic.claude-opus-4-8", &asked).await);
}

#[tokio::test]
async fn claude_searches_the_web() {
    let body = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"tools":[{"type":"web_search_20250305","name":"web_search"}],"messages":[{"role":"user","content":"How deep is it?"}]}"#;
    let asked = [("invoke", body.to_owned()), ("invoke-with-response-stream", body.to_owned())];
    insta::assert_snapshot!(seen("us.anthropic.claude-sonnet-4-20250514-v1:0", &asked).await);
}

#[tokio::test]
async fn nova_reasons() {
    let native = r#"{"messages":[{"role":"user","content":[{"text":"How deep?"}]}],"inferenceConfig":{"maxTokens":60},"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}}"#;
    let converse = native
        .replace("\"reasoningConfig\":", "\"additionalModelRequestFields\":{\"reasoningConfig\":")
        .replace("\"low\"}", "\"low\"}}");
    let asked = [
        ("invoke", native.to_owned()),
        ("invoke-with-response-stream", native.to_owned()),
        ("converse", converse),
    ];
    insta::assert_snapshot!(seen("us.amazon.nova-2-lite-v1:0", &asked).await);
}

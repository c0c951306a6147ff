//! Each quirk makes answers say what the service was seen to say, and the ledger keeps the truth.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use bytes::Bytes;
use client::Answered;
use http::Request;
use mock_bedrock::{Config, Handler, InMemory, Quirk};
use serde_json::{Value, json};
use spanproof_schemas::ledger::Exchange;
use spanproof_schemas::speed::Speed;

const SONNET_35: &str = "anthropic.claude-3-5-sonnet-20240620-v1%3A0";
const SONNET_37: &str = "us.anthropic.claude-3-7-sonnet-20250219-v1%3A0";
const COMMAND_R: &str = "cohere.command-r-v1%3A0";

/// What is answered with the quirk and without, and the exchange with it.
async fn both(quirk: Quirk, path: &str, body: &Value) -> (Answered, Answered, Exchange) {
    let mut seen = Vec::new();
    for quirks in [vec![quirk], Vec::new()] {
        let ledger = InMemory::default();
        let config = Config {
            seed: 7,
            speed: Speed::Max,
            quirks: quirks.into_iter().collect(),
            ..Config::default()
        };
        let handler = Handler::new(config, ledger.clone()).unwrap();
        let request = Request::post(path).body(Bytes::from(body.to_string())).unwrap();
        let (head, body) = handler.answer(request).await.into_parts();
        assert_eq!(head.status, 200, "{body:?}");
        let answered =
            Answered { status: head.status, headers: head.headers, body, is_whole: true };
        seen.push((answered, ledger.exchanges().remove(0)));
    }
    let (plain, _) = seen.pop().unwrap();
    let (odd, exchange) = seen.pop().unwrap();
    (odd, plain, exchange)
}

fn tool() -> Value {
    json!({"toolSpec": {
        "name": "weather",
        "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }})
}

#[tokio::test]
async fn tool_use_blocks_have_a_type() {
    let body = json!({
        "messages": [{"role": "user", "content": [{"text": "Weather?"}]}],
        "toolConfig": {"tools": [tool()], "toolChoice": {"any": {}}},
    });
    let path = format!("/model/{SONNET_37}/converse");
    let (odd, plain, _) = both(Quirk::ConverseToolUseType, &path, &body).await;
    let block =
        |answered: &Answered| answered.json()["output"]["message"]["content"][0]["toolUse"].clone();
    assert_eq!(block(&odd)["type"], "tool_use");
    assert!(block(&plain).get("type").is_none());
    let path = format!("/model/{SONNET_37}/converse-stream");
    let (odd, plain, _) = both(Quirk::ConverseToolUseType, &path, &body).await;
    let start = |answered: &Answered| answered.frames()[1].json()["start"]["toolUse"].clone();
    assert_eq!(start(&odd)["type"], "tool_use");
    assert!(start(&plain).get("type").is_none());
}

#[tokio::test]
async fn claude_35_counts_a_streamed_tool_call_twice_over() {
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 300,
        "messages": [{"role": "user", "content": "Weather?"}],
        "tools": [{"name": "weather", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any"},
    });
    let path = format!("/model/{SONNET_35}/invoke-with-response-stream");
    let (odd, plain, exchange) = both(Quirk::ClaudeToolStreamUsage, &path, &body).await;
    let counts = |answered: &Answered| {
        let frames = answered.frames();
        let chunk = |back: usize| -> Value {
            serde_json::from_str(&frames[frames.len() - back].chunk()).unwrap()
        };
        let charged = chunk(1)["amazon-bedrock-invocationMetrics"]["outputTokenCount"].clone();
        (chunk(2)["usage"]["output_tokens"].as_u64().unwrap(), charged.as_u64().unwrap())
    };
    let (stated, charged) = counts(&odd);
    assert!(stated > charged);
    assert_eq!(charged, exchange.usage.output_tokens);
    let (stated, charged) = counts(&plain);
    assert_eq!(stated, charged);
}

#[tokio::test]
async fn command_r_bills_less_than_it_counts() {
    let body = json!({"message": "How deep is the harbour?"});
    let path = format!("/model/{COMMAND_R}/invoke-with-response-stream");
    let (odd, plain, _) = both(Quirk::CohereBilledUnits, &path, &body).await;
    let counts = |answered: &Answered| -> (u64, u64) {
        let last: Value = serde_json::from_str(&answered.frames().last().unwrap().chunk()).unwrap();
        let meta = &last["response"]["meta"];
        let of = |name: &str| meta[name]["input_tokens"].as_u64().unwrap();
        (of("billed_units"), of("tokens"))
    };
    let (billed, counted) = counts(&odd);
    assert!(counted > billed);
    let (billed, counted) = counts(&plain);
    assert_eq!(counted, billed);
}

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::Request;
use serde_json::{Value, json};
use spanproof_schemas::speed::Speed;

use super::{CassetteError, convert};
use crate::event_stream::put_event;
use crate::scripted::ScriptedAnswers;
use crate::{Config, Handler, InMemory};

const URL: &str = "https://bedrock-runtime.us-east-1.amazonaws.com";
const CLAUDE: &str = "/model/anthropic.claude-3-haiku-20240307-v1%3A0";

fn asked() -> String {
    json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "How deep?"}]}).to_string()
}

fn said(text: &str) -> String {
    json!({"type": "message", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": {"input_tokens": 11, "output_tokens": 4}}).to_string()
}

fn streamed() -> Vec<u8> {
    let mut body = BytesMut::new();
    let chunk = |json: Value| json!({"bytes": STANDARD.encode(json.to_string()), "p": "abc"});
    for event in [
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 11, "output_tokens": 1}}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 9}}),
    ] {
        put_event(&mut body, "chunk", chunk(event).to_string().as_bytes());
    }
    body.to_vec()
}

/// What the mock answers `path` with after it was given `answers`.
async fn replayed(answers: &ScriptedAnswers, path: &str) -> (u16, Bytes) {
    let scripted = answers.clone();
    let config = Config { speed: Speed::Max, scripted, ..Config::default() };
    let handler = Handler::new(config, InMemory::default()).unwrap();
    let request = Request::post(path).body(Bytes::from(asked())).unwrap();
    let response = handler.answer(request).await;
    (response.status().as_u16(), response.into_body())
}

#[tokio::test]
async fn every_kind_of_cassette_is_replayed_byte_for_byte() {
    let vcrpy = format!(
        "interactions:\n- request:\n    method: POST\n    uri: {URL}{CLAUDE}/invoke\n    body: '{}'\n  response:\n    status: {{code: 200, message: OK}}\n    headers:\n      X-Amzn-Bedrock-Output-Token-Count: ['5']\n    body:\n      string: !!binary |\n        {}\n- request:\n    method: POST\n    uri: {URL}{CLAUDE}/invoke-with-response-stream\n    body: '{}'\n  response:\n    status: {{code: 200, message: OK}}\n    headers: {{}}\n    body:\n      string: !!binary |\n        {}\nversion: 1\n",
        asked(),
        STANDARD.encode(said("Forty.")),
        asked(),
        STANDARD.encode(streamed()),
    );
    let archive = json!({"log": {"entries": [
        {"request": {"method": "POST", "url": format!("{URL}{CLAUDE}/invoke"), "postData": {"text": asked()}},
         "response": {"status": 200, "headers": [], "content": {"text": said("Forty.")}}},
        {"request": {"method": "POST", "url": format!("{URL}{CLAUDE}/invoke-with-response-stream"), "postData": {"text": asked()}},
         "response": {"status": 200, "headers": [], "content": {"text": STANDARD.encode(streamed()), "encoding": "base64"}}},
    ]}})
    .to_string();
    let hex = streamed().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let asked_json: Value = serde_json::from_str(&asked()).unwrap();
    let nock = json!([
        {"scope": URL, "method": "POST", "path": format!("{CLAUDE}/invoke"), "body": asked_json, "status": 200, "response": serde_json::from_str::<Value>(&said("Forty.")).unwrap(), "rawHeaders": ["A", "b"]},
        {"scope": URL, "method": "POST", "path": format!("{CLAUDE}/invoke-with-response-stream"), "body": asked_json, "status": 200, "response": [hex]},
    ])
    .to_string();
    for cassette in [vcrpy, archive, nock] {
        let converted = convert("tape", &cassette).unwrap();
        assert_eq!(converted.left_out, [] as [String; 0]);
        let [whole, stream] = converted.answers.answers.as_slice() else { panic!("two rules") };
        let recorded = |rule: &crate::scripted::Rule| rule.answer[0].recorded.clone().unwrap();
        assert_eq!(recorded(whole).usage.input_tokens, 11);
        assert_eq!(recorded(stream).usage.output_tokens, 9);
        assert_eq!(recorded(stream).stop_reason.as_deref(), Some("max_tokens"));
        let (_, body) = replayed(&converted.answers, &format!("{CLAUDE}/invoke")).await;
        assert_eq!(body, said("Forty."));
        let path = format!("{CLAUDE}/invoke-with-response-stream");
        assert_eq!(replayed(&converted.answers, &path).await.1, streamed());
    }
}

#[tokio::test]
async fn answers_to_one_request_keep_their_order_and_errors_are_faults() {
    let entry = |status: u16, headers: Value, body: &str| {
        json!({"request": {"method": "POST", "uri": format!("{URL}{CLAUDE}/invoke"), "body": asked()},
               "response": {"status": {"code": status}, "headers": headers, "body": {"string": body}}})
    };
    let throttled =
        json!({"x-amzn-ErrorType": ["ThrottlingException:http://internal.amazon.com/"]});
    let cassette = json!({"interactions": [
        entry(429, throttled, "{}"),
        entry(200, json!({}), &said("Forty.")),
    ]});
    let converted = convert("tape", &cassette.to_string()).unwrap();
    assert_eq!(converted.answers.answers.len(), 1);
    let config = Config { speed: Speed::Max, scripted: converted.answers, ..Config::default() };
    let handler = Handler::new(config, InMemory::default()).unwrap();
    for status in [429, 200, 200] {
        let request = Request::post(format!("{CLAUDE}/invoke")).body(asked().into()).unwrap();
        assert_eq!(handler.answer(request).await.status(), status);
    }
}

#[test]
fn what_cannot_be_replayed_is_left_out_and_said() {
    let entry = |path: &str, body: &str| {
        json!({"request": {"method": "POST", "uri": format!("{URL}{path}"), "body": body},
               "response": {"status": {"code": 200}, "headers": {}, "body": {"string": "{}"}}})
    };
    let cassette = json!({"interactions": [
        entry("/elsewhere", "{}"),
        entry("/model/nobody.knows/invoke", "{}"),
        entry(&format!("{CLAUDE}/invoke"), "{}"),
        entry(&format!("{CLAUDE}/invoke-with-response-stream"), &asked()),
        entry(&format!("{CLAUDE}/count-tokens"), "{}"),
    ]});
    let converted = convert("tape", &cassette.to_string()).unwrap();
    assert_eq!(converted.answers.answers, []);
    insta::assert_snapshot!(converted.left_out.join("\n"));
    assert_eq!(convert("tape", "{}"), Err(CassetteError::Kind));
    assert!(matches!(convert("tape", "{a: ]"), Err(CassetteError::Syntax(_))));
    let error = convert("tape", r#"{"interactions":[{}]}"#).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"interaction 1: it has no text under `method`");
}

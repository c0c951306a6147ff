use std::fs;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use spanproof_schemas::speed::Speed;

use super::ScriptedAnswers;
use crate::event_stream::Decoder;
use crate::{Config, Handler, InMemory};

const CLAUDE: &str = "anthropic.claude-3-5-sonnet-20240620-v1%3A0";

/// A handler with the answers in `yaml`, and its ledger.
fn handler(yaml: &str) -> (Handler, InMemory) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.yaml");
    fs::write(&path, yaml).unwrap();
    let scripted = ScriptedAnswers::read(&path).unwrap();
    let ledger = InMemory::default();
    let config = Config { speed: Speed::Max, scripted, ..Config::default() };
    (Handler::new(config, ledger.clone()).unwrap(), ledger)
}

async fn post(handler: &Handler, path: &str, body: &Value) -> Response<Bytes> {
    let request = Request::post(path).body(Bytes::from(body.to_string())).unwrap();
    handler.answer(request).await
}

async fn converse(handler: &Handler, texts: &[&str]) -> Value {
    let roles = ["user", "assistant"].into_iter().cycle();
    let messages: Vec<Value> = roles
        .zip(texts)
        .map(|(role, text)| json!({"role": role, "content": [{"text": text}]}))
        .collect();
    let path = format!("/model/{CLAUDE}/converse");
    let response = post(handler, &path, &json!({ "messages": messages })).await;
    serde_json::from_slice(response.body()).unwrap()
}

fn text(answer: &Value) -> &str {
    answer["output"]["message"]["content"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn the_first_rule_that_fits_answers_and_the_rest_is_generated() {
    let (handler, ledger) = handler(
        r#"
answers:
  - name: depth
    when: { prompt: harbour, model: "anthropic.*", operation: Converse }
    answer: { text: Forty metres., usage: { input_tokens: 12, output_tokens: 5 } }
  - name: again
    when: { turn: 2 }
    answer: { text: "You asked that.", stop: max_tokens }
"#,
    );
    let told = converse(&handler, &["How deep is the harbour?"]).await;
    assert_eq!(text(&told), "Forty metres.");
    assert_eq!(told["usage"]["totalTokens"], 17);
    let told = converse(&handler, &["How deep?", "Forty metres.", "How deep?"]).await;
    assert_eq!((text(&told), &told["stopReason"]), ("You asked that.", &json!("max_tokens")));
    let other = converse(&handler, &["Why?"]).await;
    assert!(text(&other).len() > 20);
    let names: Vec<_> =
        ledger.exchanges().into_iter().map(|exchange| exchange.scripted_answer).collect();
    assert_eq!(names, [Some("depth".to_owned()), Some("again".to_owned()), None]);
}

#[tokio::test]
async fn answers_come_in_sequence_and_as_often_as_they_may_for_each_test() {
    let (handler, _) = handler(
        r#"
strict: true
answers:
  - name: count
    when: { test: "a*" }
    times: 3
    answer: [{ text: one }, { text: two }]
"#,
    );
    let path = |test: &str| format!("/_spanproof/tests/{test}/model/{CLAUDE}/converse");
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Count."}]}]});
    for test in ["a1", "a2"] {
        for expected in ["one", "two", "two"] {
            let told = post(&handler, &path(test), &body).await;
            assert_eq!(text(&serde_json::from_slice(told.body()).unwrap()), expected);
        }
    }
    for test in ["a1", "b"] {
        let refused = post(&handler, &path(test), &body).await;
        assert_eq!(refused.status(), 400);
        insta::allow_duplicates! {
            insta::assert_snapshot!(String::from_utf8_lossy(refused.body()), @r#"{"message":"no scripted answer is left for Converse of anthropic.claude-3-5-sonnet-20240620-v1:0: add a rule that fits, or leave out `strict`"}"#);
        }
    }
}

#[tokio::test]
async fn tools_and_faults_are_scripted_too() {
    let (handler, ledger) = handler(
        r"
answers:
  - name: result
    when: { tool-result: true }
    answer: { fault: ThrottlingException }
  - name: call
    answer: { text: Let me look., tools: [{ name: search, input: { q: depth } }] }
",
    );
    let path = format!("/model/{CLAUDE}/converse");
    let asked = json!({"role": "user", "content": [{"text": "How deep?"}]});
    let told = post(&handler, &path, &json!({ "messages": [asked] })).await;
    let told: Value = serde_json::from_slice(told.body()).unwrap();
    let call = &told["output"]["message"]["content"][1]["toolUse"];
    assert_eq!((&call["name"], &call["input"]), (&json!("search"), &json!({"q": "depth"})));
    assert_eq!(told["stopReason"], "tool_use");
    let result =
        json!({"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "40"}]}});
    let messages = json!([asked, told["output"]["message"], {"role": "user", "content": [result]}]);
    let refused = post(&handler, &path, &json!({ "messages": messages })).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(ledger.exchanges()[1].fault.as_deref(), Some("ThrottlingException"));
    assert_eq!(ledger.exchanges()[1].scripted_answer.as_deref(), Some("result"));
}

#[tokio::test]
async fn what_was_recorded_is_replayed_byte_for_byte() {
    let (handler, ledger) = handler(
        r#"
answers:
  - name: whole
    when: { operation: InvokeModel }
    answer:
      recorded:
        body: '{"completion": "Forty.",  "stop_reason":"stop_sequence"}'
        headers: [[x-amzn-bedrock-input-token-count, "9"]]
        usage: { input_tokens: 9, output_tokens: 2 }
        stop-reason: stop_sequence
  - name: stream
    when: { operation: [ConverseStream] }
    answer:
      recorded:
        events:
          - { at-ms: 300, name: messageStart, payload: '{"p":"ab","role":"assistant"}' }
          - { at-ms: 450, kind: exception, name: throttlingException, payload: '{"message":"Slow."}' }
"#,
    );
    let body = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "How deep?"}]});
    let whole = post(&handler, &format!("/model/{CLAUDE}/invoke"), &body).await;
    assert_eq!(whole.body(), r#"{"completion": "Forty.",  "stop_reason":"stop_sequence"}"#);
    assert_eq!(whole.headers()["x-amzn-bedrock-input-token-count"], "9");
    let body = json!({"messages": [{"role": "user", "content": [{"text": "How deep?"}]}]});
    let stream = post(&handler, &format!("/model/{CLAUDE}/converse-stream"), &body).await;
    let mut decoder = Decoder::default();
    decoder.push(stream.body());
    let start = decoder.take().unwrap().unwrap();
    assert_eq!(start.payload, r#"{"p":"ab","role":"assistant"}"#);
    let exception = decoder.take().unwrap().unwrap();
    assert_eq!(exception.message_type(), Some("exception"));
    let exchanges = ledger.exchanges();
    assert_eq!(exchanges[0].usage.input_tokens, 9);
    assert_eq!(exchanges[0].stop_reason.as_deref(), Some("stop_sequence"));
    assert_eq!(exchanges[1].exception.as_deref(), Some("throttlingException"));
    assert!(exchanges.iter().all(|exchange| exchange.delivered));
}

#[test]
fn a_file_that_cannot_be_served_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let error = ScriptedAnswers::read(&path).unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    };
    insta::assert_snapshot!(refused("a.yaml", "answers: [{name: a, answer: {}}]"), @"a.yaml: the scripted answer `a` says nothing: give it text, tools, reasoning, a fault, or what was recorded");
    insta::assert_snapshot!(refused("a.yaml", "answers: [{name: a, answer: {says: hello}}]"), @"a.yaml holds no scripted answers: answers[0]: unknown field `says`, expected one of `reasoning`, `text`, `chunks`, `tools`, `stop`, `usage`, `fault`, `recorded` at line 1 column 11");
    insta::assert_snapshot!(refused("a.json", r#"{"answers":[{"name":"a","answer":[]}]}"#), @"a.json: the scripted answer `a` has no answer: give it one, or leave it out");
    insta::assert_snapshot!(refused("a.yaml", "answers: [{name: a, when: {operation: Dance}, answer: {text: a}}]"), @"a.yaml holds no scripted answers: answers[0].when: an operation such as Converse, or a list of them at line 1 column 27");
}

#[test]
fn the_schema_describes_the_files() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../schemas/scripted-answers.schema.json"))
            .unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let example = json!({
        "strict": true,
        "answers": [
            {"name": "a", "when": {"operation": ["Converse"], "model": "*", "prompt": "b", "prompt-sha256": "0".repeat(64), "turn": 1, "tool-result": false, "test": "t*"}, "times": 2, "answer": [{"reasoning": "r", "text": "t", "tools": [{"name": "n", "input": {}}], "stop": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 2}}, {"fault": "cut"}]},
            {"name": "b", "answer": {"recorded": {"headers": [["a", "b"]], "latency-ms": 1.5, "body": "{}", "usage": {"input_tokens": 1, "output_tokens": 2}, "stop-reason": "stop"}}},
            {"name": "c", "answer": {"recorded": {"events": [{"at-ms": 1.0, "name": "chunk", "kind": "exception", "payload": "{}"}]}}},
        ],
    });
    assert!(schema.is_valid(&example), "{:?}", schema.iter_errors(&example).next());
    let answers: ScriptedAnswers = serde_json::from_value(example.clone()).unwrap();
    answers.validate().unwrap();
    let written = serde_json::to_value(&answers).unwrap();
    assert!(schema.is_valid(&written), "{:?}", schema.iter_errors(&written).next());
    for spoiled in [
        "/strict",
        "/answers/0/name",
        "/answers/0/when/turn",
        "/answers/0/answer/0/stop",
        "/answers/2/answer/recorded/events/0/kind",
    ] {
        let mut other = example.clone();
        *other.pointer_mut(spoiled).unwrap() = json!({});
        assert!(!schema.is_valid(&other), "{spoiled}");
        assert!(serde_json::from_value::<ScriptedAnswers>(other).is_err(), "{spoiled}");
    }
}

#[tokio::test]
async fn chunks_come_in_the_pieces_and_at_the_times_that_a_script_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.yaml");
    let yaml = r#"
answers:
  - name: slow
    answer:
      chunks: [{ text: "One ", after: 2s }, { text: "two ", after: 30s }, { text: three., after: 10m }]
"#;
    fs::write(&path, yaml).unwrap();
    let scripted = ScriptedAnswers::read(&path).unwrap();
    // The 632 simulated seconds last a tenth of one.
    let config = Config { speed: Speed::Times(6_320.0), scripted, ..Config::default() };
    let handler = Handler::new(config, InMemory::default()).unwrap();
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Count."}]}]});
    for model in [CLAUDE, "amazon.nova-lite-v1%3A0", "meta.llama3-8b-instruct-v1%3A0"] {
        let began = std::time::Instant::now();
        let response = post(&handler, &format!("/model/{model}/converse-stream"), &body).await;
        // They may take longer, and never less.
        assert!(began.elapsed() >= std::time::Duration::from_millis(100), "{model}");
        let mut decoder = Decoder::default();
        decoder.push(response.body());
        let mut pieces = Vec::new();
        while let Some(frame) = decoder.take().unwrap() {
            let payload: Value = serde_json::from_slice(&frame.payload).unwrap();
            pieces.extend(payload["delta"]["text"].as_str().map(str::to_owned));
        }
        assert_eq!(pieces, ["One ", "two ", "three."], "{model}");
    }
}

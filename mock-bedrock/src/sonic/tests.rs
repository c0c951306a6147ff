use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Session, decode};
use crate::model;

fn session() -> Session {
    let model = model::resolve("amazon.nova-sonic-v1:0").unwrap();
    Session::new(7, "SPMC01234567".to_owned(), model, 1)
}

/// Sends an event and returns the events that answer it.
fn send(session: &mut Session, event: &Value) -> Vec<Value> {
    let bytes = STANDARD.encode(json!({ "event": event }).to_string());
    let event = decode(json!({ "bytes": bytes }).to_string().as_bytes()).unwrap();
    let taken = session.take(event).unwrap();
    taken.replies.iter().map(|reply| read(&reply.payload)).collect()
}

fn read(payload: &[u8]) -> Value {
    let chunk: Value = serde_json::from_slice(payload).unwrap();
    let json = STANDARD.decode(chunk["bytes"].as_str().unwrap()).unwrap();
    let event: Value = serde_json::from_slice(&json).unwrap();
    event["event"].clone()
}

fn begin(session: &mut Session, prompt: &Value) {
    send(session, &json!({"sessionStart": {"inferenceConfiguration": {"maxTokens": 60}}}));
    let mut start = json!({"promptName": "p"});
    start.as_object_mut().unwrap().extend(prompt.as_object().unwrap().clone());
    assert!(send(session, &json!({ "promptStart": start })).is_empty());
}

fn content(session: &mut Session, kind: &str, role: &str, inputs: &[Value]) -> Vec<Value> {
    let start = json!({"promptName": "p", "contentName": "c", "type": kind, "role": role});
    let mut replies = send(session, &json!({ "contentStart": start }));
    for input in inputs {
        replies.extend(send(session, input));
    }
    replies.extend(send(session, &json!({"contentEnd": {"promptName": "p", "contentName": "c"}})));
    replies
}

fn text(content: &str) -> Value {
    json!({"textInput": {"promptName": "p", "contentName": "c", "content": content}})
}

/// Sound of so many tenths of a second at 16 kHz.
fn sound(tenths: usize, amplitude: i16) -> Value {
    let bytes: Vec<u8> = vec![amplitude.to_le_bytes(); 1_600 * tenths].concat();
    json!({"audioInput": {"promptName": "p", "contentName": "c", "content": STANDARD.encode(bytes)}})
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event.as_object().unwrap().keys().next().unwrap().as_str()).collect()
}

#[test]
fn a_typed_turn_is_answered_in_words_and_charged() {
    let mut session = session();
    begin(&mut session, &json!({}));
    assert!(content(&mut session, "TEXT", "SYSTEM", &[text("You are brief.")]).is_empty());
    let replies = content(&mut session, "TEXT", "USER", &[text("How deep is "), text("it?")]);
    insta::assert_snapshot!(names(&replies).join(" "), @"completionStart contentStart textOutput contentEnd contentStart textOutput contentEnd usageEvent");
    let said = replies[2]["textOutput"]["content"].as_str().unwrap();
    assert_eq!(session.completion(), said);
    assert_eq!(session.prompt(), "You are brief.\nHow deep is it?");
    assert!(session.markers().iter().all(|marker| said.contains(marker.as_str())));
    let usage = &replies[7]["usageEvent"];
    assert_eq!(usage["totalOutputTokens"], session.usage().output_tokens);
    assert_eq!(usage["totalInputTokens"], session.usage().input_tokens);
    assert_eq!(usage["details"]["delta"], usage["details"]["total"]);
    let ended = send(&mut session, &json!({"sessionEnd": {}}));
    assert_eq!(ended[0]["completionEnd"]["stopReason"], "END_TURN");
}

#[test]
fn speech_is_answered_when_silence_follows_it() {
    let mut session = session();
    begin(&mut session, &json!({"audioOutputConfiguration": {"sampleRateHertz": 8_000}}));
    let start = json!({"promptName": "p", "contentName": "c", "type": "AUDIO", "role": "USER"});
    send(&mut session, &json!({ "contentStart": start }));
    assert!(send(&mut session, &sound(20, 0)).is_empty(), "nobody has spoken");
    assert!(send(&mut session, &sound(20, 2_000)).is_empty(), "somebody speaks");
    assert!(send(&mut session, &sound(4, 0)).is_empty(), "a pause");
    let replies = send(&mut session, &sound(5, 0));
    assert_eq!(replies[2]["textOutput"]["role"], "USER", "what was heard comes first");
    let sounds: Vec<&Value> =
        replies.iter().filter(|event| event.get("audioOutput").is_some()).collect();
    assert!(!sounds.is_empty());
    for sound in sounds {
        let bytes = STANDARD.decode(sound["audioOutput"]["content"].as_str().unwrap()).unwrap();
        assert_eq!(bytes.len(), 1_600, "a tenth of a second of 16 bits at 8 kHz");
    }
    let usage = &replies.last().unwrap()["usageEvent"]["details"]["delta"];
    assert_eq!(usage["input"]["speechTokens"], 50, "two seconds, 40 ms to a token");
    assert!(usage["output"]["speechTokens"].as_u64().unwrap() > 0);
    let rest = send(&mut session, &json!({"contentEnd": {"promptName": "p", "contentName": "c"}}));
    assert!(rest.is_empty(), "the turn was answered already");
}

#[test]
fn a_tool_is_called_and_its_result_spoken_about() {
    let schema = r#"{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}"#;
    let tools = json!({"toolConfiguration": {"tools": [{"toolSpec": {"name": "search", "inputSchema": {"json": schema}}}]}});
    let called = (0..20).find_map(|n| {
        let mut session = session();
        begin(&mut session, &tools);
        let replies = content(&mut session, "TEXT", "USER", &[text(&format!("look up {n}"))]);
        let call = replies.iter().find(|event| event.get("toolUse").is_some())?.clone();
        Some((session, call))
    });
    let (mut session, call) = called.unwrap();
    let arguments: Value =
        serde_json::from_str(call["toolUse"]["content"].as_str().unwrap()).unwrap();
    assert!(arguments["q"].is_string());
    let result = json!({"toolResult": {"promptName": "p", "contentName": "c", "content": "{}"}});
    let replies = content(&mut session, "TOOL", "TOOL", &[result]);
    assert!(names(&replies).contains(&"textOutput"));
}

#[test]
fn events_out_of_place_are_refused() {
    let refused = |event: Value| {
        let bytes = STANDARD.encode(json!({ "event": event }).to_string());
        let payload = json!({ "bytes": bytes }).to_string();
        let error = decode(payload.as_bytes()).and_then(|event| session().take(event)).unwrap_err();
        error.message.into_owned()
    };
    let start = json!({"promptName": "p", "contentName": "c", "type": "TEXT", "role": "USER"});
    insta::assert_snapshot!(refused(json!({ "contentStart": start })), @"there is no open prompt `p`: send promptStart first");
    insta::assert_snapshot!(refused(text("a")), @"there is no open content `c`: send contentStart first");
    insta::assert_snapshot!(refused(json!({"dance": {}})), @"the event cannot be read: unknown variant `dance`, expected one of `sessionStart`, `promptStart`, `contentStart`, `textInput`, `audioInput`, `toolResult`, `contentEnd`, `promptEnd`, `sessionEnd` at line 1 column 17");
}

//! Converse and ConverseStream.

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::catalogue::{MODELS, that};
use super::limits;
use super::requests;
use super::service::{ask, ask_in_turn};
use super::shapes::{self, Message};

proptest! {
    #[test]
    fn both_ways_tell_the_same_answer_within_its_limits(
        (model, body) in requests::converse(), seed in any::<u64>()
    ) {
        let whole = ask(seed, &model.path("converse"), &body);
        prop_assert_eq!(whole.status, 200, "{}", String::from_utf8_lossy(&whole.body));
        let (message, usage) = shapes::whole(&whole.json());
        limits::keeps(usage, &message.text.join("\0"), &whole);
        calls_fit(&message, &body);
        prop_assert_eq!(&message.echoed[0], &body["performanceConfig"]);

        let streamed = ask(seed, &model.path("converse-stream"), &body);
        prop_assert_eq!(streamed.status, 200);
        let (same, same_usage) = shapes::streamed(&streamed.events());
        limits::keeps(same_usage, &same.text.join("\0"), &streamed);
        prop_assert_eq!(same, message);
        prop_assert_eq!(same_usage, usage);

        prop_assert_eq!(whole.repeatable(), ask(seed, &model.path("converse"), &body).repeatable());
        let again = ask(seed, &model.path("converse-stream"), &body);
        prop_assert_eq!(streamed.repeatable(), again.repeatable());
    }

    #[test]
    fn a_prefix_is_charged_once_and_read_from_then_on(
        (model, mut body) in requests::converse_with(32_000), words in 0..12_000_usize, seed in any::<u64>()
    ) {
        let long = json!([
            { "text": "A long story. ".repeat(words / 3 + 1) },
            { "cachePoint": { "type": "default" } },
            { "text": "And then?" },
        ]);
        body["messages"] = json!([{ "role": "user", "content": long }]);
        let told = ask_in_turn(seed, &model.path("converse"), &[&body, &body]);
        let [first, second] = [0, 1].map(|n: usize| shapes::whole(&told[n].json()).1);
        prop_assert_eq!(first.cache_read, 0);
        prop_assert_eq!(second.cache_write, 0);
        prop_assert_eq!(second.cache_read, first.cache_write);
        let charged = |usage: shapes::Usage| usage.input + usage.cache_read + usage.cache_write;
        prop_assert_eq!(charged(first), charged(second));
        for (told, usage) in told.iter().zip([first, second]) {
            limits::keeps(usage, "", told);
        }
    }

    #[test]
    fn what_is_no_request_is_an_exception_in_its_shape(
        model in select(that(|_| true)),
        segment in select(vec!["converse", "converse-stream", "invoke", "invoke-with-response-stream"]),
        body in anything(),
    ) {
        let told = ask(1, &model.path(segment), &body);
        if told.status != 200 {
            limits::is_an_exception(&told);
        }
    }
}

/// A tool that is called was offered, and its arguments fit its schema.
fn calls_fit(message: &Message, body: &Value) {
    assert_eq!(message.stop_reason == "tool_use", !message.tool_uses.is_empty(), "{message:?}");
    let tools = body["toolConfig"]["tools"].as_array();
    for call in &message.tool_uses {
        let is_called = |tool: &&Value| tool["toolSpec"]["name"] == call.name.as_str();
        let tool = tools.into_iter().flatten().find(is_called).expect("the tool was offered");
        let schema: Validator =
            jsonschema::validator_for(&tool["toolSpec"]["inputSchema"]["json"]).unwrap();
        assert!(schema.is_valid(&call.input), "{} does not fit {tool}", call.input);
        let is_id = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
        assert!((1..=64).contains(&call.id.len()) && call.id.chars().all(is_id), "{}", call.id);
    }
    // A call that the limit cuts short is not made.
    let choice = &body["toolConfig"]["toolChoice"];
    let must = choice.get("any").is_some() || choice.get("tool").is_some();
    if must && body["inferenceConfig"].get("maxTokens").is_none() {
        assert_eq!(message.stop_reason, "tool_use", "{message:?}");
    }
}

/// JSON that only now and then looks like a request.
fn anything() -> impl Strategy<Value = Value> {
    let key = select(vec![
        "messages",
        "role",
        "content",
        "text",
        "prompt",
        "inputText",
        "max_tokens",
        "toolConfig",
        "tools",
        "inferenceConfig",
        "maxTokens",
        "stopSequences",
        "anthropic_version",
        "system",
        "toolUse",
        "input",
        "message",
        "texts",
        "query",
        "documents",
        "stop",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2.0..2.0_f64).prop_map(Value::from),
        select(vec!["user", "assistant", "", "a"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5).prop_map(|members| members
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

#[test]
fn every_model_that_converses_answers_a_plain_question() {
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "Hi" }] }] });
    for model in MODELS.iter().filter(|model| model.supports("converse")) {
        let told = ask(7, &model.path("converse"), &body);
        assert_eq!(told.status, 200, "{model:?}");
        assert!(!shapes::whole(&told.json()).0.text.is_empty(), "{model:?}");
    }
}

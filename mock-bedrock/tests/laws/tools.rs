//! Tools in the families' own bodies: whole and streamed make the same calls, and they fit.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::catalogue::{Model, that};
use super::requests::schema;
use super::service::ask;

/// A call: its id, its tool's name and its arguments.
type Call = (String, String, Value);

/// How a family offers tools and makes calls.
#[derive(Clone, Copy, Debug)]
struct Dialect {
    families: &'static [&'static str],
    /// A body that demands a call of one of the tools, which have these schemas.
    body: fn(&[Value]) -> Value,
    calls: fn(&Value) -> Vec<Call>,
    streamed: fn(&[Value]) -> Vec<Call>,
}

const DIALECTS: &[Dialect] = &[
    Dialect {
        families: &["claude"],
        body: ask_claude,
        calls: claude_calls,
        streamed: claude_stream,
    },
    Dialect { families: &["nova"], body: ask_nova, calls: nova_calls, streamed: nova_stream },
    Dialect {
        families: &["deepseek_chat", "gpt", "gpt_oss", "jamba", "mistral_chat", "qwen"],
        body: ask_chat,
        calls: chat_calls,
        streamed: chat_stream,
    },
];

proptest! {
    #[test]
    fn both_ways_make_the_same_calls_and_they_fit(
        (dialect, model) in select(models()), schemas in prop::collection::vec(schema(), 1..4),
        seed in any::<u64>(),
    ) {
        let body = (dialect.body)(&schemas);
        let whole = ask(seed, &model.path("invoke"), &body);
        prop_assert_eq!(whole.status, 200, "{}", String::from_utf8_lossy(&whole.body));
        let calls = (dialect.calls)(&whole.json());
        prop_assert!(!calls.is_empty(), "{}", String::from_utf8_lossy(&whole.body));
        for (id, name, input) in &calls {
            prop_assert!(!id.is_empty());
            let number: usize = name.strip_prefix("tool_").unwrap().parse().unwrap();
            let schema = jsonschema::validator_for(&schemas[number]).unwrap();
            prop_assert!(schema.is_valid(input), "{} does not fit {}", input, schemas[number]);
        }
        let streamed = ask(seed, &model.path("invoke-with-response-stream"), &body);
        prop_assert_eq!(streamed.status, 200);
        prop_assert_eq!((dialect.streamed)(&streamed.chunks()), calls);
    }
}

fn models() -> Vec<(Dialect, Model)> {
    let models = that(|model| model.supports("stream") && model.supports("stream_tools"));
    let dialect = |model: &Model| {
        DIALECTS.iter().find(|dialect| dialect.families.contains(&model.family.as_str())).copied()
    };
    models.into_iter().filter_map(|model| Some((dialect(&model)?, model))).collect()
}

fn named(schemas: &[Value], tool: fn(String, &Value) -> Value) -> Vec<Value> {
    schemas.iter().enumerate().map(|(n, schema)| tool(format!("tool_{n}"), schema)).collect()
}

fn ask_claude(schemas: &[Value]) -> Value {
    json!({
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 4_000,
        "messages": [{ "role": "user", "content": "Find it." }],
        "tools": named(schemas, |name, schema| json!({ "name": name, "input_schema": schema })),
        "tool_choice": { "type": "any" },
    })
}

fn claude_calls(answer: &Value) -> Vec<Call> {
    let blocks = list(&answer["content"]).filter(|block| block["type"] == "tool_use");
    blocks.map(|block| (text(&block["id"]), text(&block["name"]), block["input"].clone())).collect()
}

fn claude_stream(chunks: &[Value]) -> Vec<Call> {
    let mut calls = Calls::default();
    for chunk in chunks {
        let begun = &chunk["content_block"];
        if begun["type"] == "tool_use" {
            assert_eq!(begun["input"], json!({}));
            calls.begin(&begun["id"], &begun["name"]);
        }
        if chunk["delta"]["type"] == "input_json_delta" {
            calls.go_on(&chunk["delta"]["partial_json"]);
        }
    }
    calls.ended()
}

fn ask_nova(schemas: &[Value]) -> Value {
    let tools = named(
        schemas,
        |name, schema| json!({ "toolSpec": { "name": name, "inputSchema": { "json": schema } } }),
    );
    json!({
        "messages": [{ "role": "user", "content": [{ "text": "Find it." }] }],
        "toolConfig": { "tools": tools, "toolChoice": { "any": {} } },
    })
}

fn nova_calls(answer: &Value) -> Vec<Call> {
    list(&answer["output"]["message"]["content"])
        .filter_map(|block| block.get("toolUse"))
        .map(|call| (text(&call["toolUseId"]), text(&call["name"]), call["input"].clone()))
        .collect()
}

fn nova_stream(chunks: &[Value]) -> Vec<Call> {
    let mut calls = Calls::default();
    for chunk in chunks {
        if let Some(begun) = chunk["contentBlockStart"]["start"].get("toolUse") {
            calls.begin(&begun["toolUseId"], &begun["name"]);
        }
        if let Some(call) = chunk["contentBlockDelta"]["delta"].get("toolUse") {
            calls.go_on(&call["input"]);
        }
    }
    calls.ended()
}

fn ask_chat(schemas: &[Value]) -> Value {
    let tools = named(
        schemas,
        |name, schema| json!({ "type": "function", "function": { "name": name, "parameters": schema } }),
    );
    json!({
        "messages": [{ "role": "user", "content": "Find it." }], "tools": tools,
        "tool_choice": "required",
    })
}

fn chat_calls(answer: &Value) -> Vec<Call> {
    list(&answer["choices"][0]["message"]["tool_calls"])
        .map(|call| {
            let function = &call["function"];
            let arguments = serde_json::from_str(function["arguments"].as_str().unwrap()).unwrap();
            (text(&call["id"]), text(&function["name"]), arguments)
        })
        .collect()
}

fn chat_stream(chunks: &[Value]) -> Vec<Call> {
    let mut calls = Calls::default();
    for call in chunks.iter().flat_map(|chunk| list(&chunk["choices"][0]["delta"]["tool_calls"])) {
        if call.get("id").is_some() {
            calls.begin(&call["id"], &call["function"]["name"]);
        }
        assert_eq!(call["index"], calls.0.len() - 1);
        calls.go_on(&call["function"]["arguments"]);
    }
    calls.ended()
}

/// Calls of a stream, their arguments as far as they came.
#[derive(Default)]
struct Calls(Vec<(String, String, String)>);

impl Calls {
    fn begin(&mut self, id: &Value, name: &Value) {
        self.0.push((text(id), text(name), String::new()));
    }

    fn go_on(&mut self, piece: &Value) {
        self.0.last_mut().unwrap().2 += piece.as_str().unwrap();
    }

    fn ended(self) -> Vec<Call> {
        let arguments = |text: &str| serde_json::from_str(text).unwrap();
        self.0.into_iter().map(|(id, name, text)| (id, name, arguments(&text))).collect()
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

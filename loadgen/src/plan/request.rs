//! Requests in the shape of each operation and model family.

use serde_json::{Map, Value, json};
use spanproof_schemas::worker::Operation;

use super::Plan;
use super::shape::{OfferedTools, Shape, System};
use crate::capabilities::Family;
use crate::scenario::Tool;

/// The version that Claude's native bodies on this service state.
const ANTHROPIC_VERSION: &str = "bedrock-2023-05-31";

impl Plan {
    /// The request of call `k`: the members of the API's request, or the native body.
    pub(super) fn request(&self, k: u64, shape: &Shape) -> Value {
        let texts = self.messages(k, shape);
        match (shape.target.operation, shape.family) {
            (Operation::Converse | Operation::ConverseStream, _) => converse(shape, texts),
            (_, Family::Claude) => claude(shape, texts),
            (_, Family::Nova) => nova(shape, texts),
            (_, Family::TitanEmbeddings) => json!({ "inputText": texts.concat() }),
        }
    }
}

fn converse(shape: &Shape, texts: Vec<String>) -> Value {
    let mut request = Members::default();
    request.set("messages", messages(texts, |text| json!([{ "text": text }])));
    match shape.system {
        System::None => {}
        System::Plain(text) => request.set("system", json!([{ "text": text }])),
        System::Cached { text, .. } => request
            .set("system", json!([{ "text": text }, { "cachePoint": { "type": "default" } }])),
    }
    let mut inference = Members::default();
    inference.set("maxTokens", shape.max_tokens.into());
    inference.set_some("temperature", shape.temperature);
    inference.set_some("topP", shape.top_p);
    inference.set_some("stopSequences", shape.stop_sequences);
    request.set("inferenceConfig", inference.0.into());
    request.set_some("toolConfig", shape.tools.map(tool_config));
    request.0.into()
}

fn nova(shape: &Shape, texts: Vec<String>) -> Value {
    let mut body = Members::default();
    body.set("schemaVersion", "messages-v1".into());
    body.set("messages", messages(texts, |text| json!([{ "text": text }])));
    match shape.system {
        System::None => {}
        System::Plain(text) => body.set("system", json!([{ "text": text }])),
        System::Cached { text, .. } => {
            body.set("system", json!([{ "text": text, "cachePoint": { "type": "default" } }]));
        }
    }
    let mut inference = Members::default();
    inference.set("maxTokens", shape.max_tokens.into());
    inference.set_some("temperature", shape.temperature);
    inference.set_some("topP", shape.top_p);
    inference.set_some("topK", shape.top_k);
    inference.set_some("stopSequences", shape.stop_sequences);
    body.set("inferenceConfig", inference.0.into());
    body.set_some("toolConfig", shape.tools.map(tool_config));
    body.0.into()
}

fn claude(shape: &Shape, texts: Vec<String>) -> Value {
    let mut body = Members::default();
    body.set("anthropic_version", ANTHROPIC_VERSION.into());
    body.set("max_tokens", shape.max_tokens.into());
    body.set("messages", messages(texts, |text| json!([{ "type": "text", "text": text }])));
    match shape.system {
        System::None => {}
        System::Plain(text) => body.set("system", text.into()),
        System::Cached { text, .. } => body.set(
            "system",
            json!([{ "type": "text", "text": text, "cache_control": { "type": "ephemeral" } }]),
        ),
    }
    body.set_some("temperature", shape.temperature);
    body.set_some("top_p", shape.top_p);
    body.set_some("top_k", shape.top_k);
    body.set_some("stop_sequences", shape.stop_sequences);
    if let Some(OfferedTools { tools, any }) = shape.tools {
        let offered = tools.offered.iter().map(|Tool { name, description, input_schema }| {
            json!({ "name": name, "description": description, "input_schema": input_schema })
        });
        body.set("tools", offered.collect());
        body.set("tool_choice", json!({ "type": if any { "any" } else { "auto" } }));
    }
    body.0.into()
}

/// Messages of the user and the assistant by turns, the user first.
fn messages(texts: Vec<String>, content: impl Fn(String) -> Value) -> Value {
    let roles = ["user", "assistant"].into_iter().cycle();
    let turns = texts.into_iter().zip(roles);
    turns.map(|(text, role)| json!({ "role": role, "content": content(text) })).collect()
}

/// `toolConfig` as the Converse operations and Nova have it.
fn tool_config(OfferedTools { tools, any }: OfferedTools) -> Value {
    let offered = tools.offered.iter().map(|Tool { name, description, input_schema }| {
        json!({ "toolSpec": {
            "name": name, "description": description, "inputSchema": { "json": input_schema },
        } })
    });
    let choice = if any { "any" } else { "auto" };
    json!({ "tools": offered.collect::<Value>(), "toolChoice": { (choice): {} } })
}

/// The members of a JSON object.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    fn set_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value.into());
        }
    }
}

//! Requests in the shape of each operation and model family.

use serde_json::{Map, Value, json};
use spanproof_schemas::worker::Operation;

use super::prompt::Message;
use super::shape::{OfferedTools, Shape, System};
use super::{Plan, Planned};
use crate::capabilities::{Family, Feature};
use crate::scenario::Tool;

/// The version that Claude's native bodies on this service state.
const ANTHROPIC_VERSION: &str = "bedrock-2023-05-31";

/// The header that carries the metadata of requests whose body is the model's.
pub(crate) const METADATA_HEADER: &str = "x-amzn-bedrock-request-metadata";

impl Plan {
    /// The request of a call: the members of the API's request, or the native body. `metadata` stands
    /// in those of the Converse operations.
    pub(super) fn request(
        &self,
        planned: &Planned,
        shape: &Shape<'_>,
        metadata: Option<Map<String, Value>>,
    ) -> Value {
        let said = self.messages(planned, shape);
        match (shape.target.operation, shape.family) {
            (Operation::Converse | Operation::ConverseStream, _) => {
                converse(shape, said, metadata.filter(|_| !shape.target.is_native()))
            }
            (_, Family::Claude) => claude(shape, said),
            (_, Family::Nova) => nova(shape, said),
            (_, Family::TitanEmbeddings) => {
                let texts = said.into_iter().filter_map(|message| match message {
                    Message::Asks(text) => Some(text),
                    _ => None,
                });
                json!({ "inputText": texts.collect::<String>() })
            }
        }
    }

    /// By whom, for what and in which session the call is made, as the cost of calls is charged by.
    pub(super) fn metadata(
        &self,
        planned: &Planned,
        shape: &Shape<'_>,
    ) -> Option<Map<String, Value>> {
        if !self.can(Feature::RequestMetadata) {
            return None;
        }
        let mut metadata = Members::default();
        metadata.set_some("feature", shape.feature);
        if !planned.place.embeds {
            metadata.set("session", self.conversation_id(&planned.place).into());
        }
        metadata.set("tenant", format!("tenant-{}", planned.tenant).into());
        Some(metadata.0)
    }
}

fn converse(
    shape: &Shape<'_>,
    said: Vec<Message<'_>>,
    metadata: Option<Map<String, Value>>,
) -> Value {
    let mut request = Members::default();
    request.set("messages", messages(shape, said));
    request.set_some("system", system(shape.system));
    let mut inference = Members::default();
    inference.set("maxTokens", shape.max_tokens.into());
    inference.set_some("temperature", shape.temperature);
    inference.set_some("topP", shape.top_p);
    inference.set_some("stopSequences", shape.stop_sequences);
    request.set("inferenceConfig", inference.0.into());
    request.set_some("toolConfig", shape.tools.map(tool_config));
    request.set_some("requestMetadata", metadata);
    request.0.into()
}

fn nova(shape: &Shape<'_>, said: Vec<Message<'_>>) -> Value {
    let mut body = Members::default();
    body.set("schemaVersion", "messages-v1".into());
    body.set("messages", messages(shape, said));
    body.set_some("system", system(shape.system));
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

fn claude(shape: &Shape<'_>, said: Vec<Message<'_>>) -> Value {
    let mut body = Members::default();
    body.set("anthropic_version", ANTHROPIC_VERSION.into());
    body.set("max_tokens", shape.max_tokens.into());
    body.set("messages", claude_messages(shape, said));
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

/// The system prompt as the Converse operations and Nova have it.
fn system(system: System<'_>) -> Option<Value> {
    match system {
        System::None => None,
        System::Plain(text) => Some(json!([{ "text": text }])),
        System::Cached { text, .. } => Some(json!([{ "text": text }, cache_point()])),
    }
}

fn cache_point() -> Value {
    json!({ "cachePoint": { "type": "default" } })
}

/// Messages as the Converse operations and Nova have them.
fn messages(shape: &Shape<'_>, said: Vec<Message<'_>>) -> Value {
    let cached = cached_from(shape, said.len());
    let messages = said.into_iter().enumerate().map(|(index, message)| {
        let (role, mut content) = match message {
            Message::Asks(text) => ("user", vec![json!({ "text": text })]),
            Message::Answered(text) => ("assistant", vec![json!({ "text": text })]),
            Message::Returns { id, text } => {
                let content = json!([{ "text": text }]);
                let status = "success";
                let result = json!({ "toolUseId": id, "content": content, "status": status });
                ("user", vec![json!({ "toolResult": result })])
            }
            Message::Called { text, id, name, arguments } => {
                let tool = json!({ "toolUseId": id, "name": name, "input": arguments });
                ("assistant", vec![json!({ "text": text }), json!({ "toolUse": tool })])
            }
        };
        if role == "user" && index >= cached {
            content.push(cache_point());
        }
        json!({ "role": role, "content": content })
    });
    messages.collect()
}

/// Messages as Claude's own body has them.
fn claude_messages(shape: &Shape<'_>, said: Vec<Message<'_>>) -> Value {
    let cached = cached_from(shape, said.len());
    let messages = said.into_iter().enumerate().map(|(index, message)| {
        let said = |text: String| json!({ "type": "text", "text": text });
        let (role, mut content) = match message {
            Message::Asks(text) => ("user", vec![said(text)]),
            Message::Answered(text) => ("assistant", vec![said(text)]),
            Message::Returns { id, text } => {
                let result = json!({ "type": "tool_result", "tool_use_id": id, "content": text });
                ("user", vec![result])
            }
            Message::Called { text, id, name, arguments } => {
                let tool =
                    json!({ "type": "tool_use", "id": id, "name": name, "input": arguments });
                ("assistant", vec![said(text), tool])
            }
        };
        if let Some(last) = content.last_mut().filter(|_| role == "user" && index >= cached) {
            last["cache_control"] = json!({ "type": "ephemeral" });
        }
        json!({ "role": role, "content": content })
    });
    messages.collect()
}

/// From which message on those of the user end with a cache point, where the conversation is cached:
/// the last, which the next call will read to, and the one before, which the last call has written to.
fn cached_from(shape: &Shape<'_>, messages: usize) -> usize {
    if shape.caches_conversation { messages.saturating_sub(3) } else { messages }
}

/// The metadata of a request as the header of operations that take native bodies.
pub(super) fn metadata_header(metadata: &Map<String, Value>) -> (String, String) {
    (METADATA_HEADER.to_owned(), Value::from(metadata.clone()).to_string())
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

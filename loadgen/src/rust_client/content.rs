//! What was said, in the shape of the conventions' message attributes. Only used when content is
//! asked for.

use aws_sdk_bedrockruntime::operation::converse::ConverseOutput;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ContentBlockStart, ConverseOutput as OutputUnion,
    ConverseStreamOutput, Message, SystemContentBlock,
};
use aws_smithy_types::{Document, Number};
use serde_json::{Value, json};

/// What a request said, as JSON of `gen_ai.system_instructions` and `gen_ai.input.messages`.
#[derive(Debug, Default)]
pub(super) struct RequestContent {
    pub(super) system: Option<Value>,
    pub(super) messages: Option<Value>,
}

impl RequestContent {
    pub(super) fn of_converse(
        system: &[SystemContentBlock],
        messages: &[Message],
    ) -> RequestContent {
        let system: Vec<Value> = system
            .iter()
            .filter_map(|block| block.as_text().ok())
            .map(|content| text(content))
            .collect();
        let messages = messages.iter().map(
            |message| json!({ "role": message.role().as_str(), "parts": parts(message.content()) }),
        );
        RequestContent {
            system: (!system.is_empty()).then(|| system.into()),
            messages: Some(messages.collect()),
        }
    }

    /// Reads a native body of Claude or Nova. Embeddings have no messages.
    pub(super) fn of_body(body: &[u8]) -> RequestContent {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let system = match &body["system"] {
            Value::String(system) => Some(json!([text(system)])),
            blocks @ Value::Array(_) => Some(native_parts(blocks)),
            _ => None,
        };
        let messages = body["messages"].as_array().map(|messages| {
            let messages = messages.iter().map(|message| {
                json!({ "role": message["role"], "parts": native_parts(&message["content"]) })
            });
            messages.collect()
        });
        RequestContent { system, messages }
    }
}

/// What an answer said, put together from its blocks.
#[derive(Debug, Default)]
pub(super) struct AnswerContent {
    blocks: Vec<Block>,
}

#[derive(Debug)]
enum Block {
    Text(String),
    ToolCall { id: String, name: String, arguments: String },
}

impl AnswerContent {
    pub(super) fn of_converse(output: &ConverseOutput) -> AnswerContent {
        let mut content = AnswerContent::default();
        if let Some(OutputUnion::Message(message)) = output.output() {
            for block in message.content() {
                match block {
                    ContentBlock::Text(text) => content.blocks.push(Block::Text(text.clone())),
                    ContentBlock::ToolUse(tool) => content.blocks.push(Block::ToolCall {
                        id: tool.tool_use_id().to_owned(),
                        name: tool.name().to_owned(),
                        arguments: json_of(tool.input()).to_string(),
                    }),
                    _ => {}
                }
            }
        }
        content
    }

    pub(super) fn take_converse_event(&mut self, event: &ConverseStreamOutput) {
        match event {
            ConverseStreamOutput::ContentBlockStart(start) => {
                if let Some(ContentBlockStart::ToolUse(tool)) = start.start() {
                    self.starts_tool(tool.tool_use_id(), tool.name());
                }
            }
            ConverseStreamOutput::ContentBlockDelta(delta) => match delta.delta() {
                Some(ContentBlockDelta::Text(text)) => self.adds(text),
                Some(ContentBlockDelta::ToolUse(tool)) => self.adds_arguments(tool.input()),
                _ => {}
            },
            _ => {}
        }
    }

    /// Reads a native body of Claude or Nova.
    pub(super) fn of_body(body: &[u8]) -> AnswerContent {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let nova = &body["output"]["message"]["content"];
        let blocks = body["content"].as_array().or(nova.as_array()).into_iter().flatten();
        let mut content = AnswerContent::default();
        for block in blocks {
            let tool = if block["type"] == "tool_use" { block } else { &block["toolUse"] };
            if let Some(text) = block["text"].as_str() {
                content.blocks.push(Block::Text(text.to_owned()));
            } else if let Some(name) = tool["name"].as_str() {
                let id = tool["id"].as_str().or(tool["toolUseId"].as_str());
                content.starts_tool(id.unwrap_or_default(), name);
                content.adds_arguments(&tool["input"].to_string());
            }
        }
        content
    }

    /// Takes in one chunk of a native stream of Claude or Nova.
    pub(super) fn take_chunk(&mut self, chunk: &[u8]) {
        let chunk: Value = serde_json::from_slice(chunk).unwrap_or_default();
        let claude = &chunk["content_block"];
        let nova = &chunk["contentBlockStart"]["start"]["toolUse"];
        if claude["type"] == "tool_use" {
            self.starts_tool(claude["id"].as_str().unwrap_or_default(), string(&claude["name"]));
        } else if nova.is_object() {
            self.starts_tool(string(&nova["toolUseId"]), string(&nova["name"]));
        }
        let delta = &chunk["contentBlockDelta"]["delta"];
        for text in [&chunk["delta"]["text"], &delta["text"]] {
            self.adds(string(text));
        }
        for arguments in [&chunk["delta"]["partial_json"], &delta["toolUse"]["input"]] {
            self.adds_arguments(string(arguments));
        }
    }

    fn starts_tool(&mut self, id: &str, name: &str) {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.blocks.push(Block::ToolCall { id, name, arguments: String::new() });
    }

    fn adds(&mut self, text: &str) {
        match self.blocks.last_mut() {
            _ if text.is_empty() => {}
            Some(Block::Text(so_far)) => so_far.push_str(text),
            _ => self.blocks.push(Block::Text(text.to_owned())),
        }
    }

    fn adds_arguments(&mut self, more: &str) {
        if let Some(Block::ToolCall { arguments, .. }) = self.blocks.last_mut() {
            arguments.push_str(more);
        }
    }

    /// The JSON of `gen_ai.output.messages`; `None` when nothing was said.
    pub(super) fn messages(self, finish_reason: Option<&str>) -> Option<Value> {
        if self.blocks.is_empty() {
            return None;
        }
        let parts = self.blocks.into_iter().map(|block| match block {
            Block::Text(content) => text(&content),
            Block::ToolCall { id, name, arguments } => {
                let arguments =
                    serde_json::from_str(&arguments).unwrap_or(Value::String(arguments));
                tool_call(&id, &name, &arguments)
            }
        });
        let parts: Vec<Value> = parts.collect();
        let finish_reason = match finish_reason {
            Some("max_tokens") => "length",
            Some("tool_use") => "tool_call",
            _ => "stop",
        };
        Some(json!([{ "role": "assistant", "parts": parts, "finish_reason": finish_reason }]))
    }
}

fn text(content: &str) -> Value {
    json!({ "type": "text", "content": content })
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The parts that the messages of requests have: texts, uses of tools and what they returned.
fn parts(blocks: &[ContentBlock]) -> Vec<Value> {
    let part = |block: &ContentBlock| match block {
        ContentBlock::Text(content) => Some(text(content)),
        ContentBlock::ToolUse(tool) => {
            Some(tool_call(tool.tool_use_id(), tool.name(), &json_of(tool.input())))
        }
        ContentBlock::ToolResult(result) => {
            let texts = result.content().iter().filter_map(|content| content.as_text().ok());
            let texts: Vec<&str> = texts.map(String::as_str).collect();
            Some(tool_response(result.tool_use_id(), &texts.concat()))
        }
        _ => None,
    };
    blocks.iter().filter_map(part).collect()
}

/// The same of native content blocks of Claude and Nova.
fn native_parts(blocks: &Value) -> Value {
    let part = |block: &Value| {
        let (call, result) = (&block["toolUse"], &block["toolResult"]);
        match block["type"].as_str() {
            Some("tool_use") => {
                Some(tool_call(string(&block["id"]), string(&block["name"]), &block["input"]))
            }
            Some("tool_result") => {
                Some(tool_response(string(&block["tool_use_id"]), string(&block["content"])))
            }
            _ if call.is_object() => {
                Some(tool_call(string(&call["toolUseId"]), string(&call["name"]), &call["input"]))
            }
            _ if result.is_object() => {
                let contents = result["content"].as_array().into_iter().flatten();
                let texts: Vec<&str> = contents.map(|content| string(&content["text"])).collect();
                Some(tool_response(string(&result["toolUseId"]), &texts.concat()))
            }
            _ => block["text"].as_str().map(text),
        }
    };
    blocks.as_array().into_iter().flatten().filter_map(part).collect()
}

fn tool_call(id: &str, name: &str, arguments: &Value) -> Value {
    json!({ "type": "tool_call", "id": id, "name": name, "arguments": arguments })
}

fn tool_response(id: &str, response: &str) -> Value {
    json!({ "type": "tool_call_response", "id": id, "response": response })
}

fn json_of(document: &Document) -> Value {
    match document {
        Document::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), json_of(value)));
            Value::Object(members.collect())
        }
        Document::Array(values) => values.iter().map(json_of).collect(),
        Document::Number(Number::PosInt(number)) => (*number).into(),
        Document::Number(Number::NegInt(number)) => (*number).into(),
        Document::Number(Number::Float(number)) => (*number).into(),
        Document::String(text) => text.as_str().into(),
        Document::Bool(value) => (*value).into(),
        Document::Null => Value::Null,
    }
}

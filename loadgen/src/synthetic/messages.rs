//! Prompts and answers in the shape of the conventions' message attributes: as JSON, or structured.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;

use crate::protobuf::{bytes, fixed64, nested, number};

/// How messages stand on spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageForm {
    /// As text in JSON, as most SDKs must.
    #[default]
    Json,
    /// As lists and maps.
    Structured,
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) parts: Vec<Part<'a>>,
    /// Why an answer ended, in the conventions' words.
    pub(super) finish_reason: Option<&'static str>,
}

/// A part of a message.
#[derive(Clone, Debug)]
pub(super) enum Part<'a> {
    Text(Cow<'a, str>),
    ToolCall { id: String, name: &'a str, arguments: Value },
    ToolResponse { id: String, response: String },
}

/// A list, as an attribute holds it.
pub(super) trait Written {
    /// As JSON.
    fn json(&self, out: &mut String);

    /// As the `AnyValue` of a list.
    fn any_value(&self, out: &mut Vec<u8>);
}

impl Written for [Message<'_>] {
    fn json(&self, out: &mut String) {
        list(out, self, |out, message| {
            out.push_str("{\"role\":");
            string(out, message.role);
            out.push_str(",\"parts\":");
            message.parts.json(out);
            if let Some(reason) = message.finish_reason {
                out.push_str(",\"finish_reason\":");
                string(out, reason);
            }
            out.push('}');
        });
    }

    fn any_value(&self, out: &mut Vec<u8>) {
        values(out, self, |out, message| {
            member(out, "role", |out| bytes(out, 1, message.role.as_bytes()));
            member(out, "parts", |out| message.parts.any_value(out));
            if let Some(reason) = message.finish_reason {
                member(out, "finish_reason", |out| bytes(out, 1, reason.as_bytes()));
            }
        });
    }
}

impl Written for [Part<'_>] {
    fn json(&self, out: &mut String) {
        list(out, self, |out, part| match part {
            Part::Text(text) => {
                out.push_str("{\"type\":\"text\",\"content\":");
                string(out, text);
                out.push('}');
            }
            Part::ToolCall { id, name, arguments } => {
                out.push_str("{\"type\":\"tool_call\",\"id\":");
                string(out, id);
                out.push_str(",\"name\":");
                string(out, name);
                out.push_str(",\"arguments\":");
                out.push_str(&arguments.to_string());
                out.push('}');
            }
            Part::ToolResponse { id, response } => {
                out.push_str("{\"type\":\"tool_call_response\",\"id\":");
                string(out, id);
                out.push_str(",\"response\":");
                string(out, response);
                out.push('}');
            }
        });
    }

    fn any_value(&self, out: &mut Vec<u8>) {
        let text = |out: &mut Vec<u8>, name, value: &str| {
            member(out, name, |out| bytes(out, 1, value.as_bytes()));
        };
        values(out, self, |out, part| match part {
            Part::Text(content) => {
                text(out, "type", "text");
                text(out, "content", content);
            }
            Part::ToolCall { id, name, arguments } => {
                text(out, "type", "tool_call");
                text(out, "id", id);
                text(out, "name", name);
                member(out, "arguments", |out| any_value_of(out, arguments));
            }
            Part::ToolResponse { id, response } => {
                text(out, "type", "tool_call_response");
                text(out, "id", id);
                text(out, "response", response);
            }
        });
    }
}

/// JSON as an `AnyValue`.
pub(super) fn any_value_of(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(value) => number(out, 2, u64::from(*value)),
        Value::Number(value) => match value.as_i64() {
            Some(value) => number(out, 3, value.cast_unsigned()),
            None => fixed64(out, 4, value.as_f64().unwrap_or_default().to_bits()),
        },
        Value::String(value) => bytes(out, 1, value.as_bytes()),
        Value::Array(items) => nested(out, 5, |out| {
            for item in items {
                nested(out, 1, |out| any_value_of(out, item));
            }
        }),
        Value::Object(members) => nested(out, 6, |out| {
            for (name, value) in members {
                member(out, name, |out| any_value_of(out, value));
            }
        }),
    }
}

/// A list of maps.
fn values<T>(out: &mut Vec<u8>, items: &[T], members: impl Fn(&mut Vec<u8>, &T)) {
    nested(out, 5, |out| {
        for item in items {
            nested(out, 1, |out| nested(out, 6, |out| members(out, item)));
        }
    });
}

/// A member of a map.
fn member(out: &mut Vec<u8>, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
    nested(out, 1, |out| {
        bytes(out, 1, name.as_bytes());
        nested(out, 2, value);
    });
}

fn list<T>(out: &mut String, items: &[T], item: impl Fn(&mut String, &T)) {
    out.push('[');
    for (place, value) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        item(out, value);
    }
    out.push(']');
}

/// A string with what JSON escapes.
fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn messages_read_back_as_json(text in "\\PC*|[\\x00-\\x7f]*", id: String) {
            let messages = [Message {
                role: "assistant",
                parts: vec![
                    Part::Text(text.as_str().into()),
                    Part::ToolResponse { id: id.clone(), response: text.clone() },
                ],
                finish_reason: Some("stop"),
            }];
            let mut json = String::new();
            messages.json(&mut json);
            let read: Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&read, &serde_json::json!([{
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": text},
                    {"type": "tool_call_response", "id": id, "response": text},
                ],
                "finish_reason": "stop",
            }]));
        }
    }
}

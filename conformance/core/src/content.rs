//! Telling content from what merely stands in its place: attributes and bodies that the conventions
//! keep for prompts, completions and tool calls, and the placeholders of redaction in them.

use serde_json::Value as Json;

use crate::otlp::{AnyValue, KeyValue, Value};

/// Attributes that hold messages: content under some keys, structure under others.
const MESSAGES: [&str; 5] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.completion",
];

/// Attributes that hold what a tool was given or gave: everything in them is content.
const TOOL: [&str; 2] = ["gen_ai.tool.call.arguments", "gen_ai.tool.call.result"];

/// Messages taken apart into one attribute each, as some instrumentations have them.
const INDEXED: [&str; 2] = ["gen_ai.prompt.", "gen_ai.completion."];

/// Events of one message each, from before messages were attributes.
const EVENTS: [&str; 5] = [
    "gen_ai.system.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "gen_ai.tool.message",
    "gen_ai.choice",
];

/// What messages hold beside content.
const STRUCTURE: [&str; 9] = [
    "role",
    "type",
    "id",
    "index",
    "name",
    "finish_reason",
    "mime_type",
    "modality",
    "tool_call_id",
];

/// Whether an event is one message.
pub(crate) fn is_message_event(name: &str) -> bool {
    EVENTS.contains(&name)
}

/// Whether definitions of tools say more of them than their names and types.
pub(crate) fn describes_tools(value: Option<&AnyValue>) -> bool {
    holds(value, Reading::Messages)
}

/// Whether an attribute is one for content, and has some that no redaction has taken away.
pub(crate) fn stands_in(name: &str, value: Option<&AnyValue>) -> bool {
    if !name.starts_with("gen_ai.") {
        return false;
    }
    let is_indexed = INDEXED.iter().any(|prefix| name.starts_with(prefix))
        && (name.ends_with(".content") || name.ends_with(".arguments"));
    if MESSAGES.contains(&name) {
        holds(value, Reading::Messages)
    } else {
        (is_indexed || TOOL.contains(&name)) && holds(value, Reading::Everything)
    }
}

/// Whether the body of a message's event, or an attribute of one, has content.
pub(crate) fn stands_in_event(body: Option<&AnyValue>) -> bool {
    holds(body, Reading::Messages)
}

/// Whether an attribute of a message's event has content: one of its own, not one of the
/// conventions, such as the provider.
pub(crate) fn stands_in_attribute_of_event(attribute: &KeyValue) -> bool {
    ["content", "message", "tool_calls"].contains(&&*attribute.key)
        && holds(attribute.value.as_ref(), Reading::Messages)
}

/// How a value is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// What stands under a structural key is none.
    Messages,
    /// Everything that is no placeholder is content.
    Everything,
}

/// Nothing that is redacted nests deeper; what does is content.
const DEEPEST: usize = 32;

fn holds(value: Option<&AnyValue>, reading: Reading) -> bool {
    holds_at(value, reading, 0)
}

fn holds_at(value: Option<&AnyValue>, reading: Reading, depth: usize) -> bool {
    let value = value.and_then(|value| value.value.as_ref());
    if depth > DEEPEST {
        return value.is_some();
    }
    match value {
        None | Some(Value::StringValueStrindex(_)) => false,
        Some(Value::StringValue(text)) => holds_text(text, reading),
        Some(Value::BytesValue(bytes)) => !bytes.is_empty(),
        Some(Value::ArrayValue(array)) => {
            array.values.iter().any(|value| holds_at(Some(value), reading, depth + 1))
        }
        Some(Value::KvlistValue(list)) => list.values.iter().any(|entry| {
            below(&entry.key, reading)
                .is_some_and(|reading| holds_at(entry.value.as_ref(), reading, depth + 1))
        }),
        Some(Value::BoolValue(_) | Value::IntValue(_) | Value::DoubleValue(_)) => {
            reading == Reading::Everything
        }
    }
}

/// How what stands under a key is read; nothing for what is no content.
fn below(key: &str, reading: Reading) -> Option<Reading> {
    match reading {
        Reading::Everything => Some(Reading::Everything),
        Reading::Messages if STRUCTURE.contains(&key) => None,
        Reading::Messages if matches!(key, "arguments" | "result" | "response") => {
            Some(Reading::Everything)
        }
        Reading::Messages => Some(Reading::Messages),
    }
}

/// Messages that were redacted are short; longer JSON is not read.
const LONGEST_JSON: usize = 64 * 1024;

fn holds_text(text: &str, reading: Reading) -> bool {
    let text = text.trim();
    if text.is_empty() || is_placeholder(text) {
        return false;
    }
    if text.starts_with(['[', '{', '"'])
        && text.len() <= LONGEST_JSON
        && let Ok(json) = serde_json::from_str(text)
    {
        return holds_json(&json, reading);
    }
    true
}

fn holds_json(json: &Json, reading: Reading) -> bool {
    match json {
        Json::Null => false,
        Json::Bool(_) | Json::Number(_) => reading == Reading::Everything,
        // JSON within JSON, such as the arguments of a tool call, is one level each.
        Json::String(text) => holds_text(text, reading),
        Json::Array(values) => values.iter().any(|value| holds_json(value, reading)),
        Json::Object(entries) => entries.iter().any(|(key, value)| {
            below(key, reading).is_some_and(|reading| holds_json(value, reading))
        }),
    }
}

/// Words of the notes that redaction leaves.
const REDACTED: [&str; 10] = [
    "redact",
    "mask",
    "remov",
    "hidden",
    "filter",
    "omit",
    "elid",
    "scrub",
    "suppress",
    "not captured",
];

/// The longest note of redaction, in bytes.
const LONGEST_NOTE: usize = 64;

/// Whether a text stands in the place of content: a note of redaction such as `[REDACTED]`, a row
/// of one sign such as `***`, or nothing but a hash.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let bare = text.trim_matches(|sign: char| !sign.is_alphanumeric());
    if bare.is_empty() {
        return true;
    }
    if is_hash(bare) {
        return true;
    }
    let is_sign = |sign: char| !sign.is_alphanumeric();
    let is_note = text.starts_with(is_sign) && text.ends_with(is_sign) || !bare.contains(' ');
    let bare = bare.to_ascii_lowercase();
    is_note
        && text.len() <= LONGEST_NOTE
        && REDACTED.iter().any(|word| bare.contains(word))
        && !bare.contains(['.', '"', '?'])
}

/// The lengths of hashes in hexadecimal: MD5, SHA-1, SHA-256, SHA-384 and SHA-512.
const HASHES: [usize; 5] = [32, 40, 64, 96, 128];

fn is_hash(text: &str) -> bool {
    let digits = text.rsplit_once([':', '=', '-']).map_or(text, |(_, digits)| digits);
    let prefix = text.len() - digits.len();
    prefix <= 16 && HASHES.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AnyValue {
        AnyValue { value: Some(Value::StringValue(text.to_owned())) }
    }

    #[test]
    fn placeholders_are_no_content() {
        let sha = "0123456789abcdef".repeat(4);
        for placeholder in [
            "",
            " ",
            "***",
            "[REDACTED]",
            "<redacted>",
            "redacted",
            "{{MASKED}}",
            "[]",
            "{}",
            "█████",
            "(content removed)",
            "<not captured>",
            &sha,
            &format!("sha256:{sha}"),
            r#"[{"role": "user", "parts": [{"type": "text", "content": "[REDACTED]"}]}]"#,
            r#"[{"role": "assistant", "finish_reason": "stop", "parts": []}]"#,
            r#"{"content": null, "role": "user"}"#,
        ] {
            let value = text(placeholder);
            assert!(!stands_in("gen_ai.input.messages", Some(&value)), "{placeholder}");
        }
    }

    #[test]
    fn everything_else_is_content() {
        for content in [
            "hi",
            "Please redact this letter",
            "what is [REDACTED]?",
            "deadbeef",
            "[not json",
            r#"[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]"#,
            r#"[{"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": {"n": 5}}]}]"#,
            r#"[{"role": "assistant", "parts": [{"type": "tool_call", "arguments": "{\"name\": \"x\"}"}]}]"#,
        ] {
            let value = text(content);
            assert!(stands_in("gen_ai.input.messages", Some(&value)), "{content}");
        }
        assert!(stands_in("gen_ai.tool.call.arguments", Some(&text(r#"{"name": "Ann"}"#))));
        assert!(stands_in("gen_ai.prompt.0.content", Some(&text("hi"))));
    }

    #[test]
    fn names_beside_content_are_none() {
        for name in
            ["gen_ai.prompt.0.role", "gen_ai.prompt.name", "gen_ai.tool.definitions", "app.x"]
        {
            assert!(!stands_in(name, Some(&text("something"))), "{name}");
        }
    }
}

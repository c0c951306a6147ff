//! Telling content from what merely stands in its place: attributes and bodies that the conventions
//! keep for prompts, completions and tool calls, and the placeholders of redaction in them.

use serde_json::Value as Json;

use crate::model::unhex;
use crate::otlp::{AnyValue, Value};
use crate::redaction::Allowance;

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

/// The attribute for the definitions of tools.
pub(crate) const DEFINITIONS: &str = "gen_ai.tool.definitions";

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

/// The references of spans to content that an uploader keeps elsewhere, by OpenTelemetry's own
/// library for GenAI: the attribute for the content with this at its end.
const REFERENCE: &str = "_ref";

/// What other vocabularies than the conventions keep for content.
const FOREIGN: [&str; 8] = [
    "input.value",
    "output.value",
    "llm.prompts",
    "llm.completions",
    "llm.input_messages.",
    "llm.output_messages.",
    "traceloop.entity.input",
    "traceloop.entity.output",
];

/// Whether definitions of tools say more of them than their names and types.
pub(crate) fn describes_tools(value: Option<&AnyValue>) -> bool {
    Kept::Messages.exceeds(value, Allowance::Nothing)
}

/// How an attribute or a body that is kept for content is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Messages: what stands under a structural key is no content.
    Messages,
    /// Everything is content.
    Everything,
    /// What is kept elsewhere: a reference is none.
    Reference,
    /// Another vocabulary's: it is looked at for its length only.
    Foreign,
}

impl Kept {
    /// What the attribute `name` is kept for, if it is content.
    pub(crate) fn of(name: &str) -> Option<Kept> {
        let Some(own) = name.strip_prefix("gen_ai.") else {
            let is_foreign = FOREIGN.iter().any(|prefix| name.starts_with(prefix));
            return is_foreign.then_some(Kept::Foreign);
        };
        // Most names of the conventions begin otherwise.
        if !own.starts_with(['i', 'o', 's', 'p', 'c', 't']) {
            return None;
        }
        if MESSAGES.contains(&name) {
            return Some(Kept::Messages);
        }
        if TOOL.contains(&name) {
            return Some(Kept::Everything);
        }
        let whole = name.strip_suffix(REFERENCE);
        if whole.is_some_and(|whole| MESSAGES.contains(&whole) || whole == DEFINITIONS) {
            return Some(Kept::Reference);
        }
        let is_indexed = INDEXED.iter().any(|prefix| name.starts_with(prefix))
            && (name.ends_with(".content") || name.ends_with(".arguments"));
        is_indexed.then_some(Kept::Everything)
    }

    /// What an attribute of a message's event is kept for: its own, not one of the conventions,
    /// such as the provider.
    pub(crate) fn in_message_event(name: &str) -> Option<Kept> {
        let is_own = ["content", "message", "tool_calls"].contains(&name);
        if is_own { Some(Kept::Messages) } else { Kept::of(name) }
    }

    /// Whether a value has more than is allowed.
    pub(crate) fn exceeds(self, value: Option<&AnyValue>, allowance: Allowance) -> bool {
        let is_length = matches!(allowance, Allowance::Truncated(_));
        let (reading, allowance) = match self {
            Kept::Messages => (Reading::Messages, allowance),
            Kept::Everything => (Reading::Everything, allowance),
            Kept::Foreign if is_length => (Reading::Everything, allowance),
            Kept::Foreign => return false,
            Kept::Reference if is_length || allowance == Allowance::Anything => return false,
            Kept::Reference => (Reading::Everything, Allowance::Reference),
        };
        allowance != Allowance::Anything && holds(value, reading, allowance)
    }
}

/// The hash of a value that is one SHA-256 and nothing else, in messages or by itself.
pub(crate) fn only_hash(value: Option<&Value>) -> Option<[u8; 32]> {
    let Some(Value::StringValue(text)) = value else { return None };
    let text = text.trim();
    if let Some(hash) = sha256(text) {
        return Some(hash);
    }
    if !text.starts_with(['[', '{', '"']) || text.len() > LONGEST_JSON {
        return None;
    }
    let mut hashes = Vec::new();
    collect_hashes(&serde_json::from_str(text).ok()?, &mut hashes);
    match hashes.as_slice() {
        [one] => *one,
        _ => None,
    }
}

/// The hash in each text that is content; nothing for a text that is none.
fn collect_hashes(json: &Json, hashes: &mut Vec<Option<[u8; 32]>>) {
    match json {
        Json::String(text) => hashes.push(sha256(text.trim())),
        Json::Array(values) => values.iter().for_each(|value| collect_hashes(value, hashes)),
        Json::Object(entries) => {
            let content = entries.iter().filter(|(key, _)| below(key, Reading::Messages).is_some());
            content.for_each(|(_, value)| collect_hashes(value, hashes));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
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

fn holds(value: Option<&AnyValue>, reading: Reading, allowance: Allowance) -> bool {
    holds_at(value, reading, allowance, 0)
}

fn holds_at(
    value: Option<&AnyValue>,
    reading: Reading,
    allowance: Allowance,
    depth: usize,
) -> bool {
    let value = value.and_then(|value| value.value.as_ref());
    if depth > DEEPEST {
        return value.is_some();
    }
    match value {
        None | Some(Value::StringValueStrindex(_)) => false,
        Some(Value::StringValue(text)) => holds_text(text, reading, allowance),
        Some(Value::BytesValue(bytes)) => match allowance {
            Allowance::Truncated(chars) => bytes.len() > chars,
            _ => !bytes.is_empty(),
        },
        Some(Value::ArrayValue(array)) => {
            array.values.iter().any(|value| holds_at(Some(value), reading, allowance, depth + 1))
        }
        Some(Value::KvlistValue(list)) => list.values.iter().any(|entry| {
            below(&entry.key, reading).is_some_and(|reading| {
                holds_at(entry.value.as_ref(), reading, allowance, depth + 1)
            })
        }),
        Some(Value::BoolValue(_) | Value::IntValue(_) | Value::DoubleValue(_)) => {
            holds_scalar(reading, allowance)
        }
    }
}

/// Whether a number or a truth value is more than is allowed: it is none under a structural key,
/// and short.
fn holds_scalar(reading: Reading, allowance: Allowance) -> bool {
    reading == Reading::Everything && !matches!(allowance, Allowance::Truncated(_))
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

/// Messages that were redacted are short; longer JSON is not read, unless each of its texts may be
/// there, cut.
const LONGEST_JSON: usize = 64 * 1024;

fn holds_text(text: &str, reading: Reading, allowance: Allowance) -> bool {
    let text = text.trim();
    if text.is_empty() || stands_for_content(text, allowance) {
        return false;
    }
    let is_read = text.len() <= LONGEST_JSON || matches!(allowance, Allowance::Truncated(_));
    if text.starts_with(['[', '{', '"'])
        && is_read
        && let Ok(json) = serde_json::from_str(text)
    {
        return holds_json(&json, reading, allowance);
    }
    true
}

/// Whether a text is what the policy wants in the place of content.
fn stands_for_content(text: &str, allowance: Allowance) -> bool {
    match allowance {
        Allowance::Nothing => is_placeholder(text),
        Allowance::Hash => sha256(text).is_some(),
        Allowance::Marker => is_note(text),
        Allowance::Truncated(chars) => without_ellipsis(text).chars().nth(chars).is_none(),
        Allowance::Reference => is_reference(text),
        Allowance::Anything => true,
    }
}

fn holds_json(json: &Json, reading: Reading, allowance: Allowance) -> bool {
    match json {
        Json::Null => false,
        Json::Bool(_) | Json::Number(_) => holds_scalar(reading, allowance),
        // JSON within JSON, such as the arguments of a tool call, is one level each.
        Json::String(text) => holds_text(text, reading, allowance),
        Json::Array(values) => values.iter().any(|value| holds_json(value, reading, allowance)),
        Json::Object(entries) => entries.iter().any(|(key, value)| {
            below(key, reading).is_some_and(|reading| holds_json(value, reading, allowance))
        }),
    }
}

/// What those who cut text put at its end.
pub(crate) const ELLIPSES: [&str; 5] = ["...", "…", "[truncated]", "<truncated>", "(truncated)"];

fn without_ellipsis(text: &str) -> &str {
    ELLIPSES.iter().find_map(|note| text.strip_suffix(note)).unwrap_or(text)
}

/// The longest reference, in bytes: what browsers and object stores take for an address.
const LONGEST_REFERENCE: usize = 2_048;

/// Whether a text is a reference to what is kept elsewhere: an ARN, or a URI with a scheme and an
/// address. A `data:` URI is the content itself.
fn is_reference(text: &str) -> bool {
    if text.len() > LONGEST_REFERENCE || text.contains(char::is_whitespace) {
        return false;
    }
    if let Some(rest) = text.strip_prefix("arn:") {
        return rest.matches(':').count() >= 4;
    }
    text.split_once("://").is_some_and(|(scheme, address)| {
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        is_scheme && !scheme.eq_ignore_ascii_case("data") && !address.is_empty()
    })
}

/// The SHA-256 that a text is: 64 digits in hexadecimal, with or without `sha256:` before them.
fn sha256(text: &str) -> Option<[u8; 32]> {
    let digits = match text.get(..7) {
        Some(prefix) if prefix.eq_ignore_ascii_case("sha256:") => &text[7..],
        _ => text,
    };
    unhex(digits)
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

/// Whether a text stands in the place of content: a note of redaction, or nothing but a hash.
pub(crate) fn is_placeholder(text: &str) -> bool {
    is_note(text) || is_hash(text.trim_matches(|sign: char| !sign.is_alphanumeric()))
}

/// Whether a text is a note of redaction: words such as `[REDACTED]`, or signs such as `***`.
fn is_note(text: &str) -> bool {
    let bare = text.trim_matches(|sign: char| !sign.is_alphanumeric());
    if bare.is_empty() {
        return true;
    }
    if text.len() > LONGEST_NOTE {
        return false;
    }
    let is_sign = |sign: char| !sign.is_alphanumeric();
    let is_note = text.starts_with(is_sign) && text.ends_with(is_sign) || !bare.contains(' ');
    let bare = bare.to_ascii_lowercase();
    is_note && REDACTED.iter().any(|word| bare.contains(word)) && !bare.contains(['.', '"', '?'])
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

    fn exceeds(name: &str, content: &str, allowance: Allowance) -> bool {
        Kept::of(name).is_some_and(|kept| kept.exceeds(Some(&text(content)), allowance))
    }

    /// Messages whose only text is `content`.
    fn message(content: &str) -> String {
        let parts = serde_json::json!([{ "type": "text", "content": content }]);
        serde_json::json!([{ "role": "user", "parts": parts }]).to_string()
    }

    const INPUT: &str = "gen_ai.input.messages";

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
            &message("[REDACTED]"),
            r#"[{"role": "assistant", "finish_reason": "stop", "parts": []}]"#,
            r#"{"content": null, "role": "user"}"#,
        ] {
            assert!(!exceeds(INPUT, placeholder, Allowance::Nothing), "{placeholder}");
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
            "s3://bucket/key",
            &message("hi"),
            r#"[{"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": {"n": 5}}]}]"#,
            r#"[{"role": "assistant", "parts": [{"type": "tool_call", "arguments": "{\"name\": \"x\"}"}]}]"#,
        ] {
            assert!(exceeds(INPUT, content, Allowance::Nothing), "{content}");
        }
        let arguments = r#"{"name": "Ann"}"#;
        assert!(exceeds("gen_ai.tool.call.arguments", arguments, Allowance::Nothing));
        assert!(exceeds("gen_ai.prompt.0.content", "hi", Allowance::Nothing));
    }

    #[test]
    fn names_beside_content_are_kept_for_none() {
        for name in
            ["gen_ai.prompt.0.role", "gen_ai.prompt.name", "gen_ai.tool.definitions", "app.x"]
        {
            assert_eq!(Kept::of(name), None, "{name}");
        }
    }

    #[test]
    fn a_hash_is_sixty_four_digits_and_may_say_so() {
        let sha = "0123456789abcdef".repeat(4);
        let upper = sha.to_uppercase();
        for hash in [&sha, &upper, &format!("sha256:{sha}"), &format!("SHA256:{upper}")] {
            assert!(!exceeds(INPUT, hash, Allowance::Hash), "{hash}");
            assert!(!exceeds(INPUT, &message(hash), Allowance::Hash), "{hash} in messages");
            let read = |text: String| only_hash(Some(&Value::StringValue(text)));
            assert_eq!(read(hash.clone()), unhex(&sha), "{hash}");
            assert_eq!(read(message(hash)), unhex(&sha), "{hash} in messages");
            assert_eq!(read(format!("[\"{hash}\", \"{hash}\"]")), None, "two of them");
        }
        for other in ["[REDACTED]", &sha[1..], &format!("md5:{}", &sha[..32]), "hi"] {
            assert!(exceeds(INPUT, other, Allowance::Hash), "{other}");
        }
    }

    #[test]
    fn a_marker_is_a_note_and_no_hash() {
        for note in ["***", "[REDACTED]", &message("<redacted>"), ""] {
            assert!(!exceeds(INPUT, note, Allowance::Marker), "{note}");
        }
        for other in ["hi", &"0a".repeat(32), &message("hi"), "s3://bucket/key"] {
            assert!(exceeds(INPUT, other, Allowance::Marker), "{other}");
        }
    }

    #[test]
    fn the_length_of_each_text_counts_in_characters_and_without_the_ellipsis() {
        let allowance = Allowance::Truncated(5);
        for short in ["hello", "größe", "hello…", "hello...", &message("hello")] {
            assert!(!exceeds(INPUT, short, allowance), "{short}");
        }
        let many = format!("[{}]", vec!["\"hello\""; 20_000].join(","));
        assert!(!exceeds(INPUT, &many, allowance), "many short texts");
        for long in ["hello!", &message("hello!"), "[{\"role\": \"us"] {
            assert!(exceeds(INPUT, long, allowance), "{long}");
        }
        assert!(exceeds("input.value", "hello!", allowance), "another vocabulary's");
    }

    #[test]
    fn a_reference_says_where_and_not_what() {
        for reference in [
            "s3://bucket/prompts/1.json",
            "https://store.example/prompts/1",
            "arn:aws:s3:::bucket/key",
            &message("gs://bucket/1"),
        ] {
            assert!(!exceeds(INPUT, reference, Allowance::Reference), "{reference}");
        }
        for other in ["hi", "data://x", "data:text/plain,hi", "see https://x.example/", "s3://"] {
            assert!(exceeds(INPUT, other, Allowance::Reference), "{other}");
        }
        let name = "gen_ai.input.messages_ref";
        assert!(!exceeds(name, "s3://bucket/key", Allowance::Nothing));
        assert!(exceeds(name, "what is the weather?", Allowance::Nothing));
        assert!(!exceeds(name, "anything", Allowance::Anything));
    }
}

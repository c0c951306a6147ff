//! Content that an attribute or the body of an event holds, read once for every rule.

use serde_json::Value as Json;
use serde_json::error::Category;
use spanproof_schemas::content::Kind;

use crate::content::{ELLIPSES, is_placeholder};
use crate::otlp::Value;

/// What an attribute or a body holds of the kinds of content that the conventions describe.
#[derive(Clone, Debug)]
pub struct Held<'a> {
    /// Which.
    pub kind: Kind,
    /// As it stood on the wire.
    pub value: &'a Value,
    /// As it reads.
    pub reading: Reading,
}

/// How content reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Nothing, or what redaction put in its place.
    Withheld,
    /// JSON text that ends too early.
    Cut,
    /// Text that is no JSON, with the line and the column of the first thing wrong.
    NotJson(usize, usize),
    /// JSON, from text or from a structured value.
    Json(Json),
}

impl<'a> Held<'a> {
    /// Reads a value.
    #[must_use]
    pub fn new(kind: Kind, value: &'a Value) -> Held<'a> {
        let reading = match value {
            Value::StringValue(text) => read_text(text),
            value => Reading::Json(json(Some(value), 0)),
        };
        Held { kind, value, reading }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        crate::value::text(Some(self.value))
    }

    /// The JSON that it holds, if it does.
    #[must_use]
    pub fn json(&self) -> Option<&Json> {
        match &self.reading {
            Reading::Json(json) => Some(json),
            _ => None,
        }
    }
}

fn read_text(text: &str) -> Reading {
    let text = text.trim();
    if text.is_empty() || is_placeholder(text) {
        return Reading::Withheld;
    }
    let error = match serde_json::from_str(text) {
        Ok(json) => return Reading::Json(json),
        Err(error) => error,
    };
    if text.starts_with(['[', '{']) && (error.is_eof() || is_cut_with_a_note(text)) {
        return Reading::Cut;
    }
    Reading::NotJson(error.line(), error.column())
}

fn is_cut_with_a_note(text: &str) -> bool {
    let Some(rest) = ELLIPSES.iter().find_map(|note| text.strip_suffix(note)) else { return false };
    let read = serde_json::from_str::<serde::de::IgnoredAny>(rest);
    read.is_err_and(|error| error.classify() == Category::Eof)
}

/// Nothing that conforms nests deeper.
const DEEPEST: usize = 64;

/// A structured value as JSON. What JSON has no word for is null.
fn json(value: Option<&Value>, depth: usize) -> Json {
    match value {
        _ if depth > DEEPEST => Json::Null,
        None | Some(Value::BytesValue(_) | Value::StringValueStrindex(_)) => Json::Null,
        Some(Value::StringValue(text)) => Json::from(text.as_str()),
        Some(Value::BoolValue(value)) => Json::from(*value),
        Some(Value::IntValue(value)) => Json::from(*value),
        Some(Value::DoubleValue(value)) => Json::from(*value),
        Some(Value::ArrayValue(array)) => {
            array.values.iter().map(|value| json(value.value.as_ref(), depth + 1)).collect()
        }
        Some(Value::KvlistValue(list)) => list
            .values
            .iter()
            .map(|entry| {
                let value = entry.value.as_ref().and_then(|value| value.value.as_ref());
                (entry.key.clone(), json(value, depth + 1))
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Reading {
        Held::new(Kind::InputMessages, &Value::StringValue(text.to_owned())).reading
    }

    #[test]
    fn text_is_told_from_json_that_was_cut() {
        assert_eq!(read("please summarise"), Reading::NotJson(1, 1));
        assert_eq!(read("[{\"role\": user}]"), Reading::NotJson(1, 11));
        assert_eq!(read("[REDACTED]"), Reading::Withheld);
        assert_eq!(read("[{\"role\": \"user\", ...[truncated]"), Reading::NotJson(1, 19));
        for cut in ["[{\"role\": \"us", "[{\"role\": \"user\"}...", "{\"a\": tru", "[1, 2,"] {
            assert_eq!(read(cut), Reading::Cut, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn messages_that_end_anywhere_before_their_end_were_cut(text in ".{1,40}", at in 8..1000_usize) {
            let whole = serde_json::json!([{"role": "user", "parts": [{"content": text}]}]).to_string();
            let end = whole.floor_char_boundary(at.min(whole.len() - 1));
            prop_assert_eq!(read(&whole[..end]), Reading::Cut);
            prop_assert!(matches!(read(&whole), Reading::Json(_)));
        }
    }
}

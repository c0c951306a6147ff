//! What an attribute's value is to a block.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// A value as the columns for attributes hold it.
pub(crate) enum Held<'a> {
    Strings(Vec<&'a [u8]>),
    Ints(Vec<i64>),
    Doubles(Vec<f64>),
    Bools(Vec<bool>),
    /// What has no columns of its own, as JSON.
    Unsupported(String),
    Nothing,
}

/// A value, whether it is a list, and whether something of it was cut off.
pub(crate) struct Classified<'a> {
    pub(crate) held: Held<'a>,
    pub(crate) is_array: bool,
    pub(crate) is_cut: bool,
}

/// What `attribute` holds. Strings are cut to `max_bytes`, wherever in a character that is; what is
/// in lists and maps never is.
pub(crate) fn classify(attribute: &KeyValue, max_bytes: Option<usize>) -> Classified<'_> {
    let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
    let mut is_cut = false;
    let (held, is_array) = match value {
        Some(Value::StringValue(text)) => {
            let kept = cut(text, max_bytes);
            is_cut = kept.len() < text.len();
            (Held::Strings(vec![kept]), false)
        }
        Some(Value::IntValue(number)) => (Held::Ints(vec![*number]), false),
        Some(Value::DoubleValue(number)) => (Held::Doubles(vec![*number]), false),
        Some(Value::BoolValue(flag)) => (Held::Bools(vec![*flag]), false),
        Some(Value::ArrayValue(array)) => match list(&array.values) {
            Some(held) => (held, true),
            None => (Held::Unsupported(json(attribute.value.as_ref())), false),
        },
        Some(_) => (Held::Unsupported(json(attribute.value.as_ref())), false),
        None => (Held::Nothing, false),
    };
    Classified { held, is_array, is_cut }
}

/// The text of `attribute`, if it is one.
pub(crate) fn text(attribute: &KeyValue) -> Option<&str> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// The first bytes of `text`, whatever they cut through.
pub(crate) fn cut(text: &str, max_bytes: Option<usize>) -> &[u8] {
    let bytes = text.as_bytes();
    &bytes[..bytes.len().min(max_bytes.unwrap_or(usize::MAX))]
}

/// A list whose values are all of one type; nothing for others.
fn list(values: &[AnyValue]) -> Option<Held<'_>> {
    let each = || values.iter().map(|value| value.value.as_ref());
    match each().next() {
        None => Some(Held::Nothing),
        Some(Some(Value::StringValue(_))) => each()
            .map(|value| match value {
                Some(Value::StringValue(text)) => Some(text.as_bytes()),
                _ => None,
            })
            .collect::<Option<_>>()
            .map(Held::Strings),
        Some(Some(Value::IntValue(_))) => each()
            .map(|value| match value {
                Some(Value::IntValue(number)) => Some(*number),
                _ => None,
            })
            .collect::<Option<_>>()
            .map(Held::Ints),
        Some(Some(Value::DoubleValue(_))) => each()
            .map(|value| match value {
                Some(Value::DoubleValue(number)) => Some(*number),
                _ => None,
            })
            .collect::<Option<_>>()
            .map(Held::Doubles),
        Some(Some(Value::BoolValue(_))) => each()
            .map(|value| match value {
                Some(Value::BoolValue(flag)) => Some(*flag),
                _ => None,
            })
            .collect::<Option<_>>()
            .map(Held::Bools),
        Some(_) => None,
    }
}

/// `value` in the JSON encoding of OTLP.
fn json(value: Option<&AnyValue>) -> String {
    let mut output = String::new();
    put_json(&mut output, value);
    output
}

fn put_json(output: &mut String, value: Option<&AnyValue>) {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    // Writing to a string does not fail.
    let _ = match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => write!(output, "{{\"stringValue\":{}}}", quoted(text)),
        Some(Value::BoolValue(flag)) => write!(output, "{{\"boolValue\":{flag}}}"),
        Some(Value::IntValue(number)) => write!(output, "{{\"intValue\":\"{number}\"}}"),
        Some(Value::DoubleValue(number)) => write!(output, "{{\"doubleValue\":{number}}}"),
        Some(Value::BytesValue(bytes)) => {
            write!(output, "{{\"bytesValue\":\"{}\"}}", STANDARD.encode(bytes))
        }
        Some(Value::ArrayValue(array)) => {
            output.push_str("{\"arrayValue\":{\"values\":[");
            for (number, value) in array.values.iter().enumerate() {
                if number > 0 {
                    output.push(',');
                }
                put_json(output, Some(value));
            }
            write!(output, "]}}}}")
        }
        Some(Value::KvlistValue(list)) => {
            output.push_str("{\"kvlistValue\":{\"values\":[");
            for (number, entry) in list.values.iter().enumerate() {
                let comma = if number > 0 { "," } else { "" };
                let _ = write!(output, "{comma}{{\"key\":{},\"value\":", quoted(&entry.key));
                put_json(output, entry.value.as_ref());
                output.push('}');
            }
            write!(output, "]}}}}")
        }
        Some(_) | None => write!(output, "{{}}"),
    };
}

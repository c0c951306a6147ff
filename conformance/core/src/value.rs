//! Reading OTLP values: the type they have, the number or text they hold, how they read to people.

use spanproof_schemas::semconv::AttributeType;

use crate::otlp::{AnyValue, Value};

/// The value inside, if there is one.
#[must_use]
pub fn inner(value: Option<&AnyValue>) -> Option<&Value> {
    value.and_then(|value| value.value.as_ref())
}

/// The text of a string value.
#[must_use]
#[inline]
pub fn text(value: Option<&Value>) -> Option<&str> {
    match value {
        Some(Value::StringValue(text)) => Some(text),
        _ => None,
    }
}

/// The text, or of a longer one the first `longest` bytes.
#[must_use]
pub fn cut(text: &str, longest: usize) -> &str {
    if text.len() <= longest { text } else { &text[..text.floor_char_boundary(longest)] }
}

/// The count that a value states. A string or a double that holds a whole number counts too: the
/// wrong type is a finding of its own, and must not also read as a missing number.
#[must_use]
pub fn count(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::IntValue(int) => u64::try_from(*int).ok(),
        Value::StringValue(text) => text.parse().ok(),
        Value::DoubleValue(double) => whole(*double),
        _ => None,
    }
}

/// The number that a value is.
#[expect(clippy::cast_precision_loss, reason = "a number to compare with bounds and parameters")]
#[must_use]
#[inline]
pub fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::IntValue(int) => Some(*int as f64),
        Value::DoubleValue(double) => Some(*double),
        _ => None,
    }
}

/// A double that is a whole number no less than 0, as that number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the guard leaves only whole numbers that a u64 and a double share exactly"
)]
#[must_use]
pub fn whole(double: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    ((0.0..=EXACT).contains(&double) && double.fract() == 0.0).then_some(double as u64)
}

/// Whether `value` has the type that the conventions give.
#[must_use]
#[inline]
pub fn has_type(value: &Value, wanted: AttributeType) -> bool {
    let all = |element: AttributeType| match value {
        Value::ArrayValue(array) => array
            .values
            .iter()
            .all(|value| value.value.as_ref().is_some_and(|value| has_type(value, element))),
        _ => false,
    };
    match wanted {
        AttributeType::String => matches!(value, Value::StringValue(_)),
        AttributeType::Int => matches!(value, Value::IntValue(_)),
        AttributeType::Double => matches!(value, Value::DoubleValue(_)),
        AttributeType::Boolean => matches!(value, Value::BoolValue(_)),
        AttributeType::StringArray => all(AttributeType::String),
        AttributeType::IntArray => all(AttributeType::Int),
        AttributeType::DoubleArray => all(AttributeType::Double),
        AttributeType::BooleanArray => all(AttributeType::Boolean),
        AttributeType::Any => true,
    }
}

/// The word for the type that a value has.
#[must_use]
pub fn kind_word(value: Option<&Value>) -> &'static str {
    match value {
        None => "null",
        Some(Value::StringValue(_) | Value::StringValueStrindex(_)) => "string",
        Some(Value::BoolValue(_)) => "boolean",
        Some(Value::IntValue(_)) => "int",
        Some(Value::DoubleValue(_)) => "double",
        Some(Value::ArrayValue(_)) => "array",
        Some(Value::KvlistValue(_)) => "map",
        Some(Value::BytesValue(_)) => "bytes",
    }
}

/// The longest rendering of a value in a report, in characters.
const RENDERED_CHARS: usize = 120;

/// The value as people read it, cut where it is long.
#[must_use]
pub fn render(value: Option<&Value>) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    match out.char_indices().nth(RENDERED_CHARS) {
        Some((end, _)) => format!("{}…", &out[..end]),
        None => out,
    }
}

/// What names of attributes that carry prompts, completions and tool calls begin with, in any
/// version and in the vocabularies beside the conventions.
const CONTENT_NAMES: [&str; 12] = [
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
    "gen_ai.retrieval.",
    "llm.prompts",
    "input.value",
    "output.value",
];

/// The value of the attribute `name` as a report may show it: content only by its size, since a
/// report must not become the leak it reports.
#[must_use]
pub fn shown(name: &str, value: Option<&Value>) -> String {
    if !CONTENT_NAMES.iter().any(|prefix| name.starts_with(prefix)) {
        return render(value);
    }
    match value {
        Some(Value::StringValue(text)) => format!("(content, {} bytes)", text.len()),
        _ => "(content)".to_owned(),
    }
}

/// Nesting beyond this is elided, which also bounds the recursion on hostile input.
const RENDERED_DEPTH: usize = 4;

fn write(value: Option<&Value>, depth: usize, out: &mut String) {
    use std::fmt::Write as _;
    // Writing into a string cannot fail.
    let _ = match value {
        None => write!(out, "null"),
        Some(_) if depth > RENDERED_DEPTH || out.len() > 4 * RENDERED_CHARS => write!(out, "…"),
        Some(Value::StringValue(text)) => {
            let end = text.char_indices().nth(RENDERED_CHARS).map_or(text.len(), |(end, _)| end);
            write!(out, "{:?}", &text[..end])
        }
        Some(Value::StringValueStrindex(index)) => write!(out, "string #{index}"),
        Some(Value::BoolValue(value)) => write!(out, "{value}"),
        Some(Value::IntValue(value)) => write!(out, "{value}"),
        Some(Value::DoubleValue(value)) => write!(out, "{value:?}"),
        Some(Value::BytesValue(bytes)) => write!(out, "{} bytes", bytes.len()),
        Some(Value::ArrayValue(array)) => {
            out.push('[');
            for (index, value) in array.values.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(value.value.as_ref(), depth + 1, out);
            }
            write!(out, "]")
        }
        Some(Value::KvlistValue(list)) => write!(out, "a map of {} keys", list.values.len()),
    };
}

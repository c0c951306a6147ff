//! The attributes of a span as an excerpt may show them: what tells of the model call, and none of
//! its content.

use std::collections::BTreeMap;

use crate::catalogue::{catalogue, is_gen_ai};
use crate::otlp::{AnyValue, KeyValue, Value};
use crate::scan::Scanner;
use crate::value;

/// How many attributes of a span are kept.
const MOST: usize = 48;

/// What is kept of a name, in bytes.
const LONGEST_NAME: usize = 200;

/// What tells of a model call beside the names of the conventions for GenAI.
const BESIDE: [&str; 6] = [
    "error.type",
    "server.address",
    "server.port",
    "llm.model_name",
    "openinference.span.kind",
    "ai.operationId",
];

/// What is shown of these attributes, by name.
pub(super) fn shown(attributes: &[KeyValue], scanner: &Scanner) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for attribute in attributes {
        let name = attribute.key.as_str();
        if !is_gen_ai(name) && !BESIDE.contains(&name) && !name.starts_with("llm.token_count.") {
            continue;
        }
        let mut key = value::cut(name, LONGEST_NAME).to_owned();
        scanner.mask(&mut key);
        all.insert(key, shown_value(name, attribute.value.as_ref(), scanner));
        if all.len() > MOST {
            all.pop_last();
        }
    }
    all
}

fn shown_value(name: &str, value: Option<&AnyValue>, scanner: &Scanner) -> String {
    let inner = value::inner(value);
    // What is shown is cut, so the whole is searched.
    if let Some(note) = mask_of(inner, scanner, 0) {
        return note;
    }
    match inner {
        // Whoever makes a name up may put a prompt under it.
        Some(Value::StringValue(text)) if catalogue().name(name).is_none() => {
            format!("(string, {} bytes)", text.len())
        }
        _ => value::shown(name, inner),
    }
}

/// Nesting beyond this is not shown either.
const DEEPEST: usize = 8;

/// What is shown for the first text in a value that may not be.
fn mask_of(value: Option<&Value>, scanner: &Scanner, depth: usize) -> Option<String> {
    let within = |value: Option<&AnyValue>| mask_of(value::inner(value), scanner, depth + 1);
    let holds = |bytes: &[u8]| scanner.mask_of(bytes);
    match value? {
        _ if depth > DEEPEST => None,
        Value::StringValue(text) => holds(text.as_bytes()),
        Value::BytesValue(bytes) => holds(bytes),
        Value::ArrayValue(array) => array.values.iter().find_map(|value| within(Some(value))),
        Value::KvlistValue(list) => list
            .values
            .iter()
            .find_map(|entry| holds(entry.key.as_bytes()).or(within(entry.value.as_ref()))),
        _ => None,
    }
}

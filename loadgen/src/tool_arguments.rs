//! What a model calls a tool with.

use rand::{Rng, RngExt};
use serde_json::{Map, Value, json};

/// How deep objects go; a schema may refer to itself.
const MOST_DEPTH: u32 = 6;

/// How long texts are at most, whatever a schema asks for.
const MOST_LENGTH: usize = 4096;

/// Arguments by the JSON Schema of a tool: an object with the required members and some of the
/// others. Of what a schema says, types, ranges, lengths and enumerations are minded. `append` writes
/// texts of so many tokens.
pub(crate) fn arguments<R: Rng>(
    schema: &Value,
    append: &impl Fn(&mut String, u32, &mut R),
    random: &mut R,
) -> Value {
    match value(schema, append, random, 0) {
        object @ Value::Object(_) => object,
        _ => json!({}),
    }
}

fn value<R: Rng>(
    schema: &Value,
    append: &impl Fn(&mut String, u32, &mut R),
    random: &mut R,
    depth: u32,
) -> Value {
    if let Some(choices @ [_, ..]) = schema["enum"].as_array().map(Vec::as_slice) {
        return choices[random.random_range(0..choices.len())].clone();
    }
    let bound = |name: &str, otherwise: i64| schema[name].as_i64().unwrap_or(otherwise);
    match schema["type"].as_str() {
        Some("integer") => {
            let least = bound("minimum", 0);
            random.random_range(least..=bound("maximum", 1000).max(least)).into()
        }
        Some("number") => f64::from(random.random_range(0_u32..1000)).into(),
        Some("boolean") => random.random::<bool>().into(),
        Some("array") => json!([value(&schema["items"], append, random, depth + 1)]),
        Some("object") | None if depth < MOST_DEPTH => {
            let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
            let mut members = Map::new();
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let is_there = random.random::<bool>();
                if is_there || required.iter().any(|required| required == name) {
                    members.insert(name.clone(), value(property, append, random, depth + 1));
                }
            }
            members.into()
        }
        Some("object") | None => json!({}),
        Some("null") => Value::Null,
        Some(_) => {
            let length = |name, otherwise| {
                usize::try_from(bound(name, otherwise)).unwrap_or(0).min(MOST_LENGTH)
            };
            let least = length("minLength", 1);
            let most = length("maxLength", 80).max(least);
            let mut text = String::new();
            let tokens = random.random_range(2..=12);
            append(&mut text, tokens, random);
            while text.len() < least {
                text.push('x');
            }
            text.truncate(most);
            text.into()
        }
    }
}

//! Arguments for a tool call: a value that satisfies the tool's JSON Schema.

use std::collections::HashSet;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};

use crate::prose;

mod numbers;

/// How deep references and nesting are followed. Beyond it only what is required is generated, and
/// at twice the depth nothing is.
const DEPTH: usize = 6;
/// How much work one schema is worth: a hostile one could ask for any amount. Each value that is
/// tried is a step, and so is every [`PARTS_PER_STEP`] parts that are copied or looked through.
const STEPS: usize = 10_000;
/// Members, items or characters that count as one step.
const PARTS_PER_STEP: usize = 100;
/// The longest text that is generated.
const MOST_CHARS: usize = 100_000;

/// A value that satisfies `schema`, or `None` when none was found: the schema is `false`, its
/// references go nowhere, or it requires itself without end.
///
/// Not looked at, so that such a schema may not be satisfied: `pattern`, `not`, `if`, `contains`
/// and the `dependent` keywords.
///
/// `marker` is taken and planted by the first text that the schema leaves free.
pub(crate) fn sample(
    schema: &Value,
    draws: &mut ChaCha8Rng,
    marker: Option<String>,
) -> Option<Value> {
    Sampler { root: schema, draws, marker, steps: STEPS }.value(schema, 0)
}

struct Sampler<'a> {
    root: &'a Value,
    draws: &'a mut ChaCha8Rng,
    marker: Option<String>,
    /// What is left of [`STEPS`].
    steps: usize,
}

/// The keywords that combine schemas.
const COMBINING: [&str; 3] = ["allOf", "oneOf", "anyOf"];

impl Sampler<'_> {
    /// Pays for one step and for `parts` more that are copied or looked through.
    fn pay(&mut self, parts: usize) -> Option<()> {
        self.steps = self.steps.checked_sub(1 + parts / PARTS_PER_STEP)?;
        Some(())
    }

    /// A copy of a value that the schema states.
    fn stated(&mut self, value: &Value) -> Option<Value> {
        self.pay(parts(value))?;
        Some(value.clone())
    }

    fn value(&mut self, schema: &Value, depth: usize) -> Option<Value> {
        self.pay(0)?;
        if depth > 2 * DEPTH {
            return None;
        }
        let schema = match schema {
            Value::Bool(true) => return Some(Value::Object(Map::new())),
            Value::Object(schema) => schema,
            _ => return None,
        };
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.root.pointer(target.strip_prefix('#')?)?;
            return self.value(target, depth + 1);
        }
        if let Some(value) = schema.get("const") {
            return self.stated(value);
        }
        if let Some(members) = schema.get("enum").and_then(Value::as_array) {
            return match members.len() {
                0 => None,
                count => {
                    let member = self.draws.random_range(0..count);
                    self.stated(&members[member])
                }
            };
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let merged = self.merged(schema, parts)?;
            return self.value(&merged, depth + 1);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(branches) = schema.get(keyword).and_then(Value::as_array) {
                return branches.iter().find_map(|branch| {
                    let merged = self.merged(schema, std::slice::from_ref(branch))?;
                    self.value(&merged, depth + 1)
                });
            }
        }
        match type_of(schema) {
            "null" => Some(Value::Null),
            "boolean" => Some(Value::Bool(self.draws.random_bool(0.5))),
            "integer" => self.integer(schema),
            "number" => self.number(schema),
            "string" => self.text(schema),
            "array" => self.array(schema, depth),
            _ => self.object(schema, depth),
        }
    }

    /// `schema` without its combining keywords, joined with each of `parts`: properties and
    /// required names are united, and of other keywords the later one holds.
    fn merged(&mut self, schema: &Map<String, Value>, parts: &[Value]) -> Option<Value> {
        let mut merged = Map::new();
        for (keyword, value) in schema {
            if !COMBINING.contains(&keyword.as_str()) {
                merged.insert(keyword.clone(), self.stated(value)?);
            }
        }
        for part in parts {
            let mut part = part;
            while let Some(target) = part.get("$ref").and_then(Value::as_str) {
                self.pay(0)?;
                part = self.root.pointer(target.strip_prefix('#')?)?;
            }
            let part = match part {
                Value::Bool(true) => continue,
                Value::Object(part) => part,
                _ => return None,
            };
            for (keyword, value) in part {
                self.pay(self::parts(value))?;
                match (merged.get_mut(keyword), value) {
                    (Some(Value::Object(ours)), Value::Object(theirs)) => {
                        ours.extend(theirs.iter().map(|(k, v)| (k.clone(), v.clone())));
                    }
                    (Some(Value::Array(ours)), Value::Array(theirs)) if keyword == "required" => {
                        ours.extend(theirs.iter().cloned());
                    }
                    _ => {
                        merged.insert(keyword.clone(), value.clone());
                    }
                }
            }
        }
        Some(Value::Object(merged))
    }

    fn object(&mut self, schema: &Map<String, Value>, depth: usize) -> Option<Value> {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        self.pay(properties.len() + required.len())?;
        let is_required: HashSet<&str> = required.iter().copied().collect();
        let mut object = Map::new();
        for (name, property) in properties {
            let is_required = is_required.contains(name.as_str());
            if !is_required && (depth >= DEPTH || self.draws.random_bool(0.5)) {
                continue;
            }
            match self.value(property, depth + 1) {
                Some(value) => {
                    object.insert(name.clone(), value);
                }
                None if is_required => return None,
                None => {}
            }
        }
        for name in required {
            if !object.contains_key(name) {
                let value = match schema.get("additionalProperties") {
                    None | Some(Value::Bool(true)) => Value::from(prose::words(1, self.draws)),
                    Some(other) => self.value(other, depth + 1)?,
                };
                object.insert(name.to_owned(), value);
            }
        }
        let least = size(schema, "minProperties").unwrap_or(0);
        let mut number = 0_usize;
        while object.len() < least {
            number += 1;
            self.pay(0)?;
            let value = match schema.get("additionalProperties") {
                None | Some(Value::Bool(true)) => Value::from(prose::words(1, self.draws)),
                Some(other) => self.value(other, depth + 1)?,
            };
            object.insert(format!("key_{number}"), value);
        }
        Some(Value::Object(object))
    }

    fn array(&mut self, schema: &Map<String, Value>, depth: usize) -> Option<Value> {
        let least = size(schema, "minItems").unwrap_or(0);
        let most = size(schema, "maxItems").unwrap_or(least.max(3));
        let prefix = schema.get("prefixItems").and_then(Value::as_array);
        let count = if depth >= DEPTH {
            least
        } else {
            self.draws.random_range(least..=least.max(most.min(least.saturating_add(3))))
        };
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let any = Value::Bool(true);
        let items = schema.get("items").unwrap_or(&any);
        let mut array = Vec::new();
        // A few more draws than items, where a draw may repeat one that must be unique.
        for _ in 0..count.saturating_add(if unique { 32 } else { 0 }) {
            if array.len() >= count {
                break;
            }
            let item = prefix.and_then(|prefix| prefix.get(array.len())).unwrap_or(items);
            match self.value(item, depth + 1) {
                Some(value) if unique && array.contains(&value) => {}
                Some(value) => array.push(value),
                None => break,
            }
        }
        (array.len() >= least).then_some(Value::Array(array))
    }

    fn text(&mut self, schema: &Map<String, Value>) -> Option<Value> {
        let least = size(schema, "minLength").unwrap_or(0);
        let most = size(schema, "maxLength").unwrap_or(usize::MAX);
        if least > most || least > MOST_CHARS {
            return None;
        }
        self.pay(least)?;
        if let Some(format) = schema.get("format").and_then(Value::as_str)
            && let Some(text) = self.formatted(format)
        {
            return Some(Value::from(text));
        }
        let mut text = match &self.marker {
            Some(marker) if marker.len() + 1 < most && !schema.contains_key("pattern") => {
                format!(
                    "{} {}",
                    self.marker.take().unwrap_or_default(),
                    prose::words(1, self.draws)
                )
            }
            _ => {
                let count = self.draws.random_range(1..=3);
                prose::words(count, self.draws)
            }
        };
        while text.len() < least {
            text.push('-');
            text.push_str(&prose::words(1, self.draws));
        }
        text.truncate(most);
        Some(Value::from(text))
    }

    fn formatted(&mut self, format: &str) -> Option<String> {
        let word = prose::words(1, self.draws);
        let (day, hour) = (self.draws.random_range(1..=28), self.draws.random_range(0..24));
        Some(match format {
            "date" => format!("2026-05-{day:02}"),
            "date-time" => format!("2026-05-{day:02}T{hour:02}:30:00Z"),
            "time" => format!("{hour:02}:30:00Z"),
            "duration" => format!("PT{}H", hour + 1),
            "email" | "idn-email" => format!("{word}@example.com"),
            "hostname" | "idn-hostname" => format!("{word}.example.com"),
            "uri" | "iri" | "uri-reference" | "iri-reference" => {
                format!("https://example.com/{word}")
            }
            "ipv4" => format!("192.0.2.{day}"),
            "ipv6" => format!("2001:db8::{day}"),
            "uuid" => crate::draw::uuid(self.draws.random_range(0..u64::MAX), 0),
            _ => return None,
        })
    }
}

/// The type to generate: the stated one, of several the first that is not null, and without one
/// that which the keywords speak of.
fn type_of(schema: &Map<String, Value>) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("null")
        }
        _ if schema.contains_key("items") || schema.contains_key("minItems") => "array",
        _ if schema.contains_key("minLength") || schema.contains_key("format") => "string",
        _ if schema.contains_key("minimum") || schema.contains_key("maximum") => "number",
        _ => "object",
    }
}

/// Members, items and characters of `value`, all together.
fn parts(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len() + items.iter().map(parts).sum::<usize>(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| 1 + name.len() + parts(member)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn size(schema: &Map<String, Value>, keyword: &str) -> Option<usize> {
    schema.get(keyword).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok())
}

#[cfg(test)]
mod tests;

//! The compiled schemas of content, and what they find fault with, in words that show none of it.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Registry, ValidationError, Validator};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;
use spanproof_schemas::content::{Kind, PARTS, Schema};
use spanproof_schemas::semconv::Version;

/// One thing that a schema finds fault with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where and what, the same for every element of a list: `` `[].parts[].type` is missing ``.
    pub what: String,
    /// The place itself, as a JSON Pointer; empty for the whole.
    pub place: String,
    /// Whether only the type of a part, which the conventions leave open, makes it one: a part of
    /// another type might look like this.
    pub is_open: bool,
}

/// How many faults are told of one value; it repeats them for every message.
const MOST: usize = 16;

/// What the schema of a version finds fault with; nothing where the version has none.
#[must_use]
pub fn faults(kind: Kind, version: Version, json: &Json) -> Vec<Fault> {
    let Some(schema) = kind.schema(version) else { return Vec::new() };
    let Some(validator) = VALIDATORS.get(schema.path) else { return Vec::new() };
    if validator.is_valid(json) {
        return Vec::new();
    }
    let mut faults: Vec<Fault> = Vec::new();
    for fault in validator.iter_errors(json).map(|error| fault(&error)) {
        if faults.len() < MOST && !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}

/// Where the schemas are, as far as references between them are concerned.
const BASE: &str = "https://spanproof.invalid/content/";

static VALIDATORS: LazyLock<FxHashMap<&'static str, Validator>> = LazyLock::new(compile);

fn compile() -> FxHashMap<&'static str, Validator> {
    let parts: Vec<(String, Json)> =
        PARTS.iter().map(|part| (format!("{BASE}{}", part.path), parse(part))).collect();
    let registry = Registry::new()
        .extend(parts.iter().map(|(address, part)| (address, part)))
        .and_then(jsonschema::RegistryBuilder::prepare)
        .unwrap_or_else(|error| panic!("the parts of messages: {error}"));
    let all = Kind::ALL.iter().flat_map(|kind| kind.schemas());
    all.map(|schema| {
        let validator = jsonschema::options()
            .with_base_uri(format!("{BASE}{}", schema.path))
            .with_registry(&registry)
            .offline()
            .build(&parse(schema))
            .unwrap_or_else(|error| panic!("{}: {error}", schema.path));
        (schema.path, validator)
    })
    .collect()
}

/// The files are compiled in, and a test of the schemas rules out that they are wrong.
fn parse(schema: &Schema) -> Json {
    serde_json::from_str(schema.text).unwrap_or_else(|error| panic!("{}: {error}", schema.path))
}

fn fault(error: &ValidationError<'_>) -> Fault {
    let place = error.instance_path().as_str().to_owned();
    let path = readable(&place);
    let what = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            let path = if path.is_empty() { path } else { format!("{path}.") };
            format!("`{path}{property}` is missing")
        }
        ValidationErrorKind::Type { kind } => format!("{} is no {}", named(&path), types(kind)),
        _ => format!("{} breaks `{}`", named(&path), error.kind().keyword()),
    };
    Fault { what, place, is_open: error.evaluation_path().as_str().contains("/then/") }
}

fn named(path: &str) -> String {
    if path.is_empty() { "the whole".to_owned() } else { format!("`{path}`") }
}

/// A pointer such as `/0/parts/1` as `[].parts[]`. The names in it are those of the schema.
fn readable(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        if step.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str("[]");
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(step);
        }
    }
    path
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(several) => {
            let words: Vec<String> = several.iter().map(|one| one.to_string()).collect();
            words.join(" or ")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn whats(kind: Kind, json: &Json) -> Vec<String> {
        let faults = faults(kind, Version::LATEST, json);
        faults.into_iter().map(|fault| fault.what).collect()
    }

    #[test]
    fn faults_say_where_and_never_what_was_there() {
        let messages = json!([{"role": "user", "parts": [{"content": "secret"}]}, "secret"]);
        let found = whats(Kind::InputMessages, &messages);
        assert_eq!(found, ["`[].parts[].type` is missing", "`[]` is no object"]);
        assert_eq!(whats(Kind::InputMessages, &json!("secret")), ["the whole is no array"]);
    }

    #[test]
    fn a_fault_of_a_named_type_is_open() {
        let messages = json!([{"role": "user", "parts": [{"type": "text"}, {"type": 3}]}]);
        let found = faults(Kind::InputMessages, Version::LATEST, &messages);
        let open: Vec<_> = found.iter().map(|fault| (fault.what.as_str(), fault.is_open)).collect();
        assert_eq!(
            open,
            [("`[].parts[].content` is missing", true), ("`[].parts[].type` is no string", false),]
        );
    }
}

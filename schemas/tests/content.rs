//! The schemas of content are schemas, all of them are known, and they refer to each other.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};
use spanproof_schemas::content::{Kind, PARTS, Schema};
use spanproof_schemas::semconv::Version;

const BASE: &str = "https://spanproof.invalid/content/";

fn parse(schema: &Schema) -> Value {
    serde_json::from_str(schema.text).unwrap_or_else(|error| panic!("{}: {error}", schema.path))
}

fn validator(schema: &Schema) -> Validator {
    let parts = PARTS.iter().map(|part| (format!("{BASE}{}", part.path), parse(part)));
    let parts: Vec<_> = parts.collect();
    let registry = Registry::new()
        .extend(parts.iter().map(|(uri, part)| (uri, part)))
        .and_then(jsonschema::RegistryBuilder::prepare)
        .unwrap();
    jsonschema::options()
        .with_base_uri(format!("{BASE}{}", schema.path))
        .with_registry(&registry)
        .offline()
        .build(&parse(schema))
        .unwrap_or_else(|error| panic!("{}: {error}", schema.path))
}

fn of(kind: Kind, since: &str) -> Validator {
    validator(kind.schemas().iter().find(|schema| schema.since == since).unwrap())
}

#[test]
fn every_file_is_listed_and_compiles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    let mut files = BTreeSet::new();
    for folder in fs::read_dir(&root).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            files.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
        }
    }
    let mut listed = BTreeSet::new();
    for schema in Kind::ALL.iter().flat_map(|kind| kind.schemas()).chain(PARTS) {
        listed.insert(schema.path.to_owned());
        jsonschema::draft202012::meta::validate(&parse(schema))
            .unwrap_or_else(|error| panic!("{}: {error}", schema.path));
        validator(schema);
    }
    assert_eq!(files, listed);
}

#[test]
fn each_version_has_the_schema_of_the_last_change_before_it() {
    let since = |kind: Kind, version: &str| {
        kind.schema(version.parse::<Version>().unwrap()).map(|schema| schema.since)
    };
    assert_eq!(since(Kind::InputMessages, "1.36.0"), None);
    assert_eq!(since(Kind::InputMessages, "1.39.0"), Some("1.38.0"));
    assert_eq!(since(Kind::OutputMessages, "1.41.1"), Some("1.40.0"));
    assert_eq!(since(Kind::Choice, "1.36.0"), Some("1.28.0"));
}

/// The conventions leave the types of parts open, and a type that they name must have its members.
#[test]
fn parts_are_open_by_type_and_closed_by_what_a_type_needs() {
    let message = |part: Value| json!([{"role": "user", "parts": [part]}]);
    let cases = [
        ("1.37.0", json!({"type": "text", "content": "hi"}), true),
        ("1.37.0", json!({"type": "text"}), false),
        ("1.37.0", json!({"type": "reasoning"}), true),
        ("1.38.0", json!({"type": "reasoning"}), false),
        ("1.38.0", json!({"type": "server_tool_call"}), true),
        ("1.40.0", json!({"type": "server_tool_call"}), false),
        ("1.40.0", json!({"type": "of_a_vendor", "any": [1]}), true),
        ("1.40.0", json!({"content": "hi"}), false),
        ("1.40.0", json!({"type": "tool_call", "name": "f", "id": null, "arguments": "{}"}), true),
        ("genai-dev", json!({"type": "uri", "modality": "image", "uri": "data:,"}), false),
    ];
    for (since, part, is_valid) in cases {
        let validator = of(Kind::InputMessages, since);
        assert_eq!(validator.is_valid(&message(part.clone())), is_valid, "{since}: {part}");
    }
}

#[test]
fn answers_say_why_they_ended_until_the_field_is_deprecated() {
    let answer = json!([{"role": "assistant", "parts": []}]);
    assert!(!of(Kind::OutputMessages, "1.40.0").is_valid(&answer));
    assert!(of(Kind::OutputMessages, "genai-dev").is_valid(&answer));
}

//! What the tests of the schemas share: compiling a schema, and spoiling a document.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::fmt::Debug;

use jsonschema::{Registry, RegistryBuilder, Validator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The schema beside this crate's manifest, compiled. It may refer to `report.schema.json`.
pub(crate) fn validator(name: &str) -> Validator {
    let report = Registry::new()
        .add("report.schema.json", schema("report"))
        .and_then(RegistryBuilder::prepare)
        .unwrap_or_else(|error| panic!("report.schema.json: {error}"));
    jsonschema::draft202012::options()
        .with_registry(&report)
        .build(&schema(name))
        .unwrap_or_else(|error| panic!("{name}.schema.json: {error}"))
}

fn schema(name: &str) -> Value {
    let path = format!("{}/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Fails the test if `schema` refuses `document`, naming where.
pub(crate) fn assert_accepts(schema: &Validator, document: &Value) {
    let errors: Vec<String> = schema
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}\n{document:#}", errors.join("\n"));
}

/// Fails the test if `schema` accepts `document` with a member too many in any object, or with a
/// value of another type in any place. Places under `open` (JSON pointers) may hold anything.
pub(crate) fn assert_refuses_spoiled(schema: &Validator, document: &Value, open: &[&str]) {
    for pointer in pointers(document) {
        let is_open = open.iter().any(|open| pointer.starts_with(open));
        if is_open {
            continue;
        }
        let mut spoiled = document.clone();
        let place = spoiled.pointer_mut(&pointer).expect("the pointer is of this document");
        if let Some(object) = place.as_object_mut() {
            object.insert("unheard_of".to_owned(), json!([null]));
            assert!(!schema.is_valid(&spoiled), "accepts a member too many at `{pointer}`");
        }
        let mut spoiled = document.clone();
        let place = spoiled.pointer_mut(&pointer).expect("the pointer is of this document");
        *place = if place.is_string() { json!(7) } else { json!("seven") };
        assert!(!schema.is_valid(&spoiled), "accepts another type at `{pointer}`");
    }
}

/// The place of every value in `document`, the document itself first.
fn pointers(document: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut at = 0;
    while let Some(pointer) = found.get(at).cloned() {
        let inner: Vec<String> = match document.pointer(&pointer) {
            Some(Value::Object(object)) => {
                object.keys().map(|key| key.replace('~', "~0").replace('/', "~1")).collect()
            }
            Some(Value::Array(items)) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        };
        found.extend(inner.into_iter().map(|key| format!("{pointer}/{key}")));
        at += 1;
    }
    found
}

/// `value` as a document that `schema` accepts, and that reads back as `value`.
pub(crate) fn document<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    schema: &Validator,
    value: &T,
) -> Value {
    let document = serde_json::to_value(value).expect("it serializes");
    assert_accepts(schema, &document);
    let read: T = serde_json::from_value(document.clone()).expect("it reads back");
    assert_eq!(read, *value);
    document
}

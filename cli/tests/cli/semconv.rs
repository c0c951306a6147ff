//! `spanproof semconv`, as a user runs it.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::path::Path;

use serde_json::Value;

use crate::spanproof::Folder;

fn asked(arguments: &[&str]) -> String {
    let ended = Folder::new().spanproof(&[&["semconv"], arguments].concat());
    assert_eq!(ended.code, Some(0), "{ended}");
    ended.stdout
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&asked(&[arguments, &["--report", "json"]].concat())).unwrap()
}

#[test]
fn the_list_has_every_version_and_whether_it_is_released() {
    insta::assert_snapshot!(asked(&["list"]));
    let known = json(&["list"]);
    let newest = known.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&newest["version"], &newest["status"]),
        (&"genai-dev".into(), &"in_development".into())
    );
}

#[test]
fn the_way_from_the_older_provider_to_the_newer_is_a_table() {
    insta::assert_snapshot!(asked(&["diff", "1.36.0", "1.37.0"]));
}

#[test]
fn the_way_to_what_is_in_development_is_a_table() {
    insta::assert_snapshot!(asked(&["diff", "1.41.1", "genai-dev"]));
}

#[test]
fn a_table_fits_the_screen_and_is_the_same_each_time() {
    for from in ["1.28.0", "1.36.0", "1.41.1"] {
        let table = asked(&["diff", from, "genai-dev"]);
        let widest = table.lines().max_by_key(|line| line.len()).unwrap();
        assert!(widest.len() <= 80, "{from}: {widest}");
        assert_eq!(table, asked(&["diff", from, "genai-dev"]));
    }
    assert_eq!(asked(&["diff", "1.41.1", "1.41.1"]), "From 1.41.1 to 1.41.1\n\nNothing changed.\n");
}

#[test]
fn a_difference_as_json_is_what_its_schema_says() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/semconv-diff.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let diff = json(&["diff", "1.36.0", "1.41.1"]);
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&diff), "{diff}");
    assert_eq!((&diff["from"], &diff["to"]), (&"1.36.0".into(), &"1.41.1".into()));
}

#[test]
fn an_unknown_version_is_a_mistake_of_the_user() {
    let ended = Folder::new().spanproof(&["semconv", "diff", "1.36.0", "1.99.0"]);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("unknown semantic-convention version `1.99.0`"), "{ended}");
    assert!(ended.stderr.contains("genai-dev"), "{ended}");
}

//! Reports of one capture, in every format and from every kind of input.

#![expect(clippy::unwrap_used, reason = "it is a test")]

use std::fs;

use serde_json::{Value, json};

use crate::bad_input::assert_ends;
use crate::spanproof::{Folder, report};

const FORMATS: [&str; 8] =
    ["human", "json", "jsonl", "markdown", "junit", "sarif", "github", "html"];

/// A trace of three spans; the last is a model call under a name of its own.
pub(crate) fn capture(folder: &Folder) {
    let span = |id: u64, parent: u64, name: &str, kind: u64, attributes: Value| {
        json!({
            "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": format!("{id:016x}"),
            "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") },
            "name": name,
            "kind": kind,
            "startTimeUnixNano": (1_767_225_600_000_000_000 + id * 1_000_000).to_string(),
            "endTimeUnixNano": (1_767_225_601_000_000_000 - id * 1_000_000).to_string(),
            "attributes": attributes,
        })
    };
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let call = json!([
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "aws.bedrock"),
        text("gen_ai.request.model", "amazon.nova-lite-v1:0"),
    ]);
    // A request for each span, the child before its parents.
    let lines: Vec<String> = [
        span(3, 2, "ask the model", 3, call),
        span(2, 1, "answer", 1, json!([])),
        span(1, 0, "POST /ask", 2, json!([])),
    ]
    .into_iter()
    .map(|span| {
        json!({ "resourceSpans": [{ "scopeSpans": [{
            "scope": { "name": "app" },
            "schemaUrl": "https://opentelemetry.io/schemas/1.41.1",
            "spans": [span],
        }] }] })
        .to_string()
    })
    .collect();
    fs::write(folder.path("capture.jsonl"), lines.join("\n") + "\n").unwrap();
}

#[test]
fn standard_input_is_judged_and_its_traces_are_drawn() {
    let folder = Folder::new();
    capture(&folder);
    let file = folder.spanproof(&["check", "capture.jsonl", "--report", "json=file.json"]);
    let stdin =
        folder.spanproof_fed("capture.jsonl", &["check", "-", "--report", "json=stdin.json"]);
    assert_ends(&file, 1, &[]);
    assert_eq!(file.stdout, stdin.stdout);
    let [file, stdin] = ["file.json", "stdin.json"].map(|name| report(&folder, name));
    assert_eq!(file, stdin);
    let names: Vec<&str> = file["traces"][0]["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| span["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["POST /ask", "answer", "ask the model"]);
}

#[test]
fn every_format_is_written_at_once_and_twice_the_same() {
    let folder = Folder::new();
    capture(&folder);
    let write = |round: &str| {
        let targets: Vec<String> =
            FORMATS.iter().map(|format| format!("--report={format}={format}.{round}")).collect();
        let mut arguments = vec!["check", "capture.jsonl"];
        arguments.extend(targets.iter().map(String::as_str));
        assert_ends(&folder.spanproof(&arguments), 1, &[]);
    };
    write("first");
    write("second");
    for format in FORMATS {
        let [first, second] = ["first", "second"]
            .map(|round| fs::read_to_string(folder.path(&format!("{format}.{round}"))).unwrap());
        assert!(first.contains("naming/span-name"), "{format}:\n{first}");
        assert!(first == second, "{format} differs from run to run");
    }
}

#[test]
fn a_rule_is_explained_within_eighty_columns() {
    let folder = Folder::new();
    for arguments in [&["explain", "usage/input-tokens"][..], &["rules"]] {
        let told = folder.spanproof(arguments);
        assert_ends(&told, 0, &[]);
        assert!(told.stdout.lines().all(|line| line.chars().count() <= 80), "{told}");
        assert!(told.stdout.contains("usage/input-tokens"), "{told}");
    }
}

//! Policies for content, as the guide shows them, and reports that leak nothing themselves.

#![expect(clippy::unwrap_used, reason = "it is a test")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use spanproof_schemas::ledger::{MarkerKind, Planted, marker_stem};

use crate::bad_input::assert_ends;
use crate::spanproof::{Folder, report};

const TRACE: &str = "5b8efff798038103d269b633813fc60c";

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// A span of a model call with these attributes beside those that it must have.
fn call(mut attributes: Vec<Value>) -> Value {
    attributes.extend([
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "aws.bedrock"),
        text("gen_ai.request.model", "amazon.nova-lite-v1:0"),
        text("spanproof.invocation_id", "a call"),
    ]);
    json!({
        "traceId": TRACE,
        "spanId": "00000000000000a1",
        "name": "chat amazon.nova-lite-v1:0",
        "kind": 3,
        "startTimeUnixNano": "1767225600000000000",
        "endTimeUnixNano": "1767225601000000000",
        "attributes": attributes,
    })
}

/// A capture of the span and of log records, and the ledger of its call.
fn evidence(folder: &Folder, resource: &Value, span: &Value, logs: &Value, metrics: &Value) {
    let scope = json!({ "name": "app" });
    let url = "https://opentelemetry.io/schemas/1.41.1";
    let lines = [
        json!({ "resourceSpans": [{ "resource": { "attributes": resource }, "scopeSpans": [
            { "scope": scope, "schemaUrl": url, "spans": [span] },
        ] }] }),
        json!({ "resourceLogs": [{ "scopeLogs": [
            { "scope": scope, "schemaUrl": url, "logRecords": logs },
        ] }] }),
        json!({ "resourceMetrics": [{ "scopeMetrics": [
            { "scope": scope, "schemaUrl": url, "metrics": metrics },
        ] }] }),
    ];
    fs::write(folder.path("telemetry.jsonl"), lines.map(|line| line.to_string()).join("\n"))
        .unwrap();
    let planted = [MarkerKind::Prompt, MarkerKind::Completion].map(|kind| Planted::all(kind, 1));
    let run = json!({
        "record": "run", "version": 1, "seed": 1, "started_unix_nanos": 1,
        "server_address": "127.0.0.1", "server_port": 8080,
        "marker_stems": stems(), "planted": planted.concat(),
    });
    let exchange = json!({
        "record": "exchange", "sequence": 0, "request_id": "r", "operation": "Converse",
        "task": "chat", "model_id": "amazon.nova-lite-v1:0", "invocation_id": "a call",
        "arrived_unix_nanos": 1_767_225_600_100_000_000_u64,
        "finished_unix_nanos": 1_767_225_600_900_000_000_u64,
        "status": 200, "delivered": true, "stop_reason": "end_turn",
        "prompt_sha256": "01".repeat(32), "completion_sha256": "02".repeat(32),
    });
    fs::write(folder.path("ledger.jsonl"), format!("{run}\n{exchange}\n")).unwrap();
}

fn stems() -> [String; 2] {
    [MarkerKind::Prompt, MarkerKind::Completion].map(|kind| marker_stem(kind, 1))
}

fn message(content: &str) -> String {
    let parts = json!([{ "type": "text", "content": content }]);
    json!([{ "role": "user", "parts": parts }]).to_string()
}

/// What people read of the first finding of the rules about redaction, without why and how to mend.
fn shown(policy: &str, span: &Value, ledger: bool) -> String {
    let folder = Folder::new();
    evidence(&folder, &json!([]), span, &json!([]), &json!([]));
    let mut arguments = vec!["check", "telemetry.jsonl", "--redaction", policy];
    if ledger {
        arguments.extend(["--ledger", "ledger.jsonl"]);
    }
    let ended = folder.spanproof(&arguments);
    assert_ends(&ended, 1, &[]);
    let start = ended.stdout.find("violation redaction/");
    let start = start.unwrap_or_else(|| panic!("{policy}: nothing was found\n{ended}"));
    let found = &ended.stdout[start..];
    found[..found.find("\n  why").unwrap_or(found.len())].to_owned()
}

#[test]
fn the_guide_shows_what_each_policy_finds() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/redaction.md");
    let guide = fs::read_to_string(guide).unwrap();
    let input = |value: &str| call(vec![text("gen_ai.input.messages", value)]);
    let asked = message("please summarise it for me");
    let quoted = format!("malformed input near {}17", stems()[0]);
    let mut refused = call(vec![text("error.type", "ValidationException")]);
    refused["status"] = json!({ "code": 2, "message": quoted });
    let planted = Planted::all(MarkerKind::Prompt, 1);
    let phone = planted[1].value.replace('-', " ");
    let policies = [
        ("no-content", refused, true),
        ("hash-only", input(&"ab".repeat(32)), true),
        ("marker", input(&message(&"ab".repeat(32))), false),
        ("truncated(16)", input(&asked), false),
        ("events-only", input(&asked), true),
        ("external-reference", input(&asked), false),
        ("content-allowed", call(vec![text("app.caller", &phone)]), true),
    ];
    let shown = policies.map(|(policy, span, ledger)| shown(policy, &span, ledger));
    let missing: Vec<_> = shown.iter().filter(|shown| !guide.contains(*shown)).cloned().collect();
    assert!(missing.is_empty(), "the guide does not show\n{}", missing.join("\n\n"));
}

#[test]
fn the_policy_is_one_for_the_file_and_the_command_line() {
    let folder = Folder::new();
    let span = call(vec![text("gen_ai.input.messages", "s3://bucket/prompts/1.json")]);
    evidence(&folder, &json!([]), &span, &json!([]), &json!([]));
    let leaks = |name: &str| {
        let report = report(&folder, name);
        let all = report["findings"].as_array().unwrap().iter();
        all.filter(|group| group["rule"] == "redaction/content-leak").count()
    };
    let check = |name: &str, policy: &[&str]| {
        let target = format!("json={name}");
        let arguments = [&["check", "telemetry.jsonl", "--report", &target], policy].concat();
        folder.spanproof(&arguments);
        leaks(name)
    };
    assert_eq!(check("default.json", &[]), 1);
    fs::write(folder.path("spanproof.toml"), "redaction = \"external-reference\"\n").unwrap();
    assert_eq!(check("file.json", &[]), 0);
    assert_eq!(check("flag.json", &["--redaction", "marker"]), 1);
}

#[test]
fn no_report_holds_what_was_planted() {
    let folder = Folder::new();
    let formats = ["human", "json", "jsonl", "markdown", "junit", "sarif", "github", "html"];
    let mut told: Vec<String> = stems().map(|stem| format!("{stem}17")).into();
    for kind in [MarkerKind::Prompt, MarkerKind::Completion] {
        told.extend(Planted::all(kind, 1).into_iter().map(|planted| planted.value));
    }
    let attributes = |prefix: &str| -> Vec<Value> {
        let name = |at: usize| format!("{prefix}.{at}");
        told.iter().enumerate().map(|(at, told)| text(&name(at), told)).collect()
    };
    let mut all = attributes("app.told");
    // Names that rules about other things have something to say of, and show.
    all.extend(attributes("gen_ai.told"));
    all.push(text(&told[2], "a name"));
    all.push(text("gen_ai.response.model", &told[2]));
    all.push(text("gen_ai.output.type", &told[6]));
    for (at, named) in told.iter().enumerate() {
        let mut span = call(all.clone());
        span["name"] = json!(named);
        span["status"] = json!({ "code": 2, "message": named });
        span["events"] = json!([{ "name": named, "attributes": attributes("app.told") }]);
        let logs =
            json!([{ "traceId": TRACE, "eventName": named, "body": { "stringValue": named } }]);
        let point = json!({ "attributes": attributes("app.told"), "asInt": "1" });
        let metrics = json!([{ "name": named, "gauge": { "dataPoints": [point] } }]);
        evidence(&folder, &json!(attributes("app.told")), &span, &logs, &metrics);
        let targets: Vec<String> =
            formats.iter().map(|format| format!("--report={format}={format}")).collect();
        let mut arguments = vec!["check", "telemetry.jsonl", "--ledger", "ledger.jsonl"];
        arguments.extend(targets.iter().map(String::as_str));
        let policy = ["no-content", "content-allowed", "events-only"][at % 3];
        arguments.extend(["--redaction", policy]);
        assert_ends(&folder.spanproof(&arguments), 1, &[]);
        for format in formats {
            let report = fs::read_to_string(folder.path(format)).unwrap();
            for (at, told) in told.iter().enumerate() {
                let is_marker = at < 2;
                if is_marker && policy == "content-allowed" {
                    continue;
                }
                let body = told.lines().nth(1).unwrap_or(told);
                assert!(!report.contains(body), "{format} with {policy} holds {body}");
            }
        }
    }
}

//! `--snapshot`: kept, compared, updated, with `check` and with `run`.

use std::fs;

use crate::spanproof::{Ended, Folder, report};

/// A call with so many input tokens, in a trace with this id.
fn capture(trace_id: &str, tokens: &str) -> String {
    let attributes = format!(
        r#"{{"key":"gen_ai.operation.name","value":{{"stringValue":"chat"}}}},{{"key":"gen_ai.usage.input_tokens","value":{{"intValue":"{tokens}"}}}}"#
    );
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"scope":{{"name":"s"}},"spans":[{{"traceId":"{trace_id}","spanId":"eee19b7ec3c1b174","name":"chat m","kind":3,"startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[{attributes}]}}]}}]}}]}}"#
    )
}

const ONE: &str = "5b8efff798038103d269b633813fc60c";
const OTHER: &str = "6b8efff798038103d269b633813fc60c";

/// How often `snapshot/unchanged` found something in a run that wrote `r.json`.
fn findings(folder: &Folder) -> u64 {
    let report = report(folder, "r.json");
    let groups = report["findings"].as_array().into_iter().flatten();
    let own = groups.filter(|group| group["rule"] == "snapshot/unchanged");
    own.filter_map(|group| group["count"].as_u64()).sum()
}

fn check(folder: &Folder, more: &[&str]) -> Ended {
    let arguments = ["check", "c.jsonl", "--report", "json=r.json", "--snapshot", "t.snap"];
    folder.spanproof(&[&arguments, more].concat())
}

#[test]
fn a_snapshot_is_missed_written_kept_and_differed_from() {
    let folder = Folder::new();
    fs::write(folder.path("c.jsonl"), capture(ONE, "12")).unwrap();

    let ended = check(&folder, &[]);
    assert_eq!((ended.code, findings(&folder)), (Some(1), 1), "{ended}");
    assert!(ended.stdout.contains("there is no snapshot yet"), "{ended}");
    assert!(ended.stdout.contains("--update-snapshot writes it"), "{ended}");
    assert!(!folder.path("t.snap").exists());

    let ended = check(&folder, &["--update-snapshot"]);
    assert_eq!(findings(&folder), 0, "{ended}");
    assert!(ended.stderr.contains("snapshot written: t.snap"), "{ended}");
    let written = fs::read_to_string(folder.path("t.snap")).unwrap();
    assert!(written.contains("    gen_ai.usage.input_tokens = 12\n"), "{written}");

    // Another id is the same telemetry, and a file with the line breaks of Windows the same file.
    fs::write(folder.path("c.jsonl"), capture(OTHER, "12")).unwrap();
    fs::write(folder.path("t.snap"), written.replace('\n', "\r\n")).unwrap();
    let ended = check(&folder, &[]);
    assert_eq!(findings(&folder), 0, "{ended}");

    fs::write(folder.path("c.jsonl"), capture(OTHER, "13")).unwrap();
    let ended = check(&folder, &[]);
    assert_eq!((ended.code, findings(&folder)), (Some(1), 1), "{ended}");
    assert!(ended.stderr.contains("\n-    gen_ai.usage.input_tokens = 12\n"), "{ended}");
    assert!(ended.stderr.contains("\n+    gen_ai.usage.input_tokens = 13\n"), "{ended}");

    // Rules apply to it as to any other.
    fs::write(folder.path("spanproof.toml"), "[rules]\n\"snapshot/unchanged\" = \"off\"\n")
        .unwrap();
    check(&folder, &[]);
    assert_eq!(findings(&folder), 0);
}

#[test]
fn what_nobody_should_keep_is_not_written() {
    let folder = Folder::new();
    let run = |command: &str| {
        let arguments = ["run", "--snapshot", "t.snap", "--update-snapshot", "--", "sh", "-c"];
        folder.spanproof(&[&arguments[..], &[command]].concat())
    };
    let ended = run("true");
    assert_eq!(ended.code, Some(4), "{ended}");
    assert!(ended.stderr.contains("nothing was captured to compare with t.snap"), "{ended}");
    let ended = run("exit 3");
    assert_eq!(ended.code, Some(3), "{ended}");
    assert!(
        ended.stderr.contains("the snapshot was not updated, for the command failed"),
        "{ended}"
    );
    assert!(!folder.path("t.snap").exists());

    let ended = folder.spanproof(&["check", "c.jsonl", "--update-snapshot"]);
    assert_eq!(ended.code, Some(2), "{ended}");
}

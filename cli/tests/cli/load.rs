//! `spanproof load` with the reference client, as a user runs it.

use std::fs;

use serde_json::Value;
use spanproof_schemas::semconv::Version;

use crate::spanproof::{Folder, report};

#[test]
fn the_reference_client_has_no_violation_and_every_token_is_accounted_for() {
    for version in Version::all().map(Version::as_str) {
        let folder = Folder::new();
        let ended = folder.spanproof(&[
            "load",
            "--calls",
            "400",
            "--speed",
            "max",
            "--semconv",
            version,
            "--report",
            "json=report.json",
        ]);
        assert_eq!(ended.code, Some(0), "{version}: {ended}");
        let report = report(&folder, "report.json");
        assert_eq!(report["verdict"], "conforms");
        assert_eq!(report["join"]["calls"], 400);
        assert_eq!(report["join"]["matched"], 400);
        assert_eq!(report["join"]["unmatched_calls"], 0);
        assert_eq!(report["join"]["unmatched_spans"], 0);
        let (served, reported) = (&report["usage"]["served"], &report["usage"]["reported"]);
        assert_eq!(served["input_tokens"], reported["input_tokens"]);
        assert_eq!(served["output_tokens"], reported["output_tokens"]);
        assert_ne!(served["input_tokens"], 0);
        // Versions without a name for cached tokens leave a client nothing to report them by.
        let is_unnamed = report["usage"]["cache_tokens_unnamed"] == true;
        assert_eq!(is_unnamed, version < "1.40.0", "{version}");
        for cached in ["cache_read_input_tokens", "cache_write_input_tokens"] {
            assert_ne!(served[cached], 0);
            assert_eq!(
                reported[cached],
                if is_unnamed { 0.into() } else { served[cached].clone() }
            );
        }
        assert_eq!(report["load"]["completed"], 400);
    }
}

#[test]
fn the_same_seed_serves_the_same_tokens() {
    let served = |seed: &str| {
        let folder = Folder::new();
        let ended = folder.spanproof(&[
            "load",
            "--calls",
            "100",
            "--seed",
            seed,
            "--report",
            "json=report.json",
        ]);
        assert_eq!(ended.code, Some(0), "{ended}");
        // Which call finds a shared prefix cached depends on which came first; the sum does not.
        let served = &report(&folder, "report.json")["usage"]["served"];
        (served["input_tokens"].clone(), served["output_tokens"].clone())
    };
    assert_eq!(served("7"), served("7"));
    assert_ne!(served("7"), served("8"));
}

#[test]
fn a_kept_run_can_be_checked_again_with_the_same_result() {
    let folder = Folder::new();
    let ended = folder.spanproof(&[
        "load",
        "--calls",
        "50",
        "--ledger",
        "ledger.jsonl",
        "--capture",
        "capture.jsonl",
        "--report",
        "json=load.json",
    ]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let ended = folder.spanproof(&[
        "check",
        "capture.jsonl",
        "--ledger",
        "ledger.jsonl",
        "--report",
        "json=check.json",
    ]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let (load, check) = (report(&folder, "load.json"), report(&folder, "check.json"));
    for part in ["verdict", "semconv", "telemetry", "join", "findings", "usage", "cost"] {
        assert_eq!(load[part], check[part], "{part}");
    }
}

#[test]
fn content_on_the_reference_client_is_a_leak_that_the_report_does_not_repeat() {
    let folder = Folder::new();
    let ended = folder.spanproof(&[
        "load",
        "--calls",
        "40",
        "--content",
        "--semconv",
        "1.41.1",
        "--ledger",
        "ledger.jsonl",
        "--report",
        "json=report.json",
    ]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let leaks: Vec<_> = report(&folder, "report.json")["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|group| group["rule"] == "redaction/content-leak")
        .cloned()
        .collect();
    assert!(!leaks.is_empty(), "{ended}");
    let written = fs::read_to_string(folder.path("report.json")).unwrap() + &ended.stdout;
    let ledger = fs::read_to_string(folder.path("ledger.jsonl")).unwrap();
    let markers: Vec<String> = ledger
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["markers"].as_array().cloned()
        })
        .flatten()
        .map(|marker| marker.as_str().unwrap().to_owned())
        .collect();
    assert!(!markers.is_empty());
    for marker in markers {
        assert!(!written.contains(&marker), "{marker} is printed in full");
    }
}

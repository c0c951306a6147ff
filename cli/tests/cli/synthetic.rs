//! Synthetic spans, from a scenario to a store or a judge.

use std::fs;
use std::thread;
use std::time::SystemTime;

use spanproof_schemas::time::unix_nanos;

use crate::bad_input::assert_ends;
use crate::elsewhere::Elsewhere;
use crate::pacing::counters;
use crate::spanproof::{Folder, report};

const SYNTHETIC: [&str; 5] = ["load", "--client", "synthetic", "--speed", "max"];

#[test]
fn synthetic_spans_are_made_received_and_found_to_conform() {
    let folder = Folder::new();
    let more = ["--scenario", "rag", "--calls", "300", "--report", "json=report.json"];
    let ended = folder.spanproof(&[&SYNTHETIC[..], &more].concat());
    assert_eq!(ended.code, Some(0), "{ended}");
    let report = report(&folder, "report.json");
    assert_eq!(report["telemetry"]["spans"], 1_200);
    let load = &report["load"];
    assert_eq!((&load["client"], &load["completed"]), (&"synthetic".into(), &300.into()));
    assert_eq!(load["telemetry"]["client"]["exported"], 1_200);
    assert_eq!(load["telemetry"]["receivers"][0]["accepted"], 1_200);
    assert_eq!(report["verdict"], "conforms", "{report:#}");
}

#[test]
fn what_is_written_is_the_same_in_every_format_and_conforms() {
    let folder = Folder::new();
    let base = ["--scenario", "agent", "--calls", "40", "--seed", "5", "--content"];
    for name in ["a.otlp", "b.otlp.gz", "c.otlp.zst", "d.jsonl", "e.jsonl.gz"] {
        let ended = folder.spanproof(&[&SYNTHETIC[..], &base, &["--out", name]].concat());
        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(ended.stderr.starts_with("40 traces, "), "{ended}");
        let checked = folder.spanproof(&[
            "check",
            "--redaction",
            "content-allowed",
            "--report",
            "json=report.json",
            name,
        ]);
        assert_eq!(checked.code, Some(0), "{name}: {checked}");
        let report = report(&folder, "report.json");
        assert_eq!(report["verdict"], "conforms", "{name}");
        let spans = report["telemetry"]["spans"].as_u64().unwrap();
        assert!(ended.stderr.contains(&format!(" {spans} spans, ")), "{ended} {spans}");
    }
    let again = folder.spanproof(&[&SYNTHETIC[..], &base, &["--out", "again.otlp"]].concat());
    assert_eq!(again.code, Some(0), "{again}");
    let [one, other] = ["a.otlp", "again.otlp"].map(|name| fs::read(folder.path(name)).unwrap());
    assert!(one == other, "the same seed gives the same bytes");
}

#[test]
fn synthetic_traces_are_paced_gated_and_merged_as_calls_are() {
    let folder = Folder::new();
    let plan = ["load", "--client", "synthetic", "--scenario", "rag", "--calls", "160"];
    let load = |name: &str, more: &[&str]| {
        let [report, result] = [format!("json={name}.report"), format!("{name}.json")];
        let files = ["--report", &report, "--result", &result];
        folder.spanproof(&[&plan[..], &["--arrival", "gamma:0.5"], &files, more].concat())
    };
    let ended = load("whole", &["--min-achieved", "1%", "--max-lag-p99", "1h"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    // All start from the same moment, however long a process takes to come up.
    let ago = |seconds: u64| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        (now.as_secs() - seconds).to_string()
    };
    let start = ago(0);
    thread::scope(|scope| {
        for shard in ["0/2", "1/2"] {
            let (load, start) = (&load, start.as_str());
            scope.spawn(move || {
                let name = format!("shard-{}", &shard[..1]);
                let ended = load(&name, &["--shard", shard, "--start-at", start]);
                assert_eq!(ended.code, Some(0), "{ended}");
            });
        }
    });
    let shards = ["merge", "shard-0.json", "shard-1.json"];
    let merged = folder.spanproof(&[&shards[..], &["--report", "json=merged.report"]].concat());
    assert_eq!(merged.code, Some(0), "{merged}");
    let [whole, merged] = ["whole.report", "merged.report"].map(|name| report(&folder, name));
    for path in [
        "/load/intended",
        "/load/completed",
        "/load/telemetry/client/exported",
        "/load/telemetry/receivers",
        "/telemetry/spans",
        "/verdict",
        "/semconv",
    ] {
        assert_eq!(whole.pointer(path), merged.pointer(path), "{path}");
    }
    assert_eq!(whole["load"]["minutes"][0]["planned"], merged["load"]["minutes"][0]["planned"]);

    // What was due a while ago is late, or left out, and a gate says so.
    let late = load("late", &["--start-at", &ago(1), "--max-lag-p99", "0s"]);
    assert_ends(&late, 3, &["--max-lag-p99 is missed"]);
    let skipped = load("skipped", &["--start-at", &ago(5), "--catch-up", "skip"]);
    assert_ends(&skipped, 3, &["--max-lost is missed", "160 calls skipped"]);
}

#[test]
fn what_is_received_of_synthetic_spans_is_kept_where_it_is_asked_for() {
    let folder = Folder::new();
    for name in ["kept.otlp", "kept.jsonl"] {
        let kept = ["--scenario", "chat", "--calls", "50", "--capture", name];
        let report_of = ["--report", "json=report.json"];
        let ended = folder.spanproof(&[&SYNTHETIC[..], &kept, &report_of].concat());
        assert_eq!(ended.code, Some(0), "{ended}");
        let checked = folder.spanproof(&["check", name, "--report", "json=check.json"]);
        assert_eq!(checked.code, Some(0), "{checked}");
        let [sent, kept] = ["report.json", "check.json"].map(|name| report(&folder, name));
        assert_ne!(sent["telemetry"]["spans"], 0);
        for path in ["/telemetry/spans", "/telemetry/gen_ai_spans", "/semconv", "/coverage"] {
            assert_eq!(sent.pointer(path), kept.pointer(path), "{path}");
        }
    }
}

#[test]
fn spans_are_stamped_by_the_plan_or_by_the_clock() {
    let folder = Folder::new();
    let stamped = |timestamps: &str| {
        let to = ["--calls", "1", "--timestamps", timestamps, "--capture", "kept.jsonl"];
        let ended = folder.spanproof(&[&SYNTHETIC[..], &to].concat());
        assert_eq!(ended.code, Some(0), "{ended}");
        let kept = fs::read_to_string(folder.path("kept.jsonl")).unwrap();
        let starts = kept.split("\"startTimeUnixNano\":\"").skip(1);
        starts.map(|start| start.split('"').next().unwrap().parse().unwrap()).min()
    };
    // The first trace is due at midnight.
    assert_eq!(stamped("virtual"), Some(1_767_571_200_000_000_000));
    assert_eq!(stamped("virtual@2026-01-06T00:00:00Z"), Some(1_767_657_600_000_000_000));
    let before = unix_nanos(SystemTime::now());
    assert!(stamped("now").unwrap() >= before);
}

#[test]
fn the_books_of_synthetic_spans_are_compared_with_who_took_them() {
    let folder = Folder::new();
    let mut receiver = Elsewhere::start(&folder, "behind.jsonl");
    let address = receiver.address.clone();
    let to = ["--scenario", "rag", "--calls", "100", "--otlp", &address];
    let counted = counters(400);
    let with = ["--collector-metrics", &counted, "--report", "json=report.json"];
    let ended = folder.spanproof(&[&SYNTHETIC[..], &to, &with].concat());
    assert_eq!(ended.code, Some(0), "{ended}");
    let telemetry = &report(&folder, "report.json")["load"]["telemetry"];
    assert_eq!(telemetry["client"]["exported"], 400);
    assert_eq!(telemetry["receivers"].as_array().unwrap().len(), 1, "{telemetry}");
    assert_eq!(telemetry["receivers"][0]["accepted"], 400);

    let more = counters(401);
    let ended = folder.spanproof(&[&SYNTHETIC[..], &to, &["--collector-metrics", &more]].concat());
    assert_ends(&ended, 3, &["do not fit together", "401 items arrived", "at most 400 were sent"]);
    receiver.end();
}

#[test]
fn what_is_sent_elsewhere_is_told_by_its_books_and_not_judged() {
    let folder = Folder::new();
    let mut receiver = Elsewhere::start(&folder, "behind.jsonl");
    let address = receiver.address.clone();
    let to = ["--scenario", "rag", "--calls", "100", "--otlp", &address];
    let report_of = ["--report", "json=report.json", "--min-achieved", "100%"];
    let ended = folder.spanproof(&[&SYNTHETIC[..], &to, &report_of].concat());
    assert_eq!(ended.code, Some(0), "{ended}");
    let report = report(&folder, "report.json");
    assert_eq!(report["verdict"], "not_judged");
    assert_eq!(report["load"]["telemetry"]["client"]["exported"], 400);
    assert!(ended.stdout.contains("which took 400 of 400 spans"), "{ended}");
    receiver.end();
    let checked = folder.spanproof(&["check", "behind.jsonl"]);
    assert_eq!(checked.code, Some(0), "{checked}");

    // Nobody is there any more.
    let gone = folder.spanproof(&[&SYNTHETIC[..], &to].concat());
    assert_ends(&gone, 3, &["400 of 400 spans could not be exported", "--max-lost is missed"]);
}

#[test]
fn what_synthetic_spans_cannot_be_is_told() {
    let folder = Folder::new();
    for (more, wanted) in [
        (&["--otlp", "collector:4317"][..], "is no URL of a receiver"),
        (&["--content=half"], "is not a content policy"),
        (&["--timestamps", "yesterday"], "virtual@"),
        (&["--timestamps", "now", "--out", "a.otlp"], "--timestamps now"),
        (&["--otlp", "https://localhost:1", "--otlp-ca", "none.pem"], "none.pem cannot be used"),
        (&["--otlp-cert", "a.pem"], "--otlp-key"),
        (&["--compression", "lz4"], "unknown compression"),
        (&["--ledger", "ledger.jsonl"], "asks nobody to serve"),
        (&["--bedrock", "http://127.0.0.1:1"], "asks nobody to serve"),
        (&["--out", "a.otlp", "--result", "a.json"], "leave out --result"),
        (&["--out", "a.otlp", "--capture", "b.otlp"], "--capture keeps what is received here"),
    ] {
        let ended = folder.spanproof(&[&SYNTHETIC[..], more].concat());
        assert_ends(&ended, 2, &[wanted]);
    }
    // A disk that is full is told with its file.
    let ended =
        folder.spanproof(&[&SYNTHETIC[..], &["--calls", "50", "--out", "/dev/full"]].concat());
    assert_ends(&ended, 3, &["cannot write /dev/full"]);
}

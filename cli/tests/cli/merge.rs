//! `spanproof merge`: the shards of a load, each by a process of its own, as one.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::fs;
use std::thread;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::bad_input::assert_ends;
use crate::spanproof::{Ended, Folder, report};

const LOAD: [&str; 10] = [
    "load",
    "--calls",
    "160",
    "--arrival",
    "gamma:0.5",
    "--scenario",
    "rag",
    "--seed",
    "5",
    "--report",
];

/// Runs the plan, or a shard of it, with its result in `name`.json.
fn load(folder: &Folder, name: &str, more: &[&str]) -> Ended {
    let [report, result] = [format!("json={name}.report"), format!("{name}.json")];
    folder.spanproof(&[&LOAD[..], &[&report, "--result", &result], more].concat())
}

/// What must not depend on who made which call.
fn counts(report: &Value) -> Value {
    let load = &report["load"];
    // When a call is sent is not a count: minutes in which none was due are about that alone.
    let minutes = load["minutes"].as_array().unwrap().iter();
    let minutes = minutes
        .filter(|minute| minute["planned"] != 0)
        .map(|minute| json!([minute["minute"], minute["planned"], minute["completed"]]));
    let books = &load["telemetry"]["client"];
    json!({
        "calls": [load["intended"], load["started"], load["completed"], load["failed"]],
        "minutes": minutes.collect::<Value>(),
        "books": [books["created"], books["exported"], books["rejected"], books["failed"]],
        "receivers": load["telemetry"]["receivers"],
        "verdict": report["verdict"],
        "spans": report["telemetry"]["spans"],
        "gen_ai_spans": report["telemetry"]["gen_ai_spans"],
        "semconv": report["semconv"],
        "join": report["join"],
        "output_tokens": report["usage"]["served"]["output_tokens"],
        "calls_in_truth": report["truth"]["calls"],
    })
}

#[test]
fn eight_shards_at_once_merge_to_what_one_process_does() {
    let folder = Folder::new();
    let ended = load(&folder, "whole", &[]);
    assert_eq!(ended.code, Some(0), "{ended}");
    fs::create_dir(folder.path("shards")).unwrap();
    // All start from the same moment, however long a process takes to come up.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let start = now.as_secs().to_string();
    thread::scope(|scope| {
        for index in 0..8 {
            let (folder, start) = (&folder, start.as_str());
            scope.spawn(move || {
                let shard = format!("{index}/8");
                let name = format!("shards/{index}");
                let ended = load(folder, &name, &["--shard", &shard, "--start-at", start]);
                assert_eq!(ended.code, Some(0), "{shard}: {ended}");
            });
        }
    });
    let merged = folder.spanproof(&[
        "merge",
        "shards",
        "--report",
        "json=merged.report",
        "--result",
        "merged.json",
    ]);
    assert_eq!(merged.code, Some(0), "{merged}");
    assert_eq!(counts(&report(&folder, "merged.report")), counts(&report(&folder, "whole.report")));

    // The plan's hash is that of one process, and of the plan that is only looked at.
    let whole: Value =
        serde_json::from_str(&fs::read_to_string(folder.path("whole.json")).unwrap()).unwrap();
    let hash = whole["plan"]["hash"].as_str().unwrap();
    assert!(merged.stderr.contains(hash), "{merged}");
    let planned = folder.spanproof(&[&LOAD[..9], &["--plan-only"]].concat());
    assert!(planned.stdout.contains(hash), "{planned}");

    // What was merged can be merged on, and a gate is for the whole.
    let again = folder.spanproof(&["merge", "merged.json", "--max-lag-p99", "0s"]);
    assert_ends(&again, 3, &["--max-lag-p99 is missed", "asked for at most 0s"]);

    fs::remove_file(folder.path("shards/3.json")).unwrap();
    assert_ends(&folder.spanproof(&["merge", "shards"]), 3, &["shards are missing: 3 of 8"]);
    let doubled = ["merge", "shards/1.json", "shards/1.json"];
    assert_ends(&folder.spanproof(&doubled), 3, &["both shard 1"]);
    let unlike = ["merge", "shards/1.json", "whole.json"];
    assert_ends(&folder.spanproof(&unlike), 3, &["not of one load", "numbers of shards"]);
}

#[test]
fn what_is_no_result_is_told_with_its_name() {
    let folder = Folder::new();
    fs::create_dir(folder.path("empty")).unwrap();
    fs::write(folder.path("other.json"), "{\"version\":1}").unwrap();
    assert_ends(&folder.spanproof(&["merge", "empty"]), 3, &["empty", "no *.json"]);
    assert_ends(&folder.spanproof(&["merge", "other.json"]), 3, &["other.json", "no result"]);
    assert_ends(&folder.spanproof(&["merge", "none.json"]), 3, &["none.json"]);
}

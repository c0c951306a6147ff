//! `spanproof merge`: the shards of a load, each by a process of its own, as one.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::fs;
use std::thread;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::bad_input::assert_ends;
use crate::elsewhere::Elsewhere;
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

/// Runs the eight shards of the plan, each with what is `more` for its index.
fn eight_at_once(folder: &Folder, more: impl Fn(usize) -> Vec<String> + Sync) {
    fs::create_dir(folder.path("shards")).unwrap();
    // All start from the same moment, however long a process takes to come up.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let start = now.as_secs().to_string();
    thread::scope(|scope| {
        for index in 0..8 {
            let (more, start) = (&more, start.as_str());
            scope.spawn(move || {
                let (shard, name) = (format!("{index}/8"), format!("shards/{index}"));
                let more = more(index);
                let more = more.iter().map(String::as_str);
                let of_shard = ["--shard", &shard, "--start-at", start].into_iter().chain(more);
                let ended = load(folder, &name, &of_shard.collect::<Vec<&str>>());
                assert_eq!(ended.code, Some(0), "{shard}: {ended}");
            });
        }
    });
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
    eight_at_once(&folder, |_| Vec::new());
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

    // A shard that broke off is merged too, and the whole is no less broken off for it.
    let shard = fs::read_to_string(folder.path("shards/3.json")).unwrap();
    let mut broken: Value = serde_json::from_str(&shard).unwrap();
    broken["is_whole"] = false.into();
    fs::write(folder.path("shards/3.json"), broken.to_string()).unwrap();
    let part = ["merge", "shards", "--report", "json=part.report", "--result", "part.json"];
    assert_ends(&folder.spanproof(&part), 3, &["a shard ended before its plan did"]);
    assert_eq!(report(&folder, "part.report")["load"], report(&folder, "merged.report")["load"]);
    assert_ends(&folder.spanproof(&["merge", "part.json"]), 3, &["a shard ended before"]);

    fs::remove_file(folder.path("shards/3.json")).unwrap();
    assert_ends(&folder.spanproof(&["merge", "shards"]), 3, &["shards are missing: 3 of 8"]);
    let doubled = ["merge", "shards/1.json", "shards/1.json"];
    assert_ends(&folder.spanproof(&doubled), 3, &["both shard 1"]);
    let unlike = ["merge", "shards/1.json", "whole.json"];
    assert_ends(&folder.spanproof(&unlike), 3, &["not of one load", "numbers of shards"]);
}

/// Rules about times, whose findings tell how busy the machine was.
const OF_TIMES: [&str; 5] = [
    "streaming/time-to-first-chunk",
    "metrics/time-to-first-chunk",
    "metrics/duration-sum",
    "truth/span-start",
    "streaming/span-end",
];

/// Everything in a report but times, examples, and what each process exports for itself: the points of
/// its metrics.
fn every_count(mut report: Value) -> Value {
    for path in ["/load/minutes", "/load/slices", "/load/answers/shares", "/truth/rows"] {
        assert_ne!(report.pointer(path).and_then(Value::as_array).map(Vec::len), Some(0), "{path}");
    }
    let is_of_times = |rule: &Value| OF_TIMES.contains(&rule.as_str().unwrap());
    without(&mut report, &["traces"]);
    without(&mut report["telemetry"], &["metric_points"]);
    // Those of a rule about times alone.
    without(&mut report["truth"], &["calls_with_findings"]);
    let load = &mut report["load"];
    without(load, &["wall_s", "lag_parts", "rate"]);
    without(load, &["schedule_lag_ms", "latency_ms", "service_ms", "ttft_ms"]);
    let minutes = load["minutes"].as_array_mut().unwrap();
    minutes.retain(|minute| minute["planned"] != 0);
    for minute in minutes {
        without(minute, &["sent"]);
    }
    for slice in load["slices"].as_array_mut().unwrap() {
        without(slice, &["schedule_lag_ms", "latency_ms", "ttft_ms"]);
    }
    // Which of two calls at once comes first, and so is the one that writes what both cache, is no
    // count. That all of them together read and wrote as much, the sums of the report tell.
    for share in load["answers"]["shares"].as_array_mut().unwrap() {
        cached_in_sum(&mut share["tokens"]);
        without(share, &["usd"]);
    }
    let findings = report["findings"].as_array_mut().unwrap();
    findings.retain(|finding| !is_of_times(&finding["rule"]));
    for finding in findings {
        without(finding, &["examples"]);
    }
    for rule in report["rules"].as_array_mut().unwrap() {
        without(&mut rule["checked"], &["metrics", "points", "texts"]);
        if is_of_times(&rule["id"]) {
            without(rule, &["findings"]);
        }
    }
    let rows = report["truth"]["rows"].as_array_mut().unwrap();
    for row in &mut *rows {
        without(row, &["exchange", "rules"]);
        cached_in_sum(&mut row["served"]["tokens"]);
        without(&mut row["reported"], &["trace_id", "span_id", "duration_nanos"]);
        cached_in_sum(&mut row["reported"]);
    }
    rows.sort_by_key(Value::to_string);
    report
}

fn without(object: &mut Value, members: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|member, _| !members.contains(&member.as_str()));
    }
}

/// Puts the tokens that were read from a cache and those written to it together.
fn cached_in_sum(tokens: &mut Value) {
    let cached = ["cache_read_input_tokens", "cache_write_input_tokens"];
    let sum: u64 = cached.iter().filter_map(|member| tokens[*member].as_u64()).sum();
    without(tokens, &cached);
    tokens["cached_input_tokens"] = sum.into();
}

#[test]
fn eight_shards_that_share_a_mock_have_every_count_of_one_process() {
    let folder = Folder::new();
    // Prefixes stay cached for five simulated minutes, which is a while at this speed.
    let pace = ["--rate", "800000/day", "--speed", "20x"];
    let ended = load(&folder, "whole", &pace);
    assert_eq!(ended.code, Some(0), "{ended}");
    let mut mock = Elsewhere::mock(
        &folder,
        &["--listen", "127.0.0.1:0", "--seed", "5", "--speed", "20x", "--ledger", "ledger.jsonl"],
    );
    fs::create_dir(folder.path("captures")).unwrap();
    let address = mock.address.clone();
    eight_at_once(&folder, |index| {
        let capture = format!("captures/{index}.otlp");
        let shared = ["--bedrock", &address, "--capture", &capture];
        pace.iter().chain(&shared).map(|argument| (*argument).to_owned()).collect()
    });
    mock.end();
    let merge = ["merge", "shards", "--capture", "captures", "--ledger", "ledger.jsonl"];
    let merged = folder.spanproof(&[&merge[..], &["--report", "json=merged.report"]].concat());
    assert_eq!(merged.code, Some(0), "{merged}");
    let [merged, whole] =
        ["merged.report", "whole.report"].map(|name| every_count(report(&folder, name)));
    assert_ne!(whole["usage"]["served"]["cache_read_input_tokens"], 0);
    for (member, of_whole) in whole.as_object().unwrap() {
        assert_eq!(&merged[member], of_whole, "{member}");
    }
    assert_eq!(merged, whole);

    // How the whole is to be judged is asked of what was captured as a whole.
    let judged = folder.spanproof(&["merge", "shards", "--fail-on", "information"]);
    assert_ends(&judged, 2, &["each shard was judged", "--capture"]);
    let failed = folder.spanproof(&[&merge[..], &["--fail-on", "information"]].concat());
    assert_eq!(failed.code, Some(1), "{failed}");
}

#[test]
fn a_mock_that_is_none_or_another_is_refused() {
    let folder = Folder::new();
    let mut mock = Elsewhere::mock(&folder, &["--listen", "127.0.0.1:0", "--seed", "5"]);
    let mut receiver = Elsewhere::start(&folder, "behind.jsonl");
    let address = mock.address.clone();
    let load = ["load", "--calls", "5", "--bedrock"];
    for (url, more, code, said) in [
        (
            address.as_str(),
            &["--seed", "5"][..],
            2,
            "has --seed 5 and --speed 1x, and this load takes 5 and 1440x",
        ),
        (&address, &["--speed", "1x"], 2, "this load takes 0 and 1x"),
        (&address, &["--faults", "plan.json"], 2, "--faults is for the mock that answers"),
        (&address, &["--ledger", "ledger.jsonl"], 2, "--ledger is for the mock that answers"),
        (&receiver.address, &[], 3, "is no mock of this spanproof"),
        ("127.0.0.1:8080", &[], 3, "`127.0.0.1:8080` is no address of a mock"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", &[], 3, "only http is spoken"),
    ] {
        let ended = folder.spanproof(&[&load[..], &[url], more].concat());
        assert_ends(&ended, code, &[said]);
    }
    // At the same speed it is called, alone as well.
    let same = ["--seed", "5", "--speed", "1x", "--rate", "100/s", "--report", "json=alone.report"];
    let ended = folder.spanproof(&[&load[..], &[&address], &same].concat());
    assert_eq!(ended.code, Some(0), "{ended}");
    let alone = report(&folder, "alone.report");
    assert_eq!((&alone["load"]["completed"], &alone["join"]), (&5.into(), &Value::Null));
    mock.end();
    assert_eq!(receiver.ended(), Some(4), "nothing was sent to it");
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

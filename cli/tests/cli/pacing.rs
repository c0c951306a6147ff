//! How `spanproof load` keeps to its plan, and what it says where it cannot.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::bad_input::assert_ends;
use crate::elsewhere::Elsewhere;
use crate::spanproof::{Folder, report};

/// How many values of a histogram in a result are above `micros`.
fn above(result: &Value, histogram: &str, micros: u64) -> u64 {
    let buckets = result["histograms"][histogram].as_array().unwrap().iter();
    buckets
        .filter(|bucket| bucket[0].as_u64().unwrap() > micros)
        .map(|bucket| bucket[1].as_u64().unwrap())
        .sum()
}

fn result(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.path(name)).unwrap()).unwrap()
}

#[test]
fn a_stall_of_the_service_shows_in_the_response_time_of_all_it_delayed() {
    let folder = Folder::new();
    // 48 simulated minutes are two seconds of real time. The calls of the plan are due within 150 ms.
    let plan = r#"{"rules":[{"fault":"slow-first-byte=48m","call":20,"attempts":1}]}"#;
    fs::write(folder.path("faults.json"), plan).unwrap();
    let ended = folder.spanproof(&[
        "load",
        "--calls",
        "200",
        "--in-flight",
        "1",
        "--faults",
        "faults.json",
        "--result",
        "result.json",
        "--report",
        "json=report.json",
    ]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let result = result(&folder, "result.json");
    assert!(above(&result, "latency", 1_800_000) >= 179, "{ended}");
    assert!(above(&result, "service", 1_800_000) >= 1);
    let load = &report(&folder, "report.json")["load"];
    let median = |times: &str| load[times]["p50"].as_f64().unwrap();
    assert!(median("latency_ms") > 1_800.0 && median("service_ms") < median("latency_ms"));
    // The wait was for room, and that is what the parts of lag say.
    let parts = &load["lag_parts"];
    let of = |part: &str| parts[part]["p50"].as_f64().unwrap();
    assert!(of("room_ms") > of("timer_ms") && of("room_ms") > of("client_ms"), "{parts}");
}

#[test]
fn calls_that_may_not_wait_are_dropped_and_fail_the_run_unless_so_many_may_be_lost() {
    let folder = Folder::new();
    // The mock takes its real time for each call, in which all others come due.
    let load = [
        "load",
        "--calls",
        "50",
        "--in-flight",
        "1",
        "--over-limit",
        "drop",
        "--compress",
        "schedule",
        "--report",
        "json=report.json",
    ];
    let ended = folder.spanproof(&load);
    assert_ends(&ended, 3, &["--max-lost is missed", "calls dropped", "raise --in-flight"]);
    assert!(ended.stderr.contains("was dropped, with 1 calls open"), "{ended}");
    let load_report = &report(&folder, "report.json")["load"];
    let count = |name: &str| load_report[name].as_u64().unwrap_or(0);
    assert!(count("dropped") > 0);
    assert_eq!(count("started") + count("dropped"), 50);
    assert_eq!(count("completed"), count("started"));

    let ended = folder.spanproof(&[&load[..], &["--max-lost", "49"]].concat());
    assert_eq!(ended.code, Some(0), "{ended}");
}

#[test]
fn what_contradicts_itself_or_is_over_is_refused() {
    let folder = Folder::new();
    for (arguments, said) in [
        (vec!["--speed", "max", "--over-limit", "drop"], "--speed max"),
        (vec!["--speed", "max", "--compress", "schedule"], "--compress schedule"),
        (vec!["--start-at", "2001-01-01T00:00:00Z"], "--start-at"),
        (vec!["--start-at", "noon"], "`noon` is no time"),
        (vec!["--catch-up", "some"], "`some` is no catch-up policy"),
        (vec!["--over-limit", "wait"], "`queue` or `drop`"),
        (vec!["--min-achieved", "99"], "`99` is no share"),
        (vec!["--in-flight", "0"], "--in-flight"),
        (vec!["--collector-metrics", "http://127.0.0.1:1/metrics"], "--otlp"),
    ] {
        let ended = folder.spanproof(&[&["load", "--calls", "1"], &arguments[..]].concat());
        assert_ends(&ended, 2, &[said]);
    }
    let ended = folder.spanproof(&["load", "--calls", "1", "--otlp", "https://collector:4317"]);
    assert_ends(&ended, 3, &["https://collector:4317", "only http is spoken"]);
}

#[test]
fn a_result_that_cannot_be_written_fails_the_run_whose_report_is_there() {
    let folder = Folder::new();
    let load = ["load", "--calls", "20", "--speed", "max", "--report", "json=report.json"];
    let nowhere = [&load[..], &["--result", "no/such/folder.json"]].concat();
    assert_ends(&folder.spanproof(&nowhere), 3, &["no/such/folder.json"]);
    // A device on which there is never any room.
    let full = folder.spanproof(&[&load[..], &["--result", "/dev/full"]].concat());
    assert_ends(&full, 3, &["/dev/full"]);
}

#[test]
fn ctrl_c_waits_for_open_calls_and_ctrl_c_twice_does_not() {
    let folder = Folder::new();
    // Every answer takes hours.
    let plan = r#"{"rules":[{"fault":"slow-first-byte=20h"}]}"#;
    fs::write(folder.path("faults.json"), plan).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_spanproof"))
        .args(["load", "--calls", "50", "--compress", "schedule", "--faults", "faults.json"])
        .args(["--report", "json=report.json", "--result", "result.json"])
        .current_dir(folder.path("."))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    // The first line is about progress.
    said.read_line(&mut line).unwrap();
    assert!(line.contains("of 50 calls in"), "{line}");
    kill_process(pid, Signal::INT).unwrap();
    while !line.contains("once more to give them up") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended at the first Ctrl-C");
    }
    kill_process(pid, Signal::INT).unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{rest}");
    assert!(rest.contains("stopped after"), "{rest}");
    assert!(rest.contains("still open when the run was given up"), "{rest}");
    let load = &report(&folder, "report.json")["load"];
    assert_eq!(load["completed"], 0);
    assert_eq!(load["failed"], load["started"]);
    assert_eq!(result(&folder, "result.json")["is_whole"], false);
}

/// Counters of a Collector that grow by `step` from one look to the next.
pub(crate) fn counters(step: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (look, connection) in (0..).zip(listener.incoming()) {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).unwrap();
            let body = format!("otelcol_receiver_accepted_spans_total {}\n", 7 + look * step);
            write!(
                connection,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
        }
    });
    format!("http://{address}")
}

#[test]
fn telemetry_is_passed_on_and_the_books_are_compared_with_who_took_it() {
    let folder = Folder::new();
    let mut behind = Elsewhere::start(&folder, "behind.jsonl");
    let address = behind.address.clone();
    let load = ["load", "--calls", "30", "--speed", "max", "--otlp", &address];
    let all = counters(30);
    let report_of = ["--report", "json=report.json", "--collector-metrics"];
    let ended = folder.spanproof(&[&load[..], &report_of, &[all.as_str()]].concat());
    assert_eq!(ended.code, Some(0), "{ended}");
    let telemetry = &report(&folder, "report.json")["load"]["telemetry"];
    assert_eq!(telemetry["client"]["exported"], 30);
    for receiver in telemetry["receivers"].as_array().unwrap() {
        assert_eq!(receiver["accepted"], 30, "{telemetry}");
    }
    assert_eq!(telemetry["receivers"].as_array().unwrap().len(), 2);

    // One that counts more than was sent does not fit.
    let more = counters(31);
    let ended = folder.spanproof(&[&load[..], &["--collector-metrics", more.as_str()]].concat());
    assert_ends(&ended, 3, &["do not fit together", "31 items arrived", "at most 30 were sent"]);

    behind.end();
    let checked = folder.spanproof(&["check", "behind.jsonl", "--report", "json=check.json"]);
    assert_eq!(report(&folder, "check.json")["telemetry"]["spans"], 60, "{checked}");
}

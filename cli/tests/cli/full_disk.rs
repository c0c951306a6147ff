//! Disks that are full: it is told which file that was and what is lost, and what else there is to tell.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bad_input::assert_ends;
use crate::spanproof::{Folder, report};

/// A folder with files for which there is never any room.
fn without_room(names: &[&str]) -> Folder {
    let folder = Folder::new();
    for name in names {
        symlink("/dev/full", folder.path(name)).unwrap();
    }
    folder
}

const LEDGER: [&str; 2] = ["the ledger full.jsonl lacks ", "No space left on device"];
const CAPTURE: [&str; 2] = ["full.otlp: cannot write the capture", "No space left on device"];

#[test]
fn a_load_tells_which_file_is_full_what_is_lost_and_what_was_done() {
    let folder = without_room(&["full.jsonl", "full.otlp"]);
    let (ledger, capture) = (["--ledger", "full.jsonl"], ["--capture", "full.otlp"]);
    let both = [ledger, capture].concat();
    // Whoever sends is told, and so it is in the books.
    let refused = [&CAPTURE[..], &["spans could not be exported"]].concat();
    for (client, more, said) in [
        ("rust", &ledger[..], &LEDGER[..]),
        ("rust", &capture, &refused),
        ("rust", &both, &[LEDGER, CAPTURE].concat()),
        ("synthetic", &capture, &refused),
    ] {
        let load = ["load", "--calls", "20", "--speed", "max", "--client", client];
        let files = ["--report", "json=report.json", "--result", "result.json"];
        let ended = folder.spanproof(&[&load[..], &files, more].concat());
        assert_ends(&ended, 3, said);
        let report = report(&folder, "report.json");
        assert_eq!(report["load"]["started"], 20, "{ended}");
        assert_eq!(report["verdict"], "not_judged");
        assert!(ended.stdout.contains("received could not all be kept"), "{ended}");
        let result = fs::read_to_string(folder.path("result.json")).unwrap();
        let result: Value = serde_json::from_str(&result).unwrap();
        assert_eq!(result["is_whole"], false);
        let merged = folder.spanproof(&["merge", "result.json"]);
        assert_ends(&merged, 3, &["could not keep its telemetry"]);
    }
}

#[test]
fn servers_and_runs_tell_which_file_is_full() {
    let folder = without_room(&["full.jsonl", "full.otlp"]);
    let mock = ["mock", "--ledger", "full.jsonl", "--until-stdin-ends"];
    assert_ends(&folder.spanproof(&mock), 3, &["the ledger full.jsonl lacks 1 of 1 records"]);
    let receive = ["receive", "--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0"];
    let receive = [&receive[..], &["--out", "full.otlp", "--until-stdin-ends"]].concat();
    assert_ends(&folder.spanproof(&receive), 3, &CAPTURE);
    let run = ["run", "--ledger", "full.jsonl", "--capture", "full.otlp", "--", "true"];
    let said = ["the ledger full.jsonl lacks 1 of 1 records", CAPTURE[0]];
    assert_ends(&folder.spanproof(&run), 3, &said);
}

#[test]
fn files_that_found_room_for_a_part_are_told_with_how_much_they_lack() {
    let folder = Folder::new();
    // No file may have more than 64 blocks, of which each has at most a kibibyte.
    let ended = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_spanproof"))
        .args(["load", "--calls", "400", "--speed", "max", "--ledger", "ledger.jsonl"])
        .args(["--capture", "capture.otlp"])
        .current_dir(folder.path("."))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(3), "{said}");
    let (_, told) = said.split_once("the ledger ledger.jsonl lacks ").unwrap();
    let numbers: Vec<usize> =
        told.split(' ').filter_map(|word| word.parse().ok()).take(2).collect();
    let ledger = fs::read_to_string(folder.path("ledger.jsonl")).unwrap();
    let kept = ledger.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
    assert!(ledger.ends_with('\n') && kept == ledger.lines().count(), "whole records alone");
    assert!(kept > 1 && numbers[0] > 0, "{said}");
    assert_eq!(kept, numbers[1] - numbers[0], "{said}");
    // A capture that fails in the middle has acknowledged what was to be written then.
    assert!(said.contains("capture.otlp: cannot write the capture: File too large"), "{said}");
    assert!(said.contains(" requests with telemetry that were taken, up to "), "{said}");
}

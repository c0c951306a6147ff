//! Plans of load, as a user looks at them, writes them and splits them.

use std::fs;

use crate::bad_input::assert_ends;
use crate::spanproof::{Folder, report};

/// A plan with all that can be said of when calls are made.
const BURSTY: [&str; 14] = [
    "load",
    "--plan-only",
    "--seed",
    "3",
    "--rate",
    "1000/h",
    "--for",
    "2h",
    "--arrival",
    "gamma:0.5",
    "--tenants",
    "5",
    "--ramp",
    "10m",
];

/// The hash in what `--plan-only` prints.
fn hash(stdout: &str) -> Option<&str> {
    stdout.lines().find_map(|line| line.strip_prefix("hash")).map(str::trim)
}

#[test]
fn a_plan_is_shown_and_written_and_no_call_is_made() {
    let folder = Folder::new();
    let shown = folder.spanproof(&BURSTY);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert_eq!(shown.stderr, "");
    insta::assert_snapshot!(shown.stdout);

    let written = folder.spanproof(&[&BURSTY[..], &["--plan-out", "plan.jsonl"]].concat());
    assert_eq!(written.stdout, shown.stdout);
    let lines = fs::read_to_string(folder.path("plan.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 1_917);
    let made: Vec<_> = fs::read_dir(folder.path(".")).unwrap().collect();
    assert_eq!(made.len(), 1, "{made:?}");

    let table = folder.spanproof(&[&BURSTY[..], &["--plan-out", "plan.parquet"]].concat());
    assert_eq!(table.stdout, shown.stdout);
    let table = fs::read(folder.path("plan.parquet")).unwrap();
    assert!(table.starts_with(b"PAR1") && table.ends_with(b"PAR1"));
    assert!(table.len() < lines.len());
}

#[test]
fn a_scenario_of_the_user_extends_one_of_ours() {
    let folder = Folder::new();
    let scenario = "extends: streaming\ndescription: Streams that never fail.\nfaults: []\n";
    fs::write(folder.path("mine.yaml"), scenario).unwrap();
    let ended = folder.spanproof(&["load", "--plan-only", "--scenario", "mine.yaml"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stdout.contains("faults        0.0 %"), "{ended}");
    assert!(ended.stdout.contains("ConverseStream"), "{ended}");

    fs::write(folder.path("wrong.yaml"), "extends: streaming\ncolour: blue\n").unwrap();
    let wrong = folder.spanproof(&["load", "--scenario", "wrong.yaml"]);
    assert_ends(&wrong, 2, &["wrong.yaml", "colour"]);
    let missing = folder.spanproof(&["load", "--scenario", "none.yaml"]);
    assert_ends(&missing, 3, &["none.yaml"]);
}

#[test]
fn help_and_guide_name_every_scenario() {
    let help = Folder::new().spanproof(&["load", "--help"]).stdout;
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/load.md");
    let guide = fs::read_to_string(guide).unwrap();
    for scenario in loadgen::Scenario::names() {
        assert!(help.contains(scenario), "{scenario} is not in:\n{help}");
        assert!(guide.contains(&format!("| `{scenario}` |")), "{scenario} is not in the guide");
    }
}

#[test]
fn every_scenario_runs_without_a_finding() {
    for scenario in loadgen::Scenario::names() {
        let folder = Folder::new();
        let ended =
            folder.spanproof(&["load", "--scenario", scenario, "--calls", "60", "--speed", "max"]);
        assert_eq!(ended.code, Some(0), "{scenario}: {ended}");
    }
}

#[test]
fn the_longest_prompt_is_told_as_it_is() {
    let trace = "0,120000,5\n1,7,5\n";
    let folder = Folder::new();
    fs::write(folder.path("trace.csv"), trace).unwrap();
    let ended = folder.spanproof(&["load", "--plan-only", "--arrival", "replay:trace.csv"]);
    assert!(ended.stdout.contains("120000 at most"), "{ended}");
}

#[test]
fn a_plan_that_cannot_be_written_is_told() {
    let folder = Folder::new();
    let arguments = [&BURSTY[..], &["--plan-out", "no/such/folder/plan.jsonl"]].concat();
    assert_ends(&folder.spanproof(&arguments), 3, &["no/such/folder/plan.jsonl"]);
}

#[test]
fn the_pods_of_an_indexed_job_have_the_plan_between_them() {
    let folder = Folder::new();
    let whole = folder.spanproof(&[&BURSTY[..], &["--plan-out", "whole.jsonl"]].concat());
    let whole_lines = fs::read_to_string(folder.path("whole.jsonl")).unwrap();
    let mut lines = Vec::new();
    for index in ["0", "1", "2"] {
        let of_job = [("JOB_COMPLETION_INDEX", index), ("SHARD_COUNT", "3")];
        let arguments = [&BURSTY[..], &["--plan-out", "part.jsonl"]].concat();
        let part = folder.spanproof_where(&of_job, &arguments);
        assert_eq!(part.code, Some(0), "{part}");
        assert!(part.stdout.contains(&format!("shard {index}/3")), "{part}");
        assert_ne!(hash(&part.stdout), hash(&whole.stdout));
        let part = fs::read_to_string(folder.path("part.jsonl")).unwrap();
        lines.extend(part.lines().map(str::to_owned));
    }
    lines.sort();
    let mut expected: Vec<&str> = whole_lines.lines().collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);

    let uncounted = folder.spanproof_where(&[("JOB_COMPLETION_INDEX", "0")], &BURSTY);
    assert_ends(&uncounted, 2, &["SHARD_COUNT", "--shard"]);
    let given = [&BURSTY[..], &["--shard", "0/1"]].concat();
    let given = folder.spanproof_where(&[("JOB_COMPLETION_INDEX", "0")], &given);
    assert_eq!(given.stdout, whole.stdout);
}

#[test]
fn a_shard_of_a_replayed_trace_is_run() {
    let folder = Folder::new();
    let trace = "timestamp,tokens_in,tokens_out\n0,50,20\n7,90,20\n60000,10,5\n60001,30,9\n";
    fs::write(folder.path("trace.csv"), trace).unwrap();
    let ended = folder.spanproof(&[
        "load",
        "--arrival",
        "replay:trace.csv",
        "--replay-speed",
        "100x",
        "--replay-idle",
        "1s",
        "--shard",
        "1/2",
        "--plan-out",
        "plan.jsonl",
        "--report",
        "json=report.json",
    ]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(report(&folder, "report.json")["load"]["completed"], 2);
    let plan = fs::read_to_string(folder.path("plan.jsonl")).unwrap();
    let planned = |nanos: u64| plan.contains(&format!("\"planned_nanos\":{nanos},"));
    assert!(planned(70_000_000) && planned(1_080_000_000), "{plan}");
}

#[test]
fn a_trace_that_cannot_be_replayed_is_told_with_its_line() {
    let folder = Folder::new();
    fs::write(folder.path("trace.csv"), "0,50,20\n7,many,20\n").unwrap();
    let replay = ["load", "--arrival", "replay:trace.csv"];
    assert_ends(&folder.spanproof(&replay), 3, &["trace.csv", "line 2", "`many`"]);
    let missing = ["load", "--arrival", "replay:none.csv"];
    assert_ends(&folder.spanproof(&missing), 3, &["none.csv"]);
}

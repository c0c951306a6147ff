//! Expected deviations and the baseline: what is said when they no longer hold.

#![expect(clippy::unwrap_used, reason = "it is a test")]

use std::fs;

use crate::bad_input::assert_ends;
use crate::reports::capture;
use crate::spanproof::{Ended, Folder, report};

/// The verdict, and the parts of the report about what is expected.
fn told(ended: &Ended) -> String {
    let told = ["conforms", "does not conform", "error ", "expected "];
    let parts = ended.stdout.split("\n\n");
    let own = parts.filter(|part| told.iter().any(|start| part.starts_with(start)));
    own.map(|part| part.trim_end().to_owned() + "\n").collect::<Vec<_>>().join("\n")
}

fn configured(entries: &str) -> Folder {
    let folder = Folder::new();
    capture(&folder);
    fs::write(folder.path("spanproof.toml"), entries).unwrap();
    folder
}

const CHECK: [&str; 4] = ["check", "capture.jsonl", "--today", "2026-11-26"];

#[test]
fn a_deviation_that_is_expected_fails_nothing_and_is_shown() {
    let folder = configured(
        "[[expected-deviations]]\n\
         rule = \"naming/span-name\"\n\
         reason = \"names are ours until 2.0, see issue 12\"\n\
         span = \"ask *\"\n\
         count = 1\n\
         expires = 2026-11-26\n",
    );
    let ended = folder.spanproof(&CHECK);
    assert_ends(&ended, 0, &[]);
    insta::assert_snapshot!(told(&ended));
}

#[test]
fn what_no_longer_holds_fails_and_says_where_and_what_to_do() {
    let folder = configured(
        "# What we know.\n\n\
         [[expected-deviations]]\n\
         rule = \"naming/span-name\"\n\
         reason = \"names are ours\"\n\
         expires = 2026-11-25\n\n\
         [[expected-deviations]]\n\
         rule = \"usage/*\"\n\
         reason = \"cached tokens are left out\"\n\n\
         [[expected-deviations]]\n\
         rule = \"presence/*\"\n\
         attribute = \"gen_ai.respons.*\"\n\
         reason = \"mistyped\"\n\n\
         [[expected-deviations]]\n\
         rule = \"*/span-name\"\n\
         reason = \"taken above\"\n\n\
         [[expected-deviations]]\n\
         rule = \"presence/recommended-attribute\"\n\
         attribute = \"server.address\"\n\
         count = 3\n\
         reason = \"two of them are mended\"\n\n\
         [[expected-deviations]]\n\
         rule = \"presence/*\"\n\
         count = { min = 0, max = 0 }\n\
         reason = \"none\"\n",
    );
    let ended = folder.spanproof(&CHECK);
    assert_ends(&ended, 2, &["spanproof.toml:27", "no count fits"]);
    let text = fs::read_to_string(folder.path("spanproof.toml")).unwrap();
    fs::write(folder.path("spanproof.toml"), text.replace("max = 0", "max = 1")).unwrap();
    let ended = folder.spanproof(&CHECK);
    assert_ends(&ended, 1, &[]);
    insta::assert_snapshot!(told(&ended));
}

#[test]
fn more_than_is_expected_is_not_expected() {
    let folder = configured(
        "[[expected-deviations]]\n\
         rule = \"*\"\n\
         reason = \"one thing is known\"\n\
         count = { max = 1 }\n",
    );
    let ended = folder.spanproof(&CHECK);
    assert_ends(&ended, 1, &[]);
    insta::assert_snapshot!(told(&ended));
    assert!(ended.stdout.contains("violation naming/span-name"), "{ended}");
}

#[test]
fn a_part_of_a_run_lets_pass_what_is_not_met_and_nothing_that_is_more() {
    let folder = configured(
        "[rules]\n\
         \"naming/span-name\" = \"information\"\n\n\
         [[expected-deviations]]\n\
         rule = \"usage/*\"\n\
         reason = \"found in other tests\"\n",
    );
    assert_ends(&folder.spanproof(&CHECK), 1, &[]);
    let partial = [&CHECK[..], &["--partial"]].concat();
    assert_ends(&folder.spanproof(&partial), 0, &[]);
}

#[test]
fn an_entry_that_cannot_hold_is_a_usage_error_that_names_its_line() {
    let entry = |lines: &str| {
        format!("\n[[expected-deviations]]\nrule = \"usage/*\"\nreason = \"x\"\n{lines}\n")
    };
    for (text, says) in [
        (entry("scop = \"x\""), &["spanproof.toml", "scop", "`scope`"][..]),
        (entry("expires = \"soon\""), &["spanproof.toml", "expires"]),
        (entry("expires = 2026-12-31T00:00:00Z"), &["2026-12-31"]),
        (entry("count = 0"), &["spanproof.toml:2", "remove the entry"]),
        (entry("count = \"many\""), &["a count is a number, or a table of `min` and `max`"]),
        (entry("scope = \"\""), &["spanproof.toml:2", "`scope` is empty"]),
        (entry("").replace("usage/*", "usage/none"), &["spanproof.toml:2", "spanproof rules"]),
        (entry("").replace("\"x\"", "\" \""), &["spanproof.toml:2", "say why"]),
        (entry("").replace("reason = \"x\"", ""), &["spanproof.toml", "missing field `reason`"]),
        (
            entry("").replace("usage/*", "naming/span-name")
                + "[rules]\n\"naming/span-name\" = \"off\"\n",
            &["spanproof.toml:2", "is off"],
        ),
    ] {
        assert_ends(&configured(&text).spanproof(&CHECK), 2, says);
    }
}

#[test]
fn a_baseline_is_written_once_and_holds_until_something_changes() {
    let folder = configured("");
    let with = |more: &[&str]| {
        let mut arguments = CHECK.to_vec();
        arguments.extend(["--fail-on", "improvement", "--baseline", "baseline.json"]);
        arguments.extend(more);
        folder.spanproof(&arguments)
    };
    assert_ends(&with(&[]), 2, &["baseline.json", "--update-baseline writes one"]);
    assert_ends(&with(&["--update-baseline"]), 0, &["wrote the baseline baseline.json"]);
    let written = fs::read_to_string(folder.path("baseline.json")).unwrap();
    insta::assert_snapshot!(written);

    let held = with(&["--report", "json=report.json"]);
    assert_ends(&held, 0, &[]);
    insta::assert_snapshot!(told(&held));
    assert_eq!(report(&folder, "report.json")["findings"].as_array().unwrap().len(), 1);

    let counts = written.replace("\"count\":1}", "\"count\":2}");
    fs::write(folder.path("baseline.json"), counts).unwrap();
    let fewer = with(&[]);
    assert_ends(&fewer, 1, &[]);
    insta::assert_snapshot!(told(&fewer));
    assert_ends(&with(&["--partial"]), 0, &[]);

    // A line is gone, so what it counted is new.
    let lines = written.lines().filter(|line| !line.contains("naming/span-name"));
    let lines = lines.collect::<Vec<_>>().join("\n");
    fs::write(folder.path("baseline.json"), lines).unwrap();
    let new = with(&[]);
    assert_ends(&new, 1, &[]);
    assert!(new.stdout.contains("violation naming/span-name"), "{new}");

    fs::write(folder.path("baseline.json"), &written).unwrap();
    let mut lax = CHECK.to_vec();
    lax.extend(["--baseline", "baseline.json"]);
    assert_ends(&folder.spanproof(&lax), 2, &["--fail-on improvement", "--update-baseline"]);
    assert_ends(&folder.spanproof(&["check", "x", "--update-baseline"]), 2, &["--baseline FILE"]);
    fs::write(folder.path("baseline.json"), "[]").unwrap();
    assert_ends(&with(&[]), 2, &["baseline.json is not a baseline"]);
}

#[test]
fn a_baseline_is_not_written_of_a_run_that_broke_off_or_captured_nothing() {
    let folder = Folder::new();
    fs::write(folder.path("spanproof.toml"), "baseline = \"baseline.json\"\n").unwrap();
    fs::write(folder.path("empty.jsonl"), "{\"resourceSpans\":[]}\n").unwrap();
    assert_ends(&folder.spanproof(&["check", "empty.jsonl", "--update-baseline"]), 4, &[]);
    assert_ends(&folder.spanproof(&["run", "--update-baseline", "--", "false"]), 3, &[]);
    assert!(!folder.path("baseline.json").exists());
    let load = ["load", "--calls", "3", "--update-baseline"];
    assert_ends(&folder.spanproof(&load), 0, &["0 findings of 0 kinds"]);
    assert_ends(&folder.spanproof(&["load", "--calls", "3"]), 0, &[]);
}

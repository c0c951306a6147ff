//! What is expected to be found.

use std::fmt::Write as _;

use spanproof_schemas::report::Report;

use super::escape::{code, prose};
use crate::report::expected::{
    self, all_held, baselines, count, entries, of_kinds, taken, why, written,
};
use crate::report::number::counted;

/// What no longer holds.
pub(super) fn broken(report: &Report) -> String {
    let mut out = String::new();
    for (deviation, problem) in expected::broken(report) {
        if out.is_empty() {
            out.push_str("\n## Expected deviations that no longer hold\n\n");
        }
        let _ = writeln!(out, "- {}: {}", code(&written(deviation)), prose(problem));
    }
    out
}

/// What was found and is expected.
pub(super) fn held(report: &Report) -> String {
    let findings = all_held(report);
    if findings == 0 {
        return String::new();
    }
    let mut out = format!(
        "\n<details><summary>{}</summary>\n\n\
         | written in | takes | found | reason |\n| --- | --- | --- | --- |\n",
        counted(findings, "expected finding"),
    );
    for deviation in entries(report) {
        let place = code(&written(deviation));
        let (taken, why) = (code(&taken(deviation)), prose(&why(deviation)));
        let _ = writeln!(out, "| {place} | {taken} | {} | {why} |", count(deviation));
    }
    for (file, found) in baselines(report) {
        let found = of_kinds(found);
        let _ = writeln!(out, "| {} | what was there before | {found} | |", code(file));
    }
    out.push_str("\n</details>\n");
    out
}

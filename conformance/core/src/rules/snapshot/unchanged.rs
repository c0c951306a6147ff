use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::snapshot::{Change, Snapshot};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "snapshot/unchanged",
    summary: "the telemetry is that of the snapshot",
    level: Level::Violation,
    basis: Basis::Policy,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The telemetry of the run against the file that `--snapshot` names: spans \
            as trees, events, log records, metrics, attributes with their values and types. Ids, \
            times, ports, versions of software and the order of arrival are left out. Each place \
            where the two differ is a finding. A snapshot that is not there is one, too. Nothing is \
            checked without `--snapshot`.",
        why: "A rule judges what telemetry says; whoever builds charts and alerts on it wants it to \
            stay what it was. A changed line shows in review what a change of the instrumentation, \
            or of a library below it, does to them.",
        example: "A new version of the SDK states `gen_ai.usage.input_tokens` as a string, or a span \
            that was the child of the caller's span is a root.",
        how_to_mend: "Look at the difference. If it is meant, run the same command with \
            `--update-snapshot` and commit the file.",
    },
    checks: &[Check::Snapshot(check)],
};

fn check(snapshot: &Snapshot) -> Vec<Finding> {
    if snapshot.is_missing {
        let finding = Finding::new("there is no snapshot yet")
            .expected(snapshot.path.as_str())
            .actual("no such file; --update-snapshot writes it");
        return vec![finding];
    }
    let findings = snapshot.changes.iter().map(|change| finding(&snapshot.path, change));
    findings.collect()
}

fn finding(path: &str, change: &Change) -> Finding {
    Finding::new("the telemetry differs from the snapshot")
        .attribute(format!("{path}:{}", change.line))
        .expected(told(&change.before))
        .actual(told(&change.after))
}

/// Lines on one: the first, and how many there are beside it.
fn told(lines: &[String]) -> String {
    match lines {
        [] => "nothing here".to_owned(),
        [line] => line.trim().to_owned(),
        [line, others @ ..] => format!("{} (and {} more)", line.trim(), others.len()),
    }
}

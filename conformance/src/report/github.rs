//! Workflow commands of GitHub Actions: findings as annotations on the run and its pull request.

use std::fmt::Write as _;

use spanproof_schemas::report::{Example, FindingGroup, Level, Report, Verdict};

use super::expected::{self, count, of_kinds, why};
use super::headline::headline;
use super::load;
use super::number::{counted, grouped};
use super::place::{place, rule};
use super::text::{shortened, visible};

/// How many annotations of each kind GitHub shows of one step; it drops the rest without a word.
const MOST: usize = 10;

/// The columns of a value in an annotation, which shows a few lines.
const LONGEST: usize = 120;

/// An annotation.
struct Annotation<'a> {
    /// Where it stands on the changes of a pull request: a file and its line.
    place: Option<(&'a str, u64)>,
    title: &'a str,
    message: String,
    /// How many findings it is about.
    count: u64,
}

/// The findings, and what is expected of them, as workflow commands, one line each.
#[must_use]
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    for level in [Level::Violation, Level::Improvement, Level::Information] {
        let groups = report.findings.iter().filter(|group| group.level == level);
        let findings = groups.map(|group| Annotation {
            place: None,
            title: &group.rule,
            message: message(report, group),
            count: group.count,
        });
        let all: Vec<Annotation<'_>> = match level {
            Level::Violation => broken(report).chain(findings).collect(),
            Level::Improvement => findings.collect(),
            Level::Information => findings.chain(held(report)).collect(),
        };
        annotate(&mut out, level, &all);
    }
    for gate in report.load.iter().flat_map(|load| &load.gates).filter(|gate| !gate.is_met) {
        let message = load::gate(gate);
        let title = &gate.name;
        command(&mut out, "error", &Annotation { place: None, title, message, count: 0 });
    }
    match report.verdict {
        Verdict::NothingCaptured => {
            let message = headline(report);
            command(
                &mut out,
                "error",
                &Annotation { place: None, title: "spanproof", message, count: 0 },
            );
        }
        Verdict::Conforms | Verdict::NotJudged | Verdict::Findings => {
            let _ = writeln!(out, "spanproof {}", visible(&headline(report)));
        }
    }
    out
}

fn annotate(out: &mut String, level: Level, all: &[Annotation<'_>]) {
    // The last place is for what is left out.
    let shown = if all.len() > MOST { MOST - 1 } else { all.len() };
    for annotation in &all[..shown] {
        command(out, kind(level), annotation);
    }
    let further = all.len() - shown;
    if further > 0 {
        let count = all[shown..].iter().fold(0, |sum: u64, one| sum.saturating_add(one.count));
        let message = format!(
            "and {further} more of these, with {}; see the report of the run",
            counted(count, "finding"),
        );
        command(out, kind(level), &Annotation { place: None, title: "spanproof", message, count });
    }
}

/// What no longer holds of what is expected.
fn broken(report: &Report) -> impl Iterator<Item = Annotation<'_>> {
    expected::broken(report).map(|(deviation, problem)| Annotation {
        place: Some((&deviation.file, deviation.line)),
        title: "spanproof",
        message: visible(problem),
        count: deviation.found,
    })
}

/// What is expected and was found.
fn held(report: &Report) -> impl Iterator<Item = Annotation<'_>> {
    let entries = expected::entries(report).map(|deviation| Annotation {
        place: Some((&deviation.file, deviation.line)),
        title: &deviation.rule,
        message: visible(&format!("expected ({}): {}", count(deviation), why(deviation))),
        count: deviation.found,
    });
    let baselines = expected::baselines(report).into_iter();
    entries.chain(baselines.map(|(file, found)| Annotation {
        place: None,
        title: "spanproof",
        message: format!("expected: {}, as {} counts them", of_kinds(found), visible(file)),
        count: found.0,
    }))
}

fn kind(level: Level) -> &'static str {
    match level {
        Level::Violation => "error",
        Level::Improvement => "warning",
        Level::Information => "notice",
    }
}

fn message(report: &Report, group: &FindingGroup) -> String {
    let mut lines = vec![format!("{} ({}×)", visible(&group.message), grouped(group.count))];
    if let Some(example) = group.examples.first() {
        lines.push(seen(example));
    }
    if let Some(rule) = rule(report, group) {
        lines.push(format!("How to mend: {}", rule.how_to_mend));
    }
    lines.join("\n")
}

fn seen(example: &Example) -> String {
    let mut parts = Vec::new();
    if let Some(attribute) = &example.attribute {
        parts.push(visible(attribute));
    }
    for (label, value) in [("expected", &example.expected), ("actual", &example.actual)] {
        if let Some(value) = value {
            parts.push(format!("{label} {}", shortened(value, LONGEST)));
        }
    }
    if let Some(name) = &example.subject.span_name {
        parts.push(format!("\"{}\"", visible(name)));
    }
    let found = place(&example.subject);
    parts.extend(found.iter().map(|(label, value)| format!("{label} {}", visible(value))));
    format!("Seen: {}", parts.join(", "))
}

fn command(out: &mut String, kind: &str, annotation: &Annotation<'_>) {
    let Annotation { place, title, message, .. } = annotation;
    let mut properties = format!("title={}", property(title));
    if let Some((file, line)) = place {
        properties = format!("file={},line={line},{properties}", property(file));
    }
    let _ = writeln!(out, "::{kind} {properties}::{}", escaped(message));
}

fn property(text: &str) -> String {
    escaped(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}

/// What the runner turns back.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

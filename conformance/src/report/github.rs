//! Workflow commands of GitHub Actions: findings as annotations on the run and its pull request.

use std::fmt::Write as _;

use spanproof_schemas::report::{Example, FindingGroup, Level, Report, Verdict};

use super::headline::headline;
use super::number::{counted, grouped};
use super::place::{place, rule};
use super::text::{shortened, visible};

/// How many annotations of each kind GitHub shows of one step; it drops the rest without a word.
const MOST: usize = 10;

/// The columns of a value in an annotation, which shows a few lines.
const LONGEST: usize = 120;

/// The findings as workflow commands, one line each.
#[must_use]
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    for level in [Level::Violation, Level::Improvement, Level::Information] {
        let groups: Vec<&FindingGroup> =
            report.findings.iter().filter(|group| group.level == level).collect();
        // The last place is for what is left out.
        let shown = if groups.len() > MOST { MOST - 1 } else { groups.len() };
        for group in &groups[..shown] {
            command(&mut out, kind(level), &group.rule, &message(report, group));
        }
        let further = groups.len() - shown;
        if further > 0 {
            let rest =
                groups[shown..].iter().fold(0, |sum: u64, group| sum.saturating_add(group.count));
            let text = format!(
                "and {further} more kinds of finding, {} in all; see the report of the run",
                counted(rest, level.as_str()),
            );
            command(&mut out, kind(level), "spanproof", &text);
        }
    }
    match report.verdict {
        Verdict::NothingCaptured => command(&mut out, "error", "spanproof", &headline(report)),
        Verdict::Conforms | Verdict::Findings => {
            let _ = writeln!(out, "spanproof {}", visible(&headline(report)));
        }
    }
    out
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

fn command(out: &mut String, kind: &str, title: &str, message: &str) {
    let title = escaped(title).replace(':', "%3A").replace(',', "%2C");
    let _ = writeln!(out, "::{kind} title={title}::{}", escaped(message));
}

/// What the runner turns back.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

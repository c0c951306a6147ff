//! What was found, rule by rule: one example drawn in its trace, then why it matters and how to mend
//! it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use spanproof_schemas::report::{Example, FindingGroup, Level, Report, Subject};

use super::paint;
use crate::report::Style;
use crate::report::number::grouped;
use crate::report::place::{by_rule, excerpt, place, rule};
use crate::report::text::{WIDTH, columns, shortened, titled, wrapped};
use crate::report::tree::tree;

/// How many examples of a group are shown at most; more are in the JSON report.
const EXAMPLES: usize = 3;
/// Where messages stand.
const INDENT: usize = 2;
/// Where examples stand.
const INNER: usize = 4;
/// Where values stand, behind their titles.
const VALUE: usize = 15;

pub(super) fn findings(report: &Report, style: Style) -> String {
    let mut drawn = BTreeSet::new();
    by_rule(&report.findings)
        .into_iter()
        .map(|groups| of_rule(report, groups, style, &mut drawn))
        .collect()
}

/// The traces drawn so far, by trace and span: what was found on one span is not drawn again.
type Drawn<'a> = BTreeSet<(&'a str, &'a str)>;

fn of_rule<'a>(
    report: &'a Report,
    groups: &'a [FindingGroup],
    style: Style,
    drawn: &mut Drawn<'a>,
) -> String {
    let Some(first) = groups.first() else { return String::new() };
    let colour = match first.level {
        Level::Violation => "31",
        Level::Improvement => "33",
        Level::Information => "36",
    };
    let level = paint(first.level.as_str(), colour, style);
    let name = paint(&shortened(&first.rule, 60), "1", style);
    let mut out = format!("\n{level} {name}\n");
    for group in groups {
        let message = format!("{} ({}×)", group.message, grouped(group.count));
        out.push_str(&wrapped(&message, INDENT));
        if let Some((example, others)) = group.examples.split_first() {
            out.push_str(&of_example(report, example, style, drawn));
            out.push_str(&further(example, others, group.count.saturating_sub(1)));
        }
    }
    if let Some(rule) = rule(report, first) {
        out.push_str(&titled("why", &rule.why, INDENT, VALUE));
        out.push_str(&titled("how to mend", &rule.how_to_mend, INDENT, VALUE));
    }
    let more = format!("spanproof explain {}", shortened(&first.rule, 40));
    out.push_str(&titled("more", &more, INDENT, VALUE));
    out
}

fn of_example<'a>(
    report: &'a Report,
    example: &'a Example,
    style: Style,
    drawn: &mut Drawn<'a>,
) -> String {
    let mut out = String::new();
    if let Some(name) = &example.subject.span_name {
        let _ = writeln!(out, "{:INNER$}\"{}\"", "", shortened(name, WIDTH - INNER - 2));
    }
    out.push_str(&looked_up(&example.subject));
    out.push_str(&drawing(report, example, style, drawn));
    out + &values(example)
}

/// Where to look the example up: as many parts on a line as fit, and none broken, so that each line
/// begins with a label.
fn looked_up(subject: &Subject) -> String {
    let room = WIDTH - INNER;
    let mut lines: Vec<String> = Vec::new();
    for (label, value) in place(subject) {
        let part = shortened(&format!("{label} {value}"), room);
        match lines.last_mut() {
            Some(line) if columns(line) + 2 + columns(&part) <= room => {
                line.push_str(", ");
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    let margin = " ".repeat(INNER);
    lines.iter().flat_map(|line| [&margin, line.as_str(), "\n"]).collect()
}

/// Examples that say something else than the first, one line each, and how many there are beside.
fn further(first: &Example, others: &[Example], count: u64) -> String {
    let values = |example: &Example| {
        let Example { attribute, expected, actual, .. } = example.clone();
        (attribute, expected, actual)
    };
    let mut shown: Vec<&Example> = Vec::new();
    for other in others {
        let is_new = |known: &&Example| values(known) != values(other);
        if values(other) == (None, None, None) {
            continue;
        }
        if shown.len() + 1 < EXAMPLES && [first].iter().chain(&shown).all(is_new) {
            shown.push(other);
        }
    }
    let mut out = String::new();
    for example in &shown {
        let mut parts = Vec::new();
        let attribute = example.attribute.clone().filter(|at| Some(at) != first.attribute.as_ref());
        for (title, value) in
            [("at", &attribute), ("expected", &example.expected), ("actual", &example.actual)]
        {
            if let Some(value) = value {
                parts.push(format!("{title} {}", shortened(value, 60)));
            }
        }
        let line = shortened(&format!("also {}", parts.join(", ")), WIDTH - INNER);
        let _ = writeln!(out, "{:INNER$}{line}", "");
    }
    let rest = count.saturating_sub(shown.len() as u64);
    if rest > 0 {
        let _ = writeln!(out, "{:INNER$}and {} more", "", grouped(rest));
    }
    out
}

fn drawing<'a>(
    report: &'a Report,
    example: &'a Example,
    style: Style,
    drawn: &mut Drawn<'a>,
) -> String {
    let (Some(excerpt), Some(marked)) = (excerpt(report, example), &example.subject.span_id) else {
        return String::new();
    };
    // A span alone says no more than its name.
    if excerpt.spans.len() < 2 || !drawn.insert((&excerpt.trace_id, marked)) {
        return String::new();
    }
    let lines = tree(excerpt, marked, WIDTH - INNER - 2);
    let mut out = String::new();
    for line in lines {
        let text = if line.is_marked { paint(&line.text, "1", style) } else { line.text };
        let _ = writeln!(out, "{:INNER$}  {text}", "");
    }
    out
}

fn values(example: &Example) -> String {
    let values =
        [("at", &example.attribute), ("expected", &example.expected), ("actual", &example.actual)];
    let mut out = String::new();
    for (title, value) in values {
        if let Some(value) = value {
            let value = shortened(value, WIDTH - INNER - 11);
            let _ = writeln!(out, "{:INNER$}  {title:<9}{value}", "");
        }
    }
    out
}

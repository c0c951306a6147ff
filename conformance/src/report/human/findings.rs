//! What was found, with examples.

use std::cmp::Reverse;
use std::fmt::Write as _;

use spanproof_schemas::report::{Example, FindingGroup, Level, Subject};

use crate::report::Style;
use crate::report::number::grouped;
use crate::report::text::{WIDTH, shortened, wrapped};

/// How many examples of a group are shown; the rest are in the JSON report.
const EXAMPLES: usize = 3;
const NAME: usize = 30;
const INDENT: usize = 4;

pub(super) fn findings(groups: &[FindingGroup], style: Style) -> String {
    let mut groups: Vec<&FindingGroup> = groups.iter().collect();
    groups.sort_by_key(|group| Reverse(group.level));
    let mut out = String::new();
    for group in &groups {
        out.push('\n');
        let colour = match group.level {
            Level::Violation => "31",
            Level::Improvement => "33",
            Level::Information => "36",
        };
        let level = paint(group.level.as_str(), colour, style);
        let rule = paint(&shortened(&group.rule, 60), "1", style);
        let _ = writeln!(out, "{level} {rule} ({}×)", grouped(group.count));
        out.push_str(&wrapped(&group.message, 2));
        for example in group.examples.iter().take(EXAMPLES) {
            out.push_str(&describe(example));
        }
    }
    if let Some(worst) = groups.first() {
        out.push_str("\nwhat a rule asks for, why, and how to fix it: spanproof explain ");
        out.push_str(&shortened(&worst.rule, 40));
        out.push('\n');
    }
    out
}

/// `text` between the escape sequences of `colour`, where the style has colours.
pub(super) fn paint(text: &str, colour: &str, style: Style) -> String {
    match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
    }
}

fn describe(example: &Example) -> String {
    let mut out = wrapped(&place(&example.subject), INDENT);
    let mut facts = Vec::new();
    if let Some(attribute) = &example.attribute {
        facts.push(shortened(attribute, 60));
    }
    for (name, value) in [("expected", &example.expected), ("actual", &example.actual)] {
        if let Some(value) = value {
            facts.push(format!("{name} {}", shortened(value, WIDTH - INDENT - 12)));
        }
    }
    let line = match (&example.attribute, facts.as_slice()) {
        (Some(_), [attribute, rest @ ..]) if !rest.is_empty() => {
            format!("{attribute}: {}", rest.join(", "))
        }
        _ => facts.join(", "),
    };
    let room = WIDTH - INDENT - 2;
    if line.chars().count() <= room {
        if !line.is_empty() {
            let _ = writeln!(out, "{:INDENT$}  {line}", "");
        }
    } else {
        for fact in facts {
            let _ = writeln!(out, "{:INDENT$}  {fact}", "");
        }
    }
    out
}

/// Where to look: whichever of its fields a subject has.
fn place(subject: &Subject) -> String {
    let mut parts = Vec::new();
    if let Some(name) = &subject.span_name {
        parts.push(format!("\"{}\"", shortened(name, NAME)));
    }
    for (label, value) in [
        ("metric", &subject.metric),
        ("event", &subject.event),
        ("trace", &subject.trace_id),
        ("span", &subject.span_id),
    ] {
        if let Some(value) = value {
            parts.push(format!("{label} {}", shortened(value, 60)));
        }
    }
    if let Some(exchange) = subject.exchange {
        parts.push(format!("ledger sequence {exchange}"));
    }
    // Trace and span say more exactly where to look.
    if let (Some(scope), None) = (&subject.scope, &subject.span_id) {
        parts.push(format!("scope {}", shortened(scope, 60)));
    }
    parts.join(", ")
}

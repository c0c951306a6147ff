//! `spanproof semconv diff A B`

use std::fmt::Write as _;

use spanproof_schemas::semconv::{Change, ChangeKind, Detail, Diff, Signal, Version};

use super::Form;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::output;

/// How wide lines may be.
const COLUMNS: usize = 80;

pub(super) fn run(from: Version, to: Version, form: Form) -> Result<Outcome, Failure> {
    let diff = Diff::between(from, to);
    let text = match form {
        Form::Human => human(&diff),
        Form::Json => {
            let json = serde_json::to_string_pretty(&diff).or_could_not_judge()?;
            json + "\n"
        }
    };
    output::show(text)?;
    Ok(Outcome::Conforms)
}

const SIGNALS: [(Signal, &str); 4] = [
    (Signal::Attribute, "Attributes"),
    (Signal::Span, "Spans"),
    (Signal::Metric, "Metrics"),
    (Signal::Event, "Events"),
];

const KINDS: [(ChangeKind, &str); 6] = [
    (ChangeKind::Renamed, "renamed"),
    (ChangeKind::Retyped, "retyped"),
    (ChangeKind::Removed, "removed"),
    (ChangeKind::Deprecated, "deprecated"),
    (ChangeKind::New, "new"),
    (ChangeKind::Changed, "changed"),
];

fn human(diff: &Diff) -> String {
    let mut text = format!("From {} to {}\n", diff.from, diff.to);
    if diff.changes.is_empty() {
        text.push_str("\nNothing changed.\n");
    }
    for (signal, title) in SIGNALS {
        let of_signal = || diff.changes.iter().filter(|change| change.signal == signal);
        if of_signal().next().is_none() {
            continue;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{title}");
        for (kind, word) in KINDS {
            let changes: Vec<&Change> = of_signal().filter(|change| change.kind == kind).collect();
            if !changes.is_empty() {
                let _ = writeln!(text, "\n  {word} ({})", changes.len());
            }
            for change in changes {
                lines(change, &mut text);
            }
        }
    }
    text
}

fn lines(change: &Change, text: &mut String) {
    wrapped(text, 4, &change.name);
    for to in &change.to {
        let only = to.only_on.as_ref().map_or(String::new(), |span| format!(" on {span} spans"));
        wrapped(text, 6, &format!("-> {}{only}", to.name));
    }
    for Detail { what, from, to } in &change.details {
        let line = match (from, to) {
            (Some(from), Some(to)) => format!("{what}: {from} -> {to}"),
            (Some(from), None) => format!("- {what}: {from}"),
            (None, Some(to)) => format!("+ {what}: {to}"),
            (None, None) => what.clone(),
        };
        wrapped(text, 6, &line);
    }
}

/// A paragraph at an indent, its further lines deeper, none wider than the screen where words allow.
fn wrapped(text: &mut String, indent: usize, paragraph: &str) {
    let mut line = " ".repeat(indent);
    let mut is_first = true;
    for word in paragraph.split(' ') {
        if !is_first && line.len() + 1 + word.len() > COLUMNS {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(indent + 4);
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
        is_first = false;
    }
    text.push_str(&line);
    text.push('\n');
}

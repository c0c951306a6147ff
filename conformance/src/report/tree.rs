//! A trace as lines of text, a line for each span.

use spanproof_schemas::report::{ExcerptSpan, ExcerptStatus, TraceExcerpt};

use super::number::{counted, duration};
use super::text::{columns, padded, shortened};

/// A line of the drawing.
pub(super) struct Line {
    /// The text, without a line break.
    pub(super) text: String,
    /// Whether it is the span that the finding points at.
    pub(super) is_marked: bool,
}

/// The columns for kind, duration and status.
const FACTS: usize = 26;

/// How deep the drawing goes to the right; what is deeper stands there too.
const DEEPEST: usize = 8;

/// The spans of `excerpt` in lines of at most `width` columns, the one with the id `marked` behind
/// an arrow. Each line begins with a sign of the drawing, never with text of telemetry.
pub(super) fn tree(excerpt: &TraceExcerpt, marked: &str, width: usize) -> Vec<Line> {
    let spans = &excerpt.spans;
    let mut lines = Vec::new();
    for (at, span) in spans.iter().enumerate() {
        let is_marked = span.span_id == marked;
        let arrow = if is_marked { "> " } else { "| " };
        let branch = branch(spans, at);
        let room = width.saturating_sub(columns(arrow) + columns(&branch) + FACTS);
        let name = padded(&format!("{} ", shortened(&span.name, room.saturating_sub(1))), room);
        let text = format!("{arrow}{branch}{name}{}", facts(span));
        lines.push(Line { text: text.trim_end().to_owned(), is_marked });
    }
    let hidden = excerpt.captured_spans.saturating_sub(spans.len() as u64);
    if hidden > 0 {
        let text = format!("| … {} of this trace not shown", counted(hidden, "more span"));
        lines.push(Line { text, is_marked: false });
    }
    lines
}

fn facts(span: &ExcerptSpan) -> String {
    let lasted = duration(span.start_unix_nanos, span.end_unix_nanos);
    let status = match span.status {
        ExcerptStatus::Unset => "",
        set => set.as_str(),
    };
    format!("{:<9}{lasted:>9}  {status}", span.kind.as_str())
}

/// What leads to a span: a line for each ancestor that has further children, then its own corner.
fn branch(spans: &[ExcerptSpan], at: usize) -> String {
    let depth = spans[at].depth as usize;
    let mut branch = String::new();
    let first = depth.saturating_sub(DEEPEST);
    for level in first + 1..=depth {
        let goes_on = has_sibling_below(spans, at, level);
        branch.push_str(match (level == depth, goes_on) {
            (true, true) => "├─ ",
            (true, false) => "└─ ",
            (false, true) => "│  ",
            (false, false) => "   ",
        });
    }
    branch
}

/// Whether a later span stands at `level` below the same parent as this one's ancestor there.
fn has_sibling_below(spans: &[ExcerptSpan], at: usize, level: usize) -> bool {
    spans[at + 1..]
        .iter()
        .map(|span| span.depth as usize)
        .take_while(|depth| *depth >= level)
        .any(|depth| depth == level)
}

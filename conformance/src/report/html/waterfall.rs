//! A trace drawn as bars in time.

use maud::{Markup, html};
use spanproof_schemas::report::{ExcerptSpan, ExcerptStatus, TraceExcerpt};

use crate::report::number::{counted, duration};
use crate::report::text::visible;

/// How deep names go to the right.
const DEEPEST: u32 = 10;

/// The spans of `excerpt`, the one with the id `marked` set off.
pub(super) fn waterfall(excerpt: &TraceExcerpt, marked: &str) -> Markup {
    let spans = &excerpt.spans;
    let start = spans.iter().map(|span| span.start_unix_nanos).min().unwrap_or(0);
    let end = spans.iter().map(|span| span.end_unix_nanos).max().unwrap_or(0);
    let hidden = excerpt.captured_spans.saturating_sub(spans.len() as u64);
    html! {
        ol.trace aria-label="The trace" {
            @for span in spans {
                (row(span, span.span_id == marked, start, end))
            }
            @if hidden > 0 { li.hidden { "… " (counted(hidden, "more span")) " of this trace not shown" } }
        }
    }
}

fn row(span: &ExcerptSpan, is_marked: bool, start: u64, end: u64) -> Markup {
    let is_error = span.status == ExcerptStatus::Error;
    let class = match (is_marked, is_error) {
        (true, true) => Some("marked error"),
        (true, false) => Some("marked"),
        (false, true) => Some("error"),
        (false, false) => None,
    };
    let left = permille(span.start_unix_nanos, start, end);
    let width = permille(span.end_unix_nanos, start, end).saturating_sub(left);
    let place = format!("left:{}%;width:{}%", tenths(left), tenths(width));
    let indent = format!("padding-left:{}ch", span.depth.min(DEEPEST) * 2);
    html! {
        li class=[class] {
            span.what style=(indent) {
                @if is_marked { span.arrow { "▶ " } }
                (visible(&span.name))
            }
            span.kind {
                (span.kind.as_str())
                @if is_error { " " strong { "ERROR" } }
            }
            span.lasted { (duration(span.start_unix_nanos, span.end_unix_nanos)) }
            span.line aria-hidden="true" { span.bar style=(place) {} }
        }
    }
}

/// Where a time is between two others, in thousandths.
fn permille(time: u64, start: u64, end: u64) -> u64 {
    let whole = u128::from(end.saturating_sub(start)).max(1);
    let part = u128::from(time.clamp(start, end.max(start)) - start);
    u64::try_from(part * 1_000 / whole).unwrap_or(0)
}

fn tenths(permille: u64) -> String {
    format!("{}.{}", permille / 10, permille % 10)
}

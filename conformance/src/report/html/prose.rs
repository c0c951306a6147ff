//! Sentences with code between backticks, as HTML.

use maud::{Markup, html};

use crate::report::text::visible;

/// A sentence of spanproof's own, which may quote telemetry between backticks.
pub(super) fn prose(sentence: &str) -> Markup {
    let sentence = visible(sentence);
    html! {
        @for (at, part) in sentence.split('`').enumerate() {
            @if at % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

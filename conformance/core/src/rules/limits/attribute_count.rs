use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "limits/attribute-count",
    summary: "a span has no more attributes than SDKs let through by default",
    level: Level::Improvement,
    basis: Basis::Limit("`OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT` of SDKs"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The number of attributes of a GenAI span: at most 128, the default of \
            `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`.",
        why: "The limit was raised here, or the span was not made by an SDK. Wherever it was not \
            raised, the same code loses what it sets last: tokens, finish reasons, errors.",
        example: "One attribute for each part of each message of a long conversation: 300.",
        how_to_mend: "Keep what grows with the conversation in one attribute of JSON, or leave it \
            out.",
    },
    checks: &[Check::Span(check)],
};

/// The default of the SDKs.
const MOST: usize = 128;

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let count = view.attributes.len();
    if count <= MOST {
        return Vec::new();
    }
    vec![
        Finding::new("the span has more attributes than SDKs let through by default")
            .expected(format!("at most {MOST}"))
            .actual(count.to_string()),
    ]
}

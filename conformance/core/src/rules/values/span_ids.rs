use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "values/span-ids",
    summary: "a span has a trace id and an id of its own, and another parent than itself",
    level: Level::Violation,
    basis: Basis::Must("trace protocol: an id of zeros, or of another length, is invalid"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The ids of every GenAI span: the trace id has 16 bytes and the span id 8, \
            neither is nothing but zeros, and the parent is not the span itself.",
        why: "Receivers drop spans without a valid id, and whoever draws a trace with a span that \
            is its own parent draws it without end or not at all.",
        example: "A span whose `span_id` is eight zeros: that of a span which was never recorded.",
        how_to_mend: "Leave ids to the SDK, and export only spans that it made.",
    },
    checks: &[Check::Span(check)],
};

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let span = view.span;
    let is_invalid =
        |id: &[u8], length: usize| id.len() != length || id.iter().all(|byte| *byte == 0);
    let mut findings = Vec::new();
    for (name, id, length) in [("trace id", &span.trace_id, 16), ("span id", &span.span_id, 8)] {
        if is_invalid(id, length) {
            findings.push(
                Finding::new("an id of the span is not valid")
                    .attribute(name)
                    .expected(format!("{length} bytes, not all of them zero"))
                    .actual(crate::model::hex(&id[..id.len().min(2 * length)])),
            );
        }
    }
    if span.parent_span_id == span.span_id && !span.span_id.is_empty() {
        findings.push(Finding::new("the span is its own parent").attribute("parent span"));
    }
    findings
}

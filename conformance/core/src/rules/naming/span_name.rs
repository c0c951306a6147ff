use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "naming/span-name",
    summary: "a GenAI span is named by its operation and its model, agent or tool",
    level: Level::Violation,
    basis: Basis::Should("GenAI spans, \"Span name SHOULD be\""),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The name of every GenAI span against the name patterns of its span type \
            in the judged version, such as `{gen_ai.operation.name} {gen_ai.request.model}`. The \
            first pattern whose attributes are all on the span is the expected one. A span that \
            lacks an attribute of every pattern is not judged here; `presence/required-attribute` \
            and `truth/request-model` say what is missing.",
        why: "Backends group, search and alert by span name. A name without the model, or with a \
            shortened one, hides which model is slow or failing, and does not match the name that \
            other instrumentations give the same call.",
        example: "A span named `chat anthropic.claude` with `gen_ai.operation.name = chat` and \
            `gen_ai.request.model = anthropic.claude-3-sonnet-20240229-v1:0`.",
        how_to_mend: "Name the span `{operation} {model}` with the values of the attributes, the \
            model id exactly as it was sent.",
    },
    checks: &[Check::Span(check)],
};

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let Some(span_type) = view.span_type else { return Vec::new() };
    let text = |id| view.text(id);
    for pattern in &span_type.patterns {
        match pattern.matches(&view.span.name, text) {
            None => {}
            Some(true) => return Vec::new(),
            Some(false) => {
                return vec![
                    Finding::new("the span is not named as the conventions name such a span")
                        .attribute("span name")
                        .expected(pattern.render(text).unwrap_or_default())
                        .actual(view.span.name.clone()),
                ];
            }
        }
    }
    Vec::new()
}

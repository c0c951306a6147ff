use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::model::{Role, SpanFacts};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{Standing, StandingView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "trace/parent-call",
    summary: "the span of one call is not the parent of the span of another",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The parents of spans that were joined with calls: none is the span of \
            another call. Spans of agents and tools may be parents. A second span for the same \
            call is `truth/duplicate-span`.",
        why: "Calls to a model do not make calls to a model. Where it looks so, the first call's \
            span was still the current one when the second was made, and everything that the \
            application does in between appears to be done by the model.",
        example: "A stream is read chunk by chunk, and a second call, made between two chunks, has \
            the open stream's span as its parent.",
        how_to_mend: "Make the span of a stream current only while the library's own code runs, \
            not while the caller reads the stream; detach the context on every path.",
    },
    checks: &[Check::Standing(check)],
};

fn check(view: &StandingView<'_>) -> Vec<Finding> {
    let is_call =
        |span: &SpanFacts, standing| span.role == Role::ModelCall && standing == Standing::Joined;
    let parent = view.parent().filter(|(parent, standing)| is_call(parent, *standing));
    let Some((parent, _)) = parent.filter(|_| is_call(view.span, view.standing)) else {
        return Vec::new();
    };
    let name = view.symbols.text(parent.name);
    vec![
        Finding::new("the parent of the call's span is the span of another call")
            .attribute("parent span")
            .expected("the span that was current in the application")
            .actual(format!("{name} ({})", crate::model::hex(&parent.id.span))),
    ]
}

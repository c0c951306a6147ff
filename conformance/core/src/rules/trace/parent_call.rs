use rustc_hash::FxHashMap;
use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::model::{Role, SpanId};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{RunView, Standing};

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
    checks: &[Check::Run(check)],
};

fn check(view: &RunView<'_>) -> Vec<Finding> {
    let calls = || {
        let joined = view.spans.iter().zip(view.standing);
        joined
            .filter(|(span, standing)| {
                span.role == Role::ModelCall && **standing == Standing::Joined
            })
            .map(|(span, _)| span)
    };
    let by_id: FxHashMap<SpanId, &str> =
        calls().map(|span| (span.id, view.text(span.name))).collect();
    calls()
        .filter_map(|span| {
            let parent = by_id.get(&span.id.sibling(span.parent))?;
            Some(
                Finding::new("the parent of the call's span is the span of another call")
                    .attribute("parent span")
                    .expected("the span that was current in the application")
                    .actual(format!("{parent} ({})", crate::model::hex(&span.parent)))
                    .about(span.subject(view.symbols)),
            )
        })
        .collect()
}

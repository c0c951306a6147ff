use spanproof_schemas::report::{Level, Subject};

use crate::finding::Finding;
use crate::model::{Role, SpanFacts};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{CallView, LateChild, Parent, Standing, StandingView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "trace/parent-call",
    summary: "the span of one call is not the parent of the span of another",
    level: Level::Violation,
    basis: Basis::Agreement("the spans of a trace, and with a ledger the calls"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The parents of spans that were joined with calls: none is the span of \
            another call. Spans of agents and tools may be parents. And every span whose parent is \
            the span of a call, the application's own among them: it starts before that ended, \
            less a few milliseconds for the clocks. A second span for the same call is \
            `truth/duplicate-span`.",
        why: "Calls to a model do not make calls to a model. Where it looks so, the first call's \
            span was still the current one when the second was made, and everything that the \
            application does in between appears to be done by the model.",
        example: "A stream is read chunk by chunk, and a second call, made between two chunks, has \
            the open stream's span as its parent.",
        how_to_mend: "Make the span of a stream current only while the library's own code runs, \
            not while the caller reads the stream; detach the context on every path.",
    },
    checks: &[Check::Standing(check), Check::Call(check_call)],
};

fn check(view: &StandingView<'_>) -> Vec<Finding> {
    let is_call = |role, standing| role == Role::ModelCall && standing == Standing::Joined;
    let is_other_call =
        |parent: &Parent| is_call(parent.role, parent.standing) && parent.id != view.span.id;
    let parent = view.parent().filter(is_other_call);
    let Some(parent) = parent.filter(|_| is_call(view.span.role, view.standing)) else {
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

fn check_call(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.span() else { return Vec::new() };
    let name = view.symbols.text(span.name);
    view.late_children.iter().map(|child| late(name, span, child)).collect()
}

fn late(name: &str, parent: &SpanFacts, child: &LateChild) -> Finding {
    let hex = crate::model::hex;
    let after = child.start.saturating_sub(parent.end) / 1_000_000;
    Finding::new("the span of a call that had ended is the parent of another span")
        .attribute("parent span")
        .expected("the span that was current in the application")
        .actual(format!("{name}, which had ended {after} ms before"))
        .about(Subject {
            trace_id: Some(hex(&child.id.trace)),
            span_id: Some(hex(&child.id.span)),
            ..Subject::default()
        })
}

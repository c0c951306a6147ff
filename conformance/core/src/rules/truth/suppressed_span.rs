use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{Absence, CallView, Match};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/suppressed-span",
    summary: "a call within the span of an agent or of another call has a span of its own",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Calls without a span whose request was made within a GenAI span: that of \
            an agent, a tool or a workflow, or that of another call. Something instruments such \
            calls, and this one it left out. A call without any GenAI span around it is \
            `truth/missing-span`; one whose span was started is `truth/unended-span`.",
        why: "Frameworks suppress the spans of the SDK below them, so that no call has two. Where \
            the framework makes none itself, or one for several requests, tokens and errors of \
            the inner calls are lost.",
        example: "An agent that asks a model four times, and one `chat` span below `invoke_agent`, \
            since the suppression key of the first call was never reset.",
        how_to_mend: "Suppress an inner span only where the outer instrumentation makes one for \
            the same request, and reset the suppression when that request has ended.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    match view.matched {
        Match::None(Absence::Suppressed) => {
            vec![
                Finding::new("the call was made within a GenAI span and has none of its own")
                    .expected(super::describe(view)),
            ]
        }
        _ => Vec::new(),
    }
}

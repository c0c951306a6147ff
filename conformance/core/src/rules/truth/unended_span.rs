use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{Absence, CallView, Match};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/unended-span",
    summary: "every span that was started for a call is ended",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Calls without a span whose request carried the id of a span that was \
            never exported, while other spans of the same trace were, or while exported spans \
            name it as their parent. Such a span was started and never ended. Where no other span \
            of the trace was exported, the two cases cannot be told apart, and the call is \
            `truth/missing-span`.",
        why: "A span that is never ended is never exported, keeps its memory, and may stay the \
            current span, so that spans that have nothing to do with it become its children. \
            Streams that are closed early or abandoned are the usual cause.",
        example: "A ConverseStream whose reader stops after the first chunk; the instrumentation \
            ends its span on the last one only.",
        how_to_mend: "End the span when the stream is exhausted, closed, dropped or broken, \
            whichever comes first.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    match view.matched {
        Match::None(Absence::Unended) => {
            vec![
                Finding::new("the call's span was started and never ended")
                    .expected(super::describe(view)),
            ]
        }
        _ => Vec::new(),
    }
}

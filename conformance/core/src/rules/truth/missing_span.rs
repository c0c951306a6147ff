use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{Absence, CallView, Match};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/missing-span",
    summary: "every call that was served has a span",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Every call of the ledger that no GenAI span could be joined with, by \
            invocation id, trace context, response or request id, or overlapping time, model and \
            operation. Attempts of one invocation are one call. A call whose span was started and \
            never exported is `truth/unended-span`. A call whose trace was not sampled is \
            information.",
        why: "A call without a span is invisible: its tokens, errors and latency are in no chart, \
            but on the bill.",
        example: "A call through an application inference profile, whose ARN the instrumentation \
            does not recognise as a model.",
        how_to_mend: "Find the path that bypasses the instrumentation: an operation it does not \
            wrap, a model family it does not parse, a suppressed context, or an exporter that was \
            not flushed before the process ended.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let finding = match view.matched {
        Match::None(Absence::Missing) => Finding::new("the call has no span"),
        Match::None(Absence::NotSampled) => {
            Finding::new("the call has no span, for its trace was not sampled")
                .level(Level::Information)
        }
        Match::None(Absence::Unended | Absence::Suppressed | Absence::Late) | Match::Span(..) => {
            return Vec::new();
        }
    };
    vec![finding.expected(super::describe(view))]
}

use spanproof_schemas::report::Level;

use super::{describe, subject};
use crate::behaviour::Behaviour;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "behaviour/extra-request",
    summary: "no request is made because of the instrumentation",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Requests that the command makes with instrumentation and not without it, with \
            `--compare-uninstrumented`. As many as one of the two runs without instrumentation makes \
            beyond the other by itself are left out. Attempts of one invocation are one request.",
        why: "Each request is paid for. A call that is made twice costs twice, and does twice what it \
            does.",
        example: "The wrapper catches an exception of its own after the call, and calls again \
            without itself.",
        how_to_mend: "Call the wrapped function once, outside of what handles failures of the \
            instrumentation. Counts of tokens belong to the answer; ask no API for them.",
    },
    checks: &[Check::Behaviour(check)],
};

fn check(behaviour: &Behaviour) -> Vec<Finding> {
    let extra = behaviour.extra.iter();
    extra
        .map(|call| {
            Finding::new("a request is made only with instrumentation")
                .actual(describe(call))
                .about(subject(call))
        })
        .collect()
}

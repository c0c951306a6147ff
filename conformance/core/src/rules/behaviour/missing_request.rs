use spanproof_schemas::report::Level;

use super::describe;
use crate::behaviour::Behaviour;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "behaviour/missing-request",
    summary: "no request is missing because of the instrumentation",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Requests that the command makes without instrumentation and not with it, with \
            `--compare-uninstrumented`. As many as are missing from one of the two runs without \
            instrumentation by themselves are left out. Attempts of one invocation are one request.",
        why: "A wrapper that fails before it calls the SDK, or answers from a cache of its own, takes \
            a call from the application.",
        example: "An embedding request whose body the instrumentation cannot parse raises an \
            exception before it is sent.",
        how_to_mend: "Let nothing that fails in the instrumentation keep the call from being made: \
            catch its exceptions around the reading of arguments, not around the call.",
    },
    checks: &[Check::Behaviour(check)],
};

fn check(behaviour: &Behaviour) -> Vec<Finding> {
    let missing = behaviour.missing.iter();
    missing
        .map(|call| {
            Finding::new("a request is made only without instrumentation").expected(describe(call))
        })
        .collect()
}

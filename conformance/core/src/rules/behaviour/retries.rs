use spanproof_schemas::report::Level;

use super::subject;
use crate::behaviour::{Behaviour, ComparedCall};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "behaviour/retries",
    summary: "a call is tried as often with instrumentation as without",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The number of requests with the same `amz-sdk-invocation-id`, with and \
            without instrumentation, with `--compare-uninstrumented`. Calls that are tried differently \
            often in the two runs without instrumentation are left out.",
        why: "The SDK decides by the exception whether to try again. An instrumentation that raises \
            another, or reads the answer before the SDK does, changes that decision.",
        example: "A throttled call is tried three times; the wrapped client raises an exception of its \
            own at the first, and the call is not tried again.",
        how_to_mend: "Wrap the operation, not what sends a single request, and raise what was raised.",
    },
    checks: &[Check::Behaviour(check)],
};

fn check(behaviour: &Behaviour) -> Vec<Finding> {
    let differs = |call: &&ComparedCall| {
        call.has_steady_attempts && call.without.attempts != call.with.attempts
    };
    let calls = behaviour.calls.iter().filter(differs);
    calls
        .map(|call| {
            Finding::new("the call is tried another number of times")
                .expected(call.without.attempts.to_string())
                .actual(call.with.attempts.to_string())
                .about(subject(&call.with))
        })
        .collect()
}

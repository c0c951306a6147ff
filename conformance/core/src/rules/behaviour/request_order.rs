use spanproof_schemas::report::Level;

use super::{describe, subject};
use crate::behaviour::Behaviour;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "behaviour/request-order",
    summary: "calls that follow one another do so with instrumentation, too",
    level: Level::Improvement,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The order of calls with instrumentation against that without, with \
            `--compare-uninstrumented`, if no two calls of any run were open at once and none is \
            missing or extra. Calls of several threads have no order that means anything.",
        why: "What a program asks first may decide what it asks next, and what the prompt cache \
            holds. An instrumentation that defers a call changes both. Threads that never met may come \
            in another order by chance, so that this is no violation.",
        example: "The wrapper makes an asynchronous call a task of its own, which begins after the \
            next call.",
        how_to_mend: "Make the call where the application makes it; put off only what the telemetry \
            needs.",
    },
    checks: &[Check::Behaviour(check)],
};

fn check(behaviour: &Behaviour) -> Vec<Finding> {
    let Behaviour { calls, missing, extra, own_noise, is_sequential, .. } = behaviour;
    if !is_sequential || *own_noise > 0 || !missing.is_empty() || !extra.is_empty() {
        return Vec::new();
    }
    let turned = calls.windows(2).filter(|two| two[0].with.sequence > two[1].with.sequence);
    turned
        .map(|two| {
            let [before, after] = [&two[0], &two[1]];
            Finding::new("a call comes before one that it came after")
                .expected(format!("after {}", describe(&before.without)))
                .actual(format!("before {}", describe(&before.with)))
                .about(subject(&after.with))
        })
        .collect()
}

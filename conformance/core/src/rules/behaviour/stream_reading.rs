use spanproof_schemas::report::Level;

use super::subject;
use crate::behaviour::Behaviour;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "behaviour/stream-reading",
    summary: "a stream is read as far as the application reads it",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Whether the client was there for the last frame of each stream, with and \
            without instrumentation, with `--compare-uninstrumented`. The mock holds that frame back \
            for a while, so that a client that leaves can be seen to. Streams that are read \
            differently far in the two runs without instrumentation, and those that a fault ends, are \
            left out.",
        why: "An application leaves a stream to save tokens and time. An instrumentation that reads on \
            pays for what nobody sees, keeps the connection, and if it reads all of it first, the \
            application waits for its first word until the last.",
        example: "The wrapper drains the stream with `list()` to count tokens, and hands the list to \
            the application, which stops after two events.",
        how_to_mend: "Hand each event on as it comes, note what the span needs in passing, and close \
            the stream when the application does.",
    },
    checks: &[Check::Behaviour(check)],
};

fn check(behaviour: &Behaviour) -> Vec<Finding> {
    let calls = behaviour.calls.iter().filter(|call| call.is_read_otherwise());
    calls
        .map(|call| {
            let said = |is_read_whole| if is_read_whole { "read to its end" } else { "left early" };
            let message = if call.with.is_read_whole {
                "a stream that the application left is read to its end"
            } else {
                "a stream that the application reads to its end is left early"
            };
            Finding::new(message)
                .expected(said(call.without.is_read_whole))
                .actual(said(call.with.is_read_whole))
                .about(subject(&call.with))
        })
        .collect()
}

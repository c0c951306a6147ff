use spanproof_schemas::report::Level;

use crate::behaviour::Behaviour;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "behaviour/exit-status",
    summary: "the command ends with instrumentation as it ends without",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The exit status of the command, or the signal that ended it, with and without \
            instrumentation, with `--compare-uninstrumented`. Nothing is said of a command that ends \
            in different ways by itself.",
        why: "A program that fails only when it is watched is broken by the watching; one that \
            succeeds only then hides a failure from its users.",
        example: "An exception of the instrumentation reaches the application in the loop over a \
            stream, and ends the program.",
        how_to_mend: "Look at what the command wrote on standard error. Let no exception of the \
            instrumentation reach the application, and none of the application's end in it.",
    },
    checks: &[Check::Behaviour(check)],
};

fn check(behaviour: &Behaviour) -> Vec<Finding> {
    match &behaviour.status {
        Some([without, with]) if without != with => {
            let finding = Finding::new("the command ends in another way");
            vec![finding.expected(without.as_str()).actual(with.as_str())]
        }
        Some(_) | None => Vec::new(),
    }
}

use spanproof_schemas::report::Level;

use crate::behaviour::{Behaviour, Lines};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "behaviour/output",
    summary: "the command prints with instrumentation what it prints without",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The lines of standard output with and without instrumentation, with \
            `--compare-uninstrumented`. Times, durations, ports, UUIDs, addresses and colours mean \
            nothing, nor do words that differ between the two runs without instrumentation. Where \
            those two print the same lines in another order, order means nothing; where they differ in \
            more than words, nothing is compared, which is information. Standard error, where logs go, \
            is looked at for exceptions only.",
        why: "What a program prints is the nearest that can be seen from outside to what the \
            application received: other events, lost characters, other types.",
        example: "Text of a stream arrives without its quotation marks, since the wrapper decoded the \
            piece of JSON and encoded it anew.",
        how_to_mend: "Hand events, bodies and exceptions on as they came. If the instrumentation itself \
            prints, let it log instead.",
    },
    checks: &[Check::Behaviour(check)],
};

fn check(behaviour: &Behaviour) -> Vec<Finding> {
    let changes = match &behaviour.output {
        Lines::Compared(changes) => changes,
        Lines::DifferByThemselves => {
            let finding = Finding::new("the program prints differently by itself: not compared");
            return vec![finding.level(Level::Information)];
        }
    };
    let findings = changes.iter().map(|change| {
        let told = |lines: &[String]| match lines {
            [] => "nothing".to_owned(),
            [line] => line.clone(),
            [line, others @ ..] => format!("{line} (and {} more)", others.len()),
        };
        let finding = Finding::new("the command prints something else")
            .expected(told(&change.without))
            .actual(told(&change.with));
        match change.line {
            Some(line) => finding.attribute(format!("standard output, line {line}")),
            None => finding.attribute("standard output"),
        }
    });
    findings.collect()
}

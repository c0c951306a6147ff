use spanproof_schemas::report::Level;

use crate::behaviour::Behaviour;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "behaviour/exception",
    summary: "the command reports with instrumentation the exceptions that it reports without",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The types of the exceptions that standard error reports, by Python's \
            tracebacks and by the stacks that JavaScript and the JVM print, with and without \
            instrumentation, with `--compare-uninstrumented`. One that is only reported beside the \
            others, by a command that ends as before, is an improvement: mostly the instrumentation \
            logs a failure of its own. Exceptions that an application handles without a word show in \
            what it does then.",
        why: "Applications tell failures apart by type: what to try again, what to show. An \
            instrumentation that swallows an exception, or raises another in its place, takes that from \
            them.",
        example: "`botocore.exceptions.EventStreamError` in the middle of a stream becomes a \
            `TypeError` of the wrapper, which parses what is not there.",
        how_to_mend: "Record the exception and raise it again as it is. Catch what the instrumentation \
            itself raises.",
    },
    checks: &[Check::Behaviour(check)],
};

fn check(behaviour: &Behaviour) -> Vec<Finding> {
    let Some([without, with]) = &behaviour.exceptions else {
        let finding = Finding::new("the program reports other exceptions by itself: not compared");
        return vec![finding.level(Level::Information)];
    };
    let lost = beyond(without, with);
    let new = beyond(with, without);
    let ends_alike = behaviour.status.as_ref().is_none_or(|[without, with]| without == with);
    let mut findings = Vec::new();
    for at in 0..lost.len().max(new.len()) {
        let finding = match (lost.get(at), new.get(at)) {
            (Some(lost), Some(new)) => {
                Finding::new("another exception is reported").expected(*lost).actual(*new)
            }
            (Some(lost), None) => {
                Finding::new("an exception is not reported any more").expected(*lost)
            }
            (None, Some(new)) => {
                let finding = Finding::new("an exception is reported that was not before");
                let finding = finding.actual(*new);
                if ends_alike { finding.level(Level::Improvement) } else { finding }
            }
            (None, None) => continue,
        };
        findings.push(finding);
    }
    findings
}

/// What `one` has more often than `other`; both are sorted.
fn beyond<'a>(one: &'a [String], other: &[String]) -> Vec<&'a str> {
    let mut other = other.iter().peekable();
    let mut beyond = Vec::new();
    for name in one {
        while other.next_if(|known| *known < name).is_some() {}
        if other.next_if(|known| *known == name).is_none() {
            beyond.push(name.as_str());
        }
    }
    beyond
}

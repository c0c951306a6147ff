use spanproof_schemas::report::Level;

use super::subject;
use crate::behaviour::{Behaviour, ComparedCall, Meaning};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "behaviour/request",
    summary: "requests are the same with and without instrumentation",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Path, headers and every value of the JSON body of each request that the \
            command sends with instrumentation, against the same request without, with \
            `--compare-uninstrumented`. The order of members and spaces mean nothing. Values that \
            differ between the two runs without instrumentation are left out; so are signatures, \
            dates, invocation ids, lengths and the headers of trace context and baggage, which an \
            instrumentation is there to send. A header that was added, and another user agent, are \
            improvements.",
        why: "An instrumentation watches. One that rewrites a prompt, drops a tool or raises the \
            maximum of tokens changes answers and bills, and nobody looks for that there.",
        example: "The wrapper reads `toolUse.input` for its span and puts it back as a number where \
            it was text.",
        how_to_mend: "Copy what you read before you change it, and hand the application's own \
            arguments on to the SDK.",
    },
    checks: &[Check::Behaviour(check)],
};

fn check(behaviour: &Behaviour) -> Vec<Finding> {
    let mut findings: Vec<Finding> = behaviour.calls.iter().flat_map(differences).collect();
    if behaviour.own_noise > 0 {
        let finding = Finding::new(
            "the program asks differently by itself, so that these requests were not compared",
        );
        findings.push(finding.level(Level::Information).actual(behaviour.own_noise.to_string()));
    }
    findings
}

fn differences(call: &ComparedCall) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in &call.changes {
        let finding = match change.place.as_str() {
            "path" => Finding::new("the request goes to another path"),
            place => Finding::new("a value of the request differs").attribute(place.to_owned()),
        };
        findings.push(
            told(finding, change.without.as_deref(), change.with.as_deref())
                .about(subject(&call.with)),
        );
    }
    for header in &call.headers {
        let finding = match header.meaning {
            Meaning::Altered => Finding::new("a header of the request differs"),
            Meaning::Beside if header.without.is_none() => {
                Finding::new("a header was added to the request").level(Level::Improvement)
            }
            Meaning::Beside => {
                Finding::new("the request states another sender").level(Level::Improvement)
            }
        };
        let finding = finding.attribute(header.name.clone());
        findings.push(
            told(finding, header.without.as_deref(), header.with.as_deref())
                .about(subject(&call.with)),
        );
    }
    findings
}

fn told(finding: Finding, without: Option<&str>, with: Option<&str>) -> Finding {
    let said = |value: Option<&str>| value.unwrap_or("not there").to_owned();
    finding.expected(said(without)).actual(said(with))
}

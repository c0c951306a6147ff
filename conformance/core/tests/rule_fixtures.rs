//! Every rule against its cases in `fixtures/rules/`.

mod support;

use conformance_core::rules::RULES;
use conformance_core::{Choice, Judge, Settings};
use spanproof_fixtures::{Case, Outcome};
use spanproof_schemas::report::Level;

fn cases() -> Vec<Case> {
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    spanproof_fixtures::load(&ids).unwrap_or_else(|error| panic!("{error}"))
}

/// What is wrong with the findings of a case, line by line.
fn mistakes(case: &Case) -> Vec<String> {
    let judgement = support::judge(case);
    let mut mistakes = Vec::new();
    for expected in &case.expect {
        let groups: Vec<_> =
            judgement.findings.iter().filter(|group| group.rule == expected.rule).collect();
        let count: u64 = groups.iter().map(|group| group.count).sum();
        if count != expected.count {
            mistakes.push(format!("{}: {count} findings, not {}", expected.rule, expected.count));
        }
        if let Some(level) = expected.level
            && groups.iter().any(|group| group.level != level)
        {
            mistakes.push(format!("{}: not all are {}", expected.rule, level.as_str()));
        }
        let has_message = |message: &String| groups.iter().any(|group| group.message == *message);
        if !expected.message.as_ref().is_none_or(has_message) {
            mistakes.push(format!("{}: no finding has the message expected", expected.rule));
        }
        let examples = || groups.iter().flat_map(|group| &group.examples);
        let says = |wanted: &Option<String>, given: &dyn Fn(&_) -> Option<String>| {
            wanted.is_none() || examples().any(|example| given(example) == *wanted)
        };
        if !says(&expected.attribute, &|example| example.attribute.clone())
            || !says(&expected.expected, &|example| example.expected.clone())
            || !says(&expected.actual, &|example| example.actual.clone())
        {
            mistakes.push(format!("{}: no finding says what is expected", expected.rule));
        }
    }
    let listed = |rule: &str| case.expect.iter().any(|expected| expected.rule == rule);
    let unexpected = judgement
        .findings
        .iter()
        .filter(|group| group.level == Level::Violation && !listed(&group.rule));
    mistakes.extend(unexpected.map(|group| format!("unexpected violation of {}", group.rule)));
    if !mistakes.is_empty() {
        mistakes.push(format!("found: {:#?}", judgement.findings));
    }
    mistakes
}

#[test]
fn every_case_gives_the_findings_that_it_expects() {
    let mut failures = Vec::new();
    for case in cases() {
        for mistake in mistakes(&case) {
            failures.push(format!("{} {:?} {}: {mistake}", case.rule, case.outcome, case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_rule_has_a_passing_and_a_failing_case() {
    let cases = cases();
    for rule in RULES {
        for outcome in [Outcome::Pass, Outcome::Fail] {
            let has = cases.iter().any(|case| case.rule == rule.id && case.outcome == outcome);
            assert!(has, "{} has no {outcome:?} case in fixtures/rules/", rule.id);
        }
    }
}

#[test]
fn a_rule_that_is_off_finds_nothing_and_a_level_that_is_set_holds() {
    for case in cases().iter().filter(|case| case.outcome == Outcome::Fail) {
        for level in [None, Some(Level::Information)] {
            let mut settings = Settings::default();
            if let Some(version) = &case.semconv {
                settings.semconv = Choice::Required(version.parse().unwrap());
            }
            settings.set_level(&case.rule, level).unwrap();
            let mut judge = Judge::new(settings);
            for record in &case.ledger {
                judge.ledger(record.clone());
            }
            for span in &case.spans {
                judge.traces(&spanproof_fixtures::otlp::traces(span));
            }
            let findings = judge.finish().findings;
            let mut own = findings.iter().filter(|group| group.rule == case.rule);
            assert!(own.all(|group| Some(group.level) == level), "{} {}", case.rule, case.name);
        }
    }
}

#[test]
fn an_unknown_rule_has_no_level() {
    let error = Settings::default().set_level("naming/nothing", None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown rule `naming/nothing`; `spanproof rules` lists the rules"
    );
}

#[test]
fn leaked_text_is_never_printed() {
    let planted = spanproof_fixtures::reference::planted();
    for case in cases().iter().filter(|case| case.rule.starts_with("redaction/")) {
        let judgement = support::judge(case);
        let report = format!("{:?}", judgement.findings);
        for planted in &planted {
            assert!(!report.contains(&planted.value), "{}: {report}", case.name);
        }
        for leaked in ["ines@example.com", "555-01", "4111", "912-34", "IOSFODNN7"] {
            assert!(!report.contains(leaked), "{}: {report}", case.name);
        }
        for stem in spanproof_fixtures::reference::MARKER_STEMS {
            assert!(!report.contains(stem), "{}: {report}", case.name);
        }
        assert!(!report.contains("summarise"), "{}: {report}", case.name);
    }
}

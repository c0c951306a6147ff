//! Expected deviations to show.

use std::collections::BTreeMap;

use spanproof_schemas::report::{
    Deviation, DeviationSource, DeviationState, Example, FindingGroup, Level, Subject,
};

/// Two entries and two lines of a baseline, one of each no longer what it says. The telemetry of the
/// program says `name` and `value` where it can say anything.
pub(super) fn deviations(name: &str, value: &str) -> Vec<Deviation> {
    let entry = Deviation {
        source: DeviationSource::Configuration,
        file: "spanproof.toml".to_owned(),
        line: 7,
        rule: "truth/request-model".to_owned(),
        matching: BTreeMap::from([
            ("operation".to_owned(), "Converse*".to_owned()),
            ("scope".to_owned(), "opentelemetry.instrumentation.*".to_owned()),
        ]),
        reason: Some("the profile is cut off the model id until 2.0".to_owned()),
        expires: Some("2026-12-31".to_owned()),
        least: 1,
        most: None,
        found: 12,
        state: DeviationState::Met,
        problem: None,
        findings: vec![found("truth/request-model", "the model is not the one asked", 12, name)],
    };
    let stale = Deviation {
        line: 13,
        rule: "kind/*".to_owned(),
        matching: BTreeMap::new(),
        reason: Some("kinds are mended in 1.4".to_owned()),
        expires: None,
        found: 0,
        state: DeviationState::Stale,
        problem: Some("stale: `kind/*` found nothing; remove the entry".to_owned()),
        findings: Vec::new(),
        ..entry.clone()
    };
    let counted = Deviation {
        source: DeviationSource::Baseline,
        file: "telemetry-baseline.json".to_owned(),
        line: 5,
        rule: "truth/request-model".to_owned(),
        matching: BTreeMap::from([("scope".to_owned(), name.to_owned())]),
        reason: None,
        expires: None,
        least: 1_200,
        most: Some(1_200),
        found: 1_200,
        findings: vec![found("truth/request-model", "the model is absent", 1_200, value)],
        ..entry.clone()
    };
    let grown = Deviation {
        line: 6,
        rule: "naming/unknown-attribute".to_owned(),
        matching: BTreeMap::from([("attribute".to_owned(), value.to_owned())]),
        least: 2,
        most: Some(2),
        found: 3,
        state: DeviationState::More,
        problem: Some(
            "`naming/unknown-attribute`: 3 findings match, where the baseline counts 2; \
                       mend what is new, or accept it with --update-baseline"
                .to_owned(),
        ),
        findings: Vec::new(),
        ..counted.clone()
    };
    vec![entry, stale, counted, grown]
}

fn found(rule: &str, message: &str, count: u64, actual: &str) -> FindingGroup {
    FindingGroup {
        rule: rule.to_owned(),
        level: Level::Violation,
        count,
        message: message.to_owned(),
        examples: vec![Example {
            subject: Subject { exchange: Some(1), ..Subject::default() },
            attribute: Some("gen_ai.request.model".to_owned()),
            expected: Some("amazon.nova-lite-v1:0".to_owned()),
            actual: Some(actual.to_owned()),
        }],
    }
}

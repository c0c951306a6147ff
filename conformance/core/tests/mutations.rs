//! What the judge says of conforming telemetry, and of the same telemetry broken in every way that
//! is known from the field.

mod support;

use std::fs;
use std::path::Path;

use conformance_core::rules::RULES;
use conformance_core::{Choice, Settings};
use spanproof_fixtures::corpus::Corpus;
use spanproof_fixtures::mutations::Proof;
use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::Version;

#[test]
fn conforming_telemetry_of_every_version_gives_no_violation_and_no_improvement() {
    for version in Version::all() {
        for semconv in [Choice::Auto, Choice::Required(version)] {
            let mut settings = Settings::default();
            settings.semconv = semconv;
            let findings = support::judge_capture(&Corpus::conforming(version).capture(), settings);
            let wrong: Vec<_> = findings
                .iter()
                .filter(|group| group.level >= Level::Improvement)
                .map(|group| (&group.rule, &group.message, &group.examples[0]))
                .collect();
            assert!(wrong.is_empty(), "{version}, {semconv:?}: {wrong:#?}");
        }
    }
}

#[test]
fn every_mutation_is_caught_by_its_rule_and_by_no_unrelated_one_as_the_page_says() {
    let proof = Proof::of(|capture, redaction| {
        let mut settings = Settings::default();
        settings.redaction = redaction.parse().unwrap();
        support::judge_capture(capture, settings)
    });
    let failures = proof.failures();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mutations.md");
    let committed = fs::read_to_string(path).unwrap();
    assert!(
        committed == proof.page(&rules),
        "docs/mutations.md is stale; run `cargo xtask dev docs`"
    );
}

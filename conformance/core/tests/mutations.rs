//! What the judge says of conforming telemetry.

mod support;

use conformance_core::{Choice, Settings};
use spanproof_fixtures::corpus::Corpus;
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

//! The conventions and synthetic spans of every version, scenario and content policy.

use conformance_core::{Choice, Judge, Redaction, Settings};
use loadgen::Scenario;
use loadgen::synthetic::{Dialogue, MessageForm};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::Version;

use super::requests;

/// The findings about so many traces, a line each.
fn findings(scenario: &str, calls: u64, dialogue: Dialogue, semconv: Choice) -> Vec<String> {
    let mut settings = Settings::default();
    settings.semconv = semconv;
    settings.redaction = match dialogue.content {
        ContentPolicy::None => Redaction::NoContent,
        ContentPolicy::Hash => Redaction::HashOnly,
        ContentPolicy::Reference => Redaction::ExternalReference,
        ContentPolicy::Cut { .. } | ContentPolicy::Full | ContentPolicy::Events => {
            Redaction::ContentAllowed
        }
    };
    let mut judge = Judge::new(settings);
    for request in requests(scenario, calls, dialogue) {
        judge.traces_protobuf(&request).unwrap();
    }
    let judgement = judge.finish();
    // Before 1.30.0 an embedding is nothing that the conventions know.
    assert!(judgement.telemetry.spans >= calls, "{:?}", judgement.telemetry);
    let all = judgement.findings.iter().filter(|group| group.level > Level::Information);
    all.map(|group| {
        format!("{:?} {}: {} {:?}", group.level, group.rule, group.message, group.examples.first())
    })
    .collect()
}

#[test]
fn no_scenario_in_any_version_gives_a_finding() {
    for version in Version::all() {
        for scenario in Scenario::names() {
            for semconv in [Choice::Auto, Choice::Required(version)] {
                let dialogue = Dialogue { semconv: version, ..Dialogue::default() };
                let found = findings(scenario, 20, dialogue, semconv);
                assert!(found.is_empty(), "{scenario}, {version}: {found:#?}");
            }
        }
    }
}

#[test]
fn no_content_policy_in_any_version_gives_a_finding_but_for_long_texts() {
    for version in Version::all() {
        for content in ContentPolicy::ALL {
            for messages in [MessageForm::Json, MessageForm::Structured] {
                if messages == MessageForm::Structured && !content.has_text() {
                    continue;
                }
                for scenario in ["chat", "agent"] {
                    let dialogue = Dialogue { semconv: version, content, messages };
                    let found = findings(scenario, 6, dialogue, Choice::Required(version));
                    let other: Vec<_> = found
                        .iter()
                        // What Tempo cuts is what full content is.
                        .filter(|finding| !finding.contains("limits/attribute-length"))
                        .collect();
                    assert!(
                        other.is_empty(),
                        "{scenario}, {version}, {content}, {messages:?}: {other:#?}"
                    );
                }
            }
        }
    }
}

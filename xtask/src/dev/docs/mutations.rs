//! `docs/mutations.md`: which rule catches which mutation.

use std::path::Path;

use conformance_core::rules::RULES;
use conformance_core::{Judge, Settings};
use spanproof_fixtures::corpus::Capture;
use spanproof_fixtures::mutations::Proof;
use spanproof_fixtures::otlp;
use spanproof_schemas::report::FindingGroup;

use super::Page;

/// The page, from judging every mutation.
pub(super) fn page(root: &Path) -> Page {
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    (root.join("docs/mutations.md"), Some(Proof::of(judge).page(&rules)))
}

fn judge(capture: &Capture, redaction: &str) -> Vec<FindingGroup> {
    let mut settings = Settings::default();
    settings.redaction = redaction.parse().expect("mutations name policies that there are");
    let mut judge = Judge::new(settings);
    for record in &capture.ledger {
        judge.ledger(record.clone());
    }
    for span in &capture.spans {
        judge.traces(&otlp::traces(span));
    }
    for metric in &capture.metrics {
        judge.metrics(&otlp::metrics(metric));
    }
    for log in &capture.logs {
        judge.logs(&otlp::logs(log));
    }
    judge.finish().findings
}

//! Judging cases.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use conformance_core::{Choice, Content, Judge, Judgement, Settings};
use spanproof_fixtures::{Case, otlp};

/// What the judge says of a case.
pub(crate) fn judge(case: &Case) -> Judgement {
    let mut settings = Settings::default();
    if let Some(version) = &case.semconv {
        settings.semconv = Choice::Required(version.parse().unwrap());
    }
    if case.content_allowed {
        settings.content = Content::Allowed;
    }
    let mut judge = Judge::new(settings);
    for record in &case.ledger {
        judge.ledger(record.clone());
    }
    for span in &case.spans {
        judge.traces(&otlp::traces(span));
    }
    for metric in &case.metrics {
        judge.metrics(&otlp::metrics(metric));
    }
    for log in &case.logs {
        judge.logs(&otlp::logs(log));
    }
    judge.finish()
}

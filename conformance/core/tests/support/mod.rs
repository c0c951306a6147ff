//! Judging what the fixtures hold.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "each test uses a part of it")]

use conformance_core::behaviour::{Behaviour, Observed};
use conformance_core::snapshot::{Change, Snapshot};
use conformance_core::{Choice, Judge, Judgement, Settings};
use spanproof_fixtures::corpus::Capture;
use spanproof_fixtures::{Case, case, otlp};
use spanproof_schemas::report::FindingGroup;

/// What the judge says of a case.
pub(crate) fn judge(case: &Case) -> Judgement {
    let mut settings = Settings::default();
    if let Some(version) = &case.semconv {
        settings.semconv = Choice::Required(version.parse().unwrap());
    }
    settings.redaction = case.redaction.parse().unwrap();
    settings.reads_streams_to_end = case.reads_streams_to_end;
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
    if let Some(runs) = &case.behaviour {
        let [one, other, with] = runs.each_ref().map(observed);
        judge.behaviour(&Behaviour::of([&one, &other], &with));
    }
    if let Some(case) = &case.snapshot {
        judge.snapshot(&snapshot(case));
    }
    judge.finish()
}

fn observed(run: &case::Run) -> Observed {
    Observed {
        exchanges: run.exchanges.clone(),
        status: run.status.clone(),
        output: run.output.clone(),
        exceptions: run.exceptions.clone(),
    }
}

fn snapshot(case: &case::Snapshot) -> Snapshot {
    let changes = case.changes.iter().map(|change| Change {
        line: change.line,
        before: change.before.clone(),
        after: change.after.clone(),
    });
    let changes = changes.collect();
    Snapshot { path: case.path.clone(), is_missing: case.is_missing, changes }
}

/// What the judge finds in a capture of the corpus.
pub(crate) fn judge_capture(capture: &Capture, settings: Settings) -> Vec<FindingGroup> {
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

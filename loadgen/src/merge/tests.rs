use spanproof_schemas::load_result::{HistogramCounts, LoadHistograms, LoadWindow, PlanIdentity};
use spanproof_schemas::report::{
    Example, FindingGroup, Level, Load, REPORT_VERSION, ReceivedSpans, Report, Telemetry,
    UsageComparison, Verdict,
};

use super::*;

const SECOND: u64 = 1_000_000_000;

fn finding(rule: &str, count: u64) -> FindingGroup {
    FindingGroup {
        rule: rule.to_owned(),
        level: Level::Violation,
        count,
        message: "it is wrong".to_owned(),
        examples: vec![Example::default(); 4],
    }
}

/// Shard `index` of `count` of a plan of 10 calls.
fn result(index: u64, count: u64) -> (String, LoadResult) {
    let calls = 10 / count + u64::from(10 % count > index);
    let times = HistogramCounts(vec![(1_000, calls)]);
    let load = Load {
        client: "rust".to_owned(),
        intended: calls,
        started: calls,
        completed: calls,
        telemetry: Some(TelemetryBooks {
            client: Some(Accounting { created: calls, exported: calls, ..Accounting::default() }),
            receivers: vec![ReceivedSpans {
                receiver: "spanproof".to_owned(),
                accepted: calls,
                refused: 0,
            }],
            mismatches: Vec::new(),
        }),
        ..Load::default()
    };
    let report = Report {
        version: REPORT_VERSION,
        verdict: if index == 1 { Verdict::Findings } else { Verdict::Conforms },
        fail_on: Level::Violation,
        semconv: [("1.41.1".to_owned(), calls)].into(),
        load: Some(load),
        telemetry: Telemetry { spans: calls, ..Telemetry::default() },
        join: None,
        findings: vec![finding("a/rule", 1)],
        deviations: Vec::new(),
        usage: UsageComparison::default(),
        cost: None,
        rules: Vec::new(),
        traces: Vec::new(),
        truth: None,
        coverage: Vec::new(),
    };
    let result = LoadResult {
        version: LOAD_RESULT_VERSION,
        program: "1.0.0".to_owned(),
        plan: PlanIdentity {
            fingerprint: "f".to_owned(),
            hash: format!("{:064x}", index + 1),
            seed: 7,
            calls: 10,
        },
        shard: ShardIdentity { index, count },
        speed: "1440x".to_owned(),
        window: LoadWindow {
            start_unix_nanos: 100 * SECOND + index,
            end_unix_nanos: 160 * SECOND + index,
            ..LoadWindow::default()
        },
        is_whole: true,
        histograms: LoadHistograms { latency: times, ..LoadHistograms::default() },
        slices: Vec::new(),
        failures: Vec::new(),
        report,
    };
    (format!("{index}.json"), result)
}

fn refused(change: impl FnOnce(&mut Vec<(String, LoadResult)>)) -> String {
    let mut results = (0..3).map(|index| result(index, 3)).collect();
    change(&mut results);
    merge(results).unwrap_err().to_string()
}

#[test]
fn shards_merge_to_the_whole_in_any_order() {
    let whole = merge((0..3).map(|index| result(index, 3)).collect()).unwrap();
    let backwards = merge((0..3).rev().map(|index| result(index, 3)).collect()).unwrap();
    assert_eq!(whole, backwards);
    let load = whole.report.load.as_ref().unwrap();
    assert_eq!((load.intended, load.completed), (10, 10));
    assert_eq!(whole.histograms.latency, HistogramCounts(vec![(1_000, 10)]));
    let books = load.telemetry.as_ref().unwrap();
    assert_eq!(books.client.unwrap().created, 10);
    assert_eq!(books.receivers.len(), 1);
    assert_eq!(books.receivers[0].accepted, 10);
    assert_eq!(whole.report.verdict, Verdict::Findings);
    assert_eq!(whole.report.telemetry.spans, 10);
    assert_eq!((whole.report.findings.len(), whole.report.findings[0].count), (1, 3));
    assert_eq!(whole.report.findings[0].examples.len(), 5);
    // 1 + 2 + 3
    assert_eq!(whole.plan.hash, format!("{:064x}", 6));
    assert_eq!(whole.shard, ShardIdentity { index: 0, count: 1 });
    assert_eq!(
        (whole.window.start_unix_nanos, whole.window.end_unix_nanos),
        (100 * SECOND, 160 * SECOND + 2)
    );
}

#[test]
fn one_shard_merges_to_itself() {
    let (name, alone) = result(0, 1);
    assert_eq!(merge(vec![(name, alone.clone())]).unwrap().report.telemetry.spans, 10);
}

#[test]
fn pieces_that_are_not_of_one_load_are_refused() {
    let said: Vec<String> = vec![
        refused(Vec::clear),
        refused(|all| all[1].1.version = 9),
        refused(|all| all[1].1.plan.seed = 8),
        refused(|all| all[2].1.plan.fingerprint = "g".to_owned()),
        refused(|all| all[2].1.program = "1.0.1".to_owned()),
        refused(|all| all[2].1.speed = "max".to_owned()),
        refused(|all| drop(all.pop())),
        refused(|all| all.truncate(1)),
        refused(|all| all.push(result(1, 3))),
        refused(|all| all[2].1.shard.index = 5),
        refused(|all| all[2].1.window.start_unix_nanos = 162 * SECOND),
        refused(|all| all[0].1.plan.hash = "?".to_owned()),
        refused(|all| all[0].1.report.load = None),
        refused(|all| all[0].1.histograms.lag = HistogramCounts(vec![(u64::MAX, 1)])),
        refused(|all| all[0].1.plan.calls = 0),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

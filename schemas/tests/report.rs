//! Reports and the results of loads are what their JSON Schemas say, in Rust as in the schema.

mod support;

use std::collections::BTreeMap;

use spanproof_schemas::accounting::Accounting;
use spanproof_schemas::ledger::Usage;
use spanproof_schemas::load_result::{
    HistogramCounts, LOAD_RESULT_VERSION, LoadHistograms, LoadResult, LoadWindow, PlanIdentity,
    ShardIdentity, SliceHistograms,
};
use spanproof_schemas::report::{
    AchievedRate, AttributeCoverage, Checked, Cost, Coverage, Deviation, DeviationSource,
    DeviationState, Example, ExcerptKind, ExcerptSpan, ExcerptStatus, FindingGroup, Gate, Join,
    JoinMeans, LagParts, Level, Load, LoadAnswers, LoadMinute, LoadShare, LoadSlice, LoadStorage,
    PolicyStorage, Quantiles, REPORT_VERSION, ReceivedSpans, Report, Reported, RequirementLevel,
    RuleOutcome, RuleState, Served, Subject, Telemetry, TelemetryBooks, TokenCounts, TraceExcerpt,
    TruthRow, TruthTable, UsageComparison, Verdict,
};
use spanproof_schemas::report_line::{ReportLine, Summary};
use support::{assert_refuses_spoiled, document, validator};

/// A report with nothing that may be left out.
fn smallest_report() -> Report {
    Report {
        version: REPORT_VERSION,
        verdict: Verdict::NothingCaptured,
        fail_on: Level::Violation,
        semconv: BTreeMap::new(),
        load: None,
        telemetry: Telemetry::default(),
        join: None,
        findings: Vec::new(),
        deviations: Vec::new(),
        usage: UsageComparison::default(),
        cost: None,
        rules: Vec::new(),
        traces: Vec::new(),
        truth: None,
        coverage: Vec::new(),
    }
}

/// A rule in every state.
fn rules() -> Vec<RuleOutcome> {
    let kinds = [
        Checked::Spans,
        Checked::Texts,
        Checked::Events,
        Checked::Metrics,
        Checked::Points,
        Checked::Calls,
        Checked::Scopes,
        Checked::MetricSums,
        Checked::Run,
    ];
    let states = [RuleState::Checked, RuleState::NothingToCheck, RuleState::Off];
    states
        .map(|state| RuleOutcome {
            id: "usage/input-tokens".to_owned(),
            summary: "input tokens are those served".to_owned(),
            level: Level::Violation,
            state,
            checked: kinds.map(|kind| (kind, 1)).into_iter().collect(),
            findings: 2,
            expected: 1,
            basis: "ground truth".to_owned(),
            what_it_checks: "The count.".to_owned(),
            why: "Bills.".to_owned(),
            example: "12 for 13.".to_owned(),
            how_to_mend: "Count.".to_owned(),
            reference: "https://opentelemetry.io/".to_owned(),
        })
        .to_vec()
}

/// A span of every kind and status, with all that one may have.
fn excerpt(kind: ExcerptKind, status: ExcerptStatus) -> ExcerptSpan {
    ExcerptSpan {
        span_id: "b7ad6b7169203331".to_owned(),
        parent_span_id: Some("b7ad6b7169203330".to_owned()),
        depth: 1,
        has_parent: true,
        name: "chat".to_owned(),
        kind,
        start_unix_nanos: 1,
        end_unix_nanos: 2,
        status,
        scope: Some("a library".to_owned()),
        attributes: BTreeMap::from([("gen_ai.operation.name".to_owned(), "\"chat\"".to_owned())]),
    }
}

/// Calls with a span and without.
fn truth(tokens: TokenCounts, by: &[JoinMeans]) -> TruthTable {
    let mut row = TruthRow {
        exchange: 1,
        attempts: 2,
        operation: "Converse".to_owned(),
        served: Served {
            model: "a.model".to_owned(),
            status: 200,
            exception: Some("ThrottlingException".to_owned()),
            fault: Some("cut".to_owned()),
            stop_reason: Some("end_turn".to_owned()),
            tokens,
        },
        reported: None,
        rules: vec!["usage/input-tokens".to_owned()],
    };
    let mut rows = vec![row.clone()];
    for by in by {
        row.reported = Some(Reported {
            by: *by,
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            span_id: "b7ad6b7169203331".to_owned(),
            span_name: "chat".to_owned(),
            model: Some("a.model".to_owned()),
            is_error: true,
            error_type: Some("timeout".to_owned()),
            finish_reasons: vec!["stop".to_owned()],
            input_tokens: Some(1),
            output_tokens: Some(2),
            cache_read_input_tokens: Some(3),
            cache_write_input_tokens: Some(4),
            duration_nanos: 5,
        });
        rows.push(row.clone());
    }
    TruthTable { calls: 9, calls_with_findings: 5, rows }
}

fn coverage() -> Vec<Coverage> {
    let levels = [
        None,
        Some(RequirementLevel::Required),
        Some(RequirementLevel::ConditionallyRequired),
        Some(RequirementLevel::Recommended),
        Some(RequirementLevel::OptIn),
    ];
    let attributes = levels.map(|requirement| AttributeCoverage {
        name: "gen_ai.request.model".to_owned(),
        requirement,
        spans: 4,
    });
    [None, Some("aws.bedrock.client".to_owned())]
        .map(|span_type| Coverage {
            semconv: "1.41.1".to_owned(),
            span_type,
            spans: 4,
            attributes: attributes.to_vec(),
        })
        .to_vec()
}

/// A deviation in every state, from both sources.
fn deviations(findings: &[FindingGroup]) -> Vec<Deviation> {
    let states = [
        DeviationState::Met,
        DeviationState::Stale,
        DeviationState::Unmatched,
        DeviationState::Shadowed,
        DeviationState::Fewer,
        DeviationState::More,
        DeviationState::Expired,
    ];
    let entry = |state| Deviation {
        source: DeviationSource::Configuration,
        file: "spanproof.toml".to_owned(),
        line: 12,
        rule: "usage/*".to_owned(),
        matching: BTreeMap::from([("scope".to_owned(), "a library*".to_owned())]),
        reason: Some("it is mended in 2.0".to_owned()),
        expires: Some("2026-12-31".to_owned()),
        least: 1,
        most: Some(3),
        found: 2,
        state,
        problem: Some("there are fewer".to_owned()),
        findings: findings.to_vec(),
    };
    let counted = Deviation {
        source: DeviationSource::Baseline,
        reason: None,
        expires: None,
        most: None,
        problem: None,
        findings: Vec::new(),
        matching: BTreeMap::new(),
        ..entry(DeviationState::Met)
    };
    states.map(entry).into_iter().chain([counted]).collect()
}

/// A load with everything.
fn largest_load() -> Load {
    let quantiles = Quantiles { p50: 0.5, p99: 1.5, max: 20.0 };
    let charged = Usage {
        input_tokens: 1,
        output_tokens: 2,
        cache_read_input_tokens: 3,
        cache_write_input_tokens: 4,
        reasoning_output_tokens: 1,
    };
    Load {
        client: "rust".to_owned(),
        intended: 4,
        started: 3,
        completed: 2,
        failed: 1,
        skipped: 1,
        dropped: 1,
        wall_s: 60.5,
        schedule_lag_ms: quantiles,
        lag_parts: Some(LagParts { timer_ms: quantiles, room_ms: quantiles, client_ms: quantiles }),
        latency_ms: quantiles,
        service_ms: quantiles,
        ttft_ms: quantiles,
        rate: Some(AchievedRate { planned_per_s: 1.5, achieved_per_s: 1.25 }),
        minutes: vec![LoadMinute { minute: 7, planned: 4, sent: 3, completed: 2 }],
        slices: vec![LoadSlice {
            minute: 5,
            minutes: 5,
            schedule_lag_ms: quantiles,
            latency_ms: quantiles,
            ttft_ms: quantiles,
            tokens: charged,
        }],
        answers: LoadAnswers {
            stop_reasons: BTreeMap::from([("end_turn".to_owned(), 2)]),
            errors: BTreeMap::from([("ThrottlingException".to_owned(), 1)]),
            shares: vec![LoadShare {
                model: "a.model".to_owned(),
                tenant: Some(3),
                feature: Some("summary".to_owned()),
                calls: 3,
                tokens: charged,
                usd: Some(0.25),
            }],
        },
        storage: Some(LoadStorage {
            encoding: "vParquet4".to_owned(),
            retention_days: 14.0,
            policies: vec![PolicyStorage {
                policy: "cut:2KiB".to_owned(),
                bytes_per_day: 1.0,
                bytes_at_retention: 14.0,
                least_bytes_at_retention: 13.0,
                greatest_bytes_at_retention: 15.5,
                usd_per_month: 0.5,
            }],
        }),
        telemetry: Some(TelemetryBooks {
            client: Some(Accounting { created: 3, exported: 3, ..Accounting::default() }),
            receivers: vec![ReceivedSpans {
                receiver: "spanproof".to_owned(),
                accepted: 2,
                refused: 0,
            }],
            mismatches: vec!["one is missing".to_owned()],
        }),
        gates: vec![Gate {
            name: "--max-lost".to_owned(),
            asked: "at most 0".to_owned(),
            seen: "1".to_owned(),
            is_met: false,
            advice: Some("lose none".to_owned()),
        }],
    }
}

/// A report with everything.
fn largest_report() -> Report {
    let counts = TokenCounts {
        input_tokens: 10,
        output_tokens: 20,
        cache_read_input_tokens: 30,
        cache_write_input_tokens: 40,
    };
    let subject = Subject {
        trace_id: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
        span_id: Some("b7ad6b7169203331".to_owned()),
        span_name: Some("chat".to_owned()),
        metric: Some("gen_ai.client.token.usage".to_owned()),
        event: Some("gen_ai.choice".to_owned()),
        scope: Some("a library".to_owned()),
        exchange: Some(12),
    };
    let findings =
        [Level::Violation, Level::Improvement, Level::Information].map(|level| FindingGroup {
            rule: "usage/input-tokens".to_owned(),
            level,
            count: 2,
            message: "cached tokens are left out".to_owned(),
            examples: vec![
                Example::default(),
                Example {
                    subject: subject.clone(),
                    attribute: Some("gen_ai.usage.input_tokens".to_owned()),
                    expected: Some("12".to_owned()),
                    actual: Some("2".to_owned()),
                },
            ],
        });
    let means = [
        JoinMeans::InvocationId,
        JoinMeans::TraceContext,
        JoinMeans::ResponseId,
        JoinMeans::TimeOverlap,
    ];
    Report {
        verdict: Verdict::Findings,
        semconv: BTreeMap::from([("1.41.1".to_owned(), 12)]),
        load: Some(largest_load()),
        telemetry: Telemetry { spans: 1, gen_ai_spans: 1, metric_points: 2, log_records: 3 },
        join: Some(Join {
            calls: 4,
            matched: 3,
            unmatched_calls: 1,
            unmatched_spans: 0,
            late_calls: 1,
            late_spans: 1,
            by: means.into_iter().map(|means| (means, 1)).collect(),
        }),
        findings: findings.to_vec(),
        deviations: deviations(&findings),
        usage: UsageComparison { served: counts, reported: counts, cache_tokens_unnamed: true },
        cost: Some(Cost {
            served_usd: 1.25,
            reported_usd: 1.0,
            prices_as_of: "2026-11-22".to_owned(),
            unpriced_models: vec!["a.model".to_owned()],
        }),
        rules: rules(),
        traces: vec![TraceExcerpt {
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            captured_spans: 9,
            spans: vec![
                excerpt(ExcerptKind::Unspecified, ExcerptStatus::Unset),
                excerpt(ExcerptKind::Internal, ExcerptStatus::Ok),
                excerpt(ExcerptKind::Server, ExcerptStatus::Error),
                excerpt(ExcerptKind::Client, ExcerptStatus::Unset),
                excerpt(ExcerptKind::Producer, ExcerptStatus::Unset),
                excerpt(ExcerptKind::Consumer, ExcerptStatus::Unset),
            ],
        }],
        truth: Some(truth(counts, &means)),
        coverage: coverage(),
        ..smallest_report()
    }
}

#[test]
fn the_report_is_what_its_schema_says() {
    let schema = validator("report");
    let conforming = Report { verdict: Verdict::Conforms, ..smallest_report() };
    for report in [smallest_report(), conforming, largest_report()] {
        assert_refuses_spoiled(&schema, &document(&schema, &report), &[]);
    }
}

#[test]
fn the_result_of_a_load_is_what_its_schema_says() {
    let schema = validator("load-result");
    let counts = HistogramCounts(vec![(7, 1), (u64::MAX, u64::MAX)]);
    let result = LoadResult {
        version: LOAD_RESULT_VERSION,
        program: "0.1.0".to_owned(),
        plan: PlanIdentity {
            fingerprint: "0".repeat(64),
            hash: "f".repeat(64),
            seed: u64::MAX,
            calls: 4,
        },
        shard: ShardIdentity { index: 0, count: 1 },
        speed: "1440x".to_owned(),
        window: LoadWindow { clock_step_ms: -1, ..LoadWindow::default() },
        is_whole: true,
        histograms: LoadHistograms { lag: counts.clone(), ..LoadHistograms::default() },
        slices: vec![SliceHistograms { minute: 5, latency: counts, ..SliceHistograms::default() }],
        failures: vec!["call 7: it was cut".to_owned()],
        report: Report { verdict: Verdict::Conforms, ..largest_report() },
    };
    assert_refuses_spoiled(&schema, &document(&schema, &result), &[]);
}

#[test]
fn the_lines_of_a_report_are_what_their_schema_says() {
    let schema = validator("report-line");
    let report = largest_report();
    let findings = report.findings.iter().cloned().map(ReportLine::Finding);
    let deviations = report.deviations.iter().cloned().map(ReportLine::Deviation);
    let summary = ReportLine::Summary(Box::new(Summary::of(&report)));
    for line in findings.chain(deviations).chain([summary]) {
        assert_refuses_spoiled(&schema, &document(&schema, &line), &[]);
    }
}

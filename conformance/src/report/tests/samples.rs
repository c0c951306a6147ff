//! Reports to show.

use std::collections::BTreeMap;

use spanproof_schemas::accounting::Accounting;
use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::{
    AchievedRate, AttributeCoverage, Checked, Cost, Coverage, Example, ExcerptKind, ExcerptSpan,
    ExcerptStatus, FindingGroup, Gate, Join, JoinMeans, LagParts, Level, Load, LoadAnswers,
    LoadMinute, LoadShare, LoadSlice, LoadStorage, PolicyStorage, Quantiles, REPORT_VERSION,
    ReceivedSpans, Report, Reported, RequirementLevel, RuleOutcome, RuleState, Served, Subject,
    Telemetry, TelemetryBooks, TokenCounts, TraceExcerpt, TruthRow, TruthTable, UsageComparison,
    Verdict,
};

use super::deviations::deviations;

const MODEL: &str = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const EPOCH_UNIX_NANOS: u64 = 1_767_225_600_000_000_000;
const MILLI: u64 = 1_000_000;

/// A load that conforms.
pub(super) fn conforming() -> Report {
    let tokens = TokenCounts {
        input_tokens: 41_234_567,
        output_tokens: 9_876_543,
        cache_read_input_tokens: 1_024_000,
        cache_write_input_tokens: 64_000,
    };
    Report {
        version: REPORT_VERSION,
        verdict: Verdict::Conforms,
        fail_on: Level::Violation,
        semconv: BTreeMap::from([("1.41.1".to_owned(), 80_000)]),
        load: Some(load()),
        telemetry: Telemetry {
            spans: 80_000,
            gen_ai_spans: 80_000,
            metric_points: 24,
            log_records: 1,
        },
        join: Some(Join {
            calls: 80_000,
            matched: 80_000,
            by: BTreeMap::from([
                (JoinMeans::InvocationId, 79_000),
                (JoinMeans::TraceContext, 1_000),
            ]),
            ..Join::default()
        }),
        findings: Vec::new(),
        deviations: Vec::new(),
        usage: UsageComparison { served: tokens, reported: tokens, cache_tokens_unnamed: false },
        cost: Some(Cost {
            served_usd: 1_234.567,
            reported_usd: 1_234.567,
            prices_as_of: "2026-11-01".to_owned(),
            unpriced_models: Vec::new(),
        }),
        rules: rules(),
        traces: Vec::new(),
        truth: None,
        coverage: Vec::new(),
    }
}

/// A load that is told in all that can be told of one.
fn load() -> Load {
    Load {
        client: "rust".to_owned(),
        intended: 80_000,
        started: 80_000,
        completed: 79_998,
        failed: 2,
        wall_s: 60.04,
        schedule_lag_ms: Quantiles { p50: 0.02, p99: 0.31, max: 4.2 },
        latency_ms: Quantiles { p50: 1.44, p99: 12.0, max: 142.3 },
        ttft_ms: Quantiles::default(),
        service_ms: Quantiles { p50: 1.4, p99: 11.9, max: 140.1 },
        lag_parts: Some(LagParts {
            timer_ms: Quantiles { p50: 0.01, p99: 0.05, max: 1.1 },
            room_ms: Quantiles { p50: 0.0, p99: 0.01, max: 0.2 },
            client_ms: Quantiles { p50: 0.01, p99: 0.25, max: 2.9 },
        }),
        rate: Some(AchievedRate { planned_per_s: 1_333.3, achieved_per_s: 1_333.2 }),
        minutes: vec![
            LoadMinute { minute: 1_153, planned: 170, sent: 171, completed: 170 },
            LoadMinute { minute: 1_154, planned: 181, sent: 180, completed: 181 },
        ],
        slices: slices(),
        answers: answers(),
        storage: Some(LoadStorage {
            encoding: "vParquet4".to_owned(),
            retention_days: 14.0,
            policies: [("none", 1.0), ("cut:2KiB", 6.0), ("full", 31.0)]
                .map(|(policy, times)| PolicyStorage {
                    policy: policy.to_owned(),
                    bytes_per_day: times * 41.2e6,
                    bytes_at_retention: times * 576.8e6,
                    least_bytes_at_retention: times * 560e6,
                    greatest_bytes_at_retention: times * 640e6,
                    usd_per_month: times * 0.21,
                })
                .to_vec(),
        }),
        telemetry: Some(TelemetryBooks {
            client: Some(Accounting {
                created: 80_000,
                exported: 79_990,
                rejected: 7,
                dropped: 2,
                failed: 1,
                retried: 512,
                unanswered: 512,
            }),
            receivers: vec![ReceivedSpans {
                receiver: "spanproof".to_owned(),
                accepted: 79_989,
                refused: 7,
            }],
            mismatches: vec![
                "by spanproof, 79990 items were acknowledged, but only 79989 arrived".to_owned(),
            ],
        }),
        gates: vec![
            Gate {
                name: "--min-achieved".to_owned(),
                asked: "at least 99 %".to_owned(),
                seen: "99.99 % (1333.2 of 1333.3 calls/s)".to_owned(),
                is_met: true,
                advice: None,
            },
            Gate {
                name: "--max-lost".to_owned(),
                asked: "at most 0".to_owned(),
                seen: "2 calls failed, 10 spans not exported".to_owned(),
                is_met: false,
                advice: Some(
                    "see how calls failed; see what the receiver said about the spans".to_owned(),
                ),
            },
        ],
        ..Load::default()
    }
}

/// Two slices of an hour, and one that comes later and has no stream.
fn slices() -> Vec<LoadSlice> {
    let slice = |minute, p50, ttft_ms| LoadSlice {
        minute,
        minutes: 15,
        schedule_lag_ms: Quantiles { p50: 0.02, p99: 0.31, max: 4.2 },
        latency_ms: Quantiles { p50, p99: p50 * 8.0, max: 142.3 },
        ttft_ms,
        tokens: Usage {
            input_tokens: 650_000,
            output_tokens: 91_000,
            cache_read_input_tokens: 120_000,
            ..Usage::default()
        },
    };
    let streams = Quantiles { p50: 0.9, p99: 3.4, max: 12.0 };
    vec![
        slice(1_140, 1.4, streams),
        slice(1_155, 1.6, streams),
        slice(1_185, 1.2, Quantiles::default()),
    ]
}

fn answers() -> LoadAnswers {
    let share = |model: &str, tenant, feature: &str, calls, usd| LoadShare {
        model: model.to_owned(),
        tenant,
        feature: Some(feature.to_owned()),
        calls,
        tokens: Usage { input_tokens: calls * 900, output_tokens: calls * 120, ..Usage::default() },
        usd,
    };
    LoadAnswers {
        stop_reasons: BTreeMap::from([
            ("end_turn".to_owned(), 71_000),
            ("tool_use".to_owned(), 8_200),
        ]),
        errors: BTreeMap::from([("ThrottlingException".to_owned(), 798)]),
        shares: vec![
            share(MODEL, Some(0), "search", 50_000, Some(225.0)),
            share(MODEL, Some(1), "summary", 20_000, Some(90.0)),
            share("amazon.nova-new-v9:0", None, "summary", 9_998, None),
        ],
    }
}

/// A run with findings of every level, in everything that a report can show of them.
pub(super) fn with_findings() -> Report {
    telling(&format!("chat {MODEL}"), "12")
}

/// The same, in which the program's telemetry says `name` and `value` where it can say anything.
pub(super) fn telling(name: &str, value: &str) -> Report {
    let mut report = conforming();
    report.verdict = Verdict::Findings;
    report.usage.reported.input_tokens -= 1_088_000;
    report.load = None;
    if let Some(cost) = &mut report.cost {
        cost.reported_usd = 1_230.0;
        cost.unpriced_models = vec!["amazon.nova-new-v9:0".to_owned()];
    }
    if let Some(join) = &mut report.join {
        join.matched = 79_993;
        join.unmatched_calls = 7;
    }
    report.findings = findings(name, value);
    report.deviations = deviations(name, value);
    for rule in &mut report.rules {
        let count = |groups: &[FindingGroup]| -> u64 {
            let own = groups.iter().filter(|group| group.rule == rule.id);
            own.map(|group| group.count).sum()
        };
        rule.findings = count(&report.findings);
        rule.expected = report.deviations.iter().map(|known| count(&known.findings)).sum();
    }
    report.traces = vec![trace(name, value)];
    report.truth = Some(truth(name, value));
    report.coverage = coverage();
    report
}

fn findings(name: &str, value: &str) -> Vec<FindingGroup> {
    let span = |span_id: &str, exchange| Subject {
        trace_id: Some(TRACE.to_owned()),
        span_id: Some(span_id.to_owned()),
        span_name: Some(name.to_owned()),
        scope: Some("opentelemetry.instrumentation.botocore".to_owned()),
        exchange,
        ..Subject::default()
    };
    let tokens = |span_id: &str, exchange| Example {
        subject: span(span_id, Some(exchange)),
        attribute: Some("gen_ai.usage.input_tokens".to_owned()),
        expected: Some("1036".to_owned()),
        actual: Some(value.to_owned()),
    };
    // What stands between backticks in a message is a name that the program made up.
    let quoted = value.replace('`', "'");
    vec![
        FindingGroup {
            rule: "redaction/content-leak".to_owned(),
            level: Level::Violation,
            count: 1,
            message: "text of a prompt is in telemetry".to_owned(),
            examples: vec![Example {
                subject: span("eee19b7ec3c1b175", None),
                attribute: Some(format!("app.{name}")),
                expected: None,
                actual: Some(format!("SPMP…\n\u{1b}[31m{}{value}", "lorem ipsum ".repeat(40))),
            }],
        },
        FindingGroup {
            rule: "truth/missing-span".to_owned(),
            level: Level::Violation,
            count: 7,
            message: "a call that was served has no span".to_owned(),
            examples: vec![Example {
                subject: Subject { exchange: Some(12), ..Subject::default() },
                ..Example::default()
            }],
        },
        FindingGroup {
            rule: "usage/input-tokens".to_owned(),
            level: Level::Violation,
            count: 1_200,
            message: "the input tokens leave cached tokens out, which this version counts in"
                .to_owned(),
            examples: vec![tokens("eee19b7ec3c1b174", 3), tokens("eee19b7ec3c1b175", 4)],
        },
        FindingGroup {
            rule: "usage/input-tokens".to_owned(),
            level: Level::Violation,
            count: 7,
            message: "tokens were served and the span states no input tokens".to_owned(),
            examples: vec![tokens("eee19b7ec3c1b174", 5); 4],
        },
        FindingGroup {
            rule: "naming/unknown-attribute".to_owned(),
            level: Level::Improvement,
            count: 3,
            message: format!("no version of the conventions has `gen_ai.{quoted}`"),
            examples: Vec::new(),
        },
        FindingGroup {
            rule: "metrics/unit".to_owned(),
            level: Level::Information,
            count: 1,
            message: "the metric's unit is not the one of the conventions".to_owned(),
            examples: vec![Example {
                subject: Subject {
                    metric: Some(name.to_owned()),
                    scope: Some(name.to_owned()),
                    ..Subject::default()
                },
                attribute: None,
                expected: Some("s".to_owned()),
                actual: Some(value.to_owned()),
            }],
        },
    ]
}

fn trace(name: &str, value: &str) -> TraceExcerpt {
    let span = |id: u64, depth, name: &str, kind, from_ms, to_ms| ExcerptSpan {
        span_id: format!("{id:016x}"),
        parent_span_id: (depth > 0).then(|| "eee19b7ec3c1b170".to_owned()),
        depth,
        has_parent: depth > 0,
        name: name.to_owned(),
        kind,
        start_unix_nanos: EPOCH_UNIX_NANOS + from_ms * MILLI,
        end_unix_nanos: EPOCH_UNIX_NANOS + to_ms * MILLI,
        status: ExcerptStatus::Unset,
        scope: None,
        attributes: BTreeMap::new(),
    };
    let attributes = BTreeMap::from([
        ("gen_ai.operation.name".to_owned(), "\"chat\"".to_owned()),
        ("gen_ai.usage.input_tokens".to_owned(), value.to_owned()),
    ]);
    let call = span(0xeee1_9b7e_c3c1_b174, 2, name, ExcerptKind::Client, 40, 880);
    let failed = span(0xeee1_9b7e_c3c1_b175, 2, name, ExcerptKind::Client, 900, 1_010);
    let mut spans = vec![
        span(1, 0, "POST /ask", ExcerptKind::Server, 0, 1_200),
        span(2, 1, "invoke_agent helper", ExcerptKind::Internal, 10, 1_150),
        span(3, 2, "execute_tool search", ExcerptKind::Internal, 12, 38),
        ExcerptSpan { attributes, ..call },
        ExcerptSpan { status: ExcerptStatus::Error, ..failed },
        span(6, 1, "render", ExcerptKind::Internal, 1_160, 1_199),
    ];
    spans[0].parent_span_id = None;
    TraceExcerpt { trace_id: TRACE.to_owned(), captured_spans: 9, spans }
}

fn truth(name: &str, value: &str) -> TruthTable {
    let served = Served {
        model: MODEL.to_owned(),
        status: 200,
        exception: None,
        fault: None,
        stop_reason: Some("end_turn".to_owned()),
        tokens: TokenCounts { input_tokens: 1_036, output_tokens: 52, ..TokenCounts::default() },
    };
    let reported = Reported {
        by: JoinMeans::TraceContext,
        trace_id: TRACE.to_owned(),
        span_id: "eee19b7ec3c1b174".to_owned(),
        span_name: name.to_owned(),
        model: Some(MODEL.to_owned()),
        is_error: false,
        error_type: None,
        finish_reasons: vec!["end_turn".to_owned()],
        input_tokens: Some(1_036),
        output_tokens: Some(52),
        cache_read_input_tokens: None,
        cache_write_input_tokens: None,
        duration_nanos: 840 * MILLI,
    };
    let row = |exchange, served, reported, rules: &[&str]| TruthRow {
        exchange,
        attempts: 1 + exchange % 2,
        operation: "ConverseStream".to_owned(),
        served,
        reported,
        rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
    };
    let wrong = Reported { input_tokens: Some(12), ..reported.clone() };
    let failed = Served {
        status: 429,
        exception: Some("ThrottlingException".to_owned()),
        fault: Some("throttle".to_owned()),
        stop_reason: None,
        tokens: TokenCounts::default(),
        ..served.clone()
    };
    let told = Reported {
        is_error: true,
        model: Some(format!("not {name}")),
        error_type: Some(value.to_owned()),
        finish_reasons: vec![value.to_owned(), name.to_owned()],
        output_tokens: None,
        ..reported.clone()
    };
    TruthTable {
        calls: 80_000,
        calls_with_findings: 1_208,
        rows: vec![
            row(0, served.clone(), Some(reported), &[]),
            row(3, served.clone(), Some(wrong), &["usage/input-tokens"]),
            row(4, failed, Some(told), &["redaction/content-leak", "usage/input-tokens"]),
            row(12, served, None, &["truth/missing-span"]),
        ],
    }
}

fn coverage() -> Vec<Coverage> {
    let attribute = |name: &str, requirement, spans| AttributeCoverage {
        name: name.to_owned(),
        requirement,
        spans,
    };
    vec![Coverage {
        semconv: "1.41.1".to_owned(),
        span_type: Some("span.aws.bedrock.client".to_owned()),
        spans: 80_000,
        attributes: vec![
            attribute("gen_ai.input.messages", Some(RequirementLevel::OptIn), 0),
            attribute("gen_ai.made_up", None, 3),
            attribute("gen_ai.operation.name", Some(RequirementLevel::Required), 80_000),
            attribute("gen_ai.provider.name", Some(RequirementLevel::Required), 79_999),
            attribute(
                "gen_ai.request.stream",
                Some(RequirementLevel::ConditionallyRequired),
                40_000,
            ),
            attribute("gen_ai.usage.input_tokens", Some(RequirementLevel::Recommended), 79_000),
        ],
    }]
}

fn rules() -> Vec<RuleOutcome> {
    use {Checked as C, Level as L, RuleState as S};

    let rule = |id: &str, level, state, checked: &[(Checked, u64)], summary: &str| RuleOutcome {
        id: id.to_owned(),
        summary: summary.to_owned(),
        level,
        state,
        checked: checked.iter().copied().collect(),
        findings: 0,
        expected: 0,
        basis: "ground truth: the ledger of what was served".to_owned(),
        what_it_checks: "The `value` against what was served, where the answer arrived in full."
            .to_owned(),
        why: "Input tokens are the larger part of most bills. A count without the cached tokens \
              shows a cached prompt as almost free."
            .to_owned(),
        example: "The service counts 37 input tokens; the span says 12.".to_owned(),
        how_to_mend: "Add `cacheReadInputTokens` of the answer to `inputTokens`.".to_owned(),
        reference: "https://opentelemetry.io/docs/specs/semconv/gen-ai/aws-bedrock/".to_owned(),
    };
    vec![
        rule(
            "metrics/unit",
            L::Information,
            S::Checked,
            &[(C::Scopes, 3)],
            "GenAI metrics have the unit of the conventions",
        ),
        rule(
            "naming/span-name",
            L::Improvement,
            S::Off,
            &[],
            "the span's name is its operation and its model",
        ),
        rule(
            "naming/unknown-attribute",
            L::Improvement,
            S::Checked,
            &[(C::Spans, 80_000)],
            "every `gen_ai.*` attribute is one of the conventions",
        ),
        rule(
            "redaction/content-leak",
            L::Violation,
            S::Checked,
            &[(C::Texts, 80_025)],
            "with content off, no text of a prompt stands anywhere",
        ),
        rule(
            "trace/parent-call",
            L::Violation,
            S::NothingToCheck,
            &[(C::Run, 0)],
            "a call is not below another",
        ),
        rule(
            "truth/missing-span",
            L::Violation,
            S::Checked,
            &[(C::Calls, 80_000)],
            "every call that was served has a span",
        ),
        rule(
            "truth/request-model",
            L::Violation,
            S::Checked,
            &[(C::Calls, 80_000)],
            "the model is the one that was asked",
        ),
        rule(
            "usage/input-tokens",
            L::Violation,
            S::Checked,
            &[(C::Calls, 80_000)],
            "the input tokens are those served",
        ),
    ]
}

/// A run whose program exported nothing.
pub(super) fn nothing_captured() -> Report {
    let mut report = conforming();
    report.verdict = Verdict::NothingCaptured;
    report.semconv.clear();
    report.telemetry = Telemetry::default();
    report.usage.reported = TokenCounts::default();
    report.cost = None;
    report.load = None;
    report.join = Some(Join { calls: 200, unmatched_calls: 200, ..Join::default() });
    for rule in &mut report.rules {
        rule.state = RuleState::NothingToCheck;
        rule.checked.clear();
    }
    report
}

/// A load whose telemetry went to somebody else's receiver.
pub(super) fn sent_elsewhere() -> Report {
    let mut report = nothing_captured();
    report.verdict = Verdict::NotJudged;
    report.join = None;
    report.load = conforming().load;
    report
}

/// A capture judged alone.
pub(super) fn without_ledger() -> Report {
    let mut report = conforming();
    report.usage.served = TokenCounts::default();
    (report.load, report.join, report.cost) = (None, None, None);
    report.rules.clear();
    report
}

/// All of them.
pub(super) fn every_report() -> [Report; 5] {
    [conforming(), with_findings(), nothing_captured(), sent_elsewhere(), without_ledger()]
}

//! Every interchange file is what its JSON Schema says, in Rust as in the schema.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Value, json};
use spanproof_schemas::accounting::Accounting;
use spanproof_schemas::ledger::{
    Answer, Chunks, Content, Conversation, Exchange, LEDGER_VERSION, MarkerKind, Operation,
    Parameters, Planted, Record, Run, SentRequest, Task, ToolCall, TraceContext, Usage,
    canonical_json, marker_stem,
};
use spanproof_schemas::load_result::{
    HistogramCounts, LOAD_RESULT_VERSION, LoadHistograms, LoadResult, LoadWindow, PlanIdentity,
    ShardIdentity,
};
use spanproof_schemas::price::PriceTable;
use spanproof_schemas::report::{
    AchievedRate, AttributeCoverage, Checked, Cost, Coverage, Deviation, DeviationSource,
    DeviationState, Example, ExcerptKind, ExcerptSpan, ExcerptStatus, FindingGroup, Gate, Join,
    JoinMeans, LagParts, Level, Load, LoadMinute, Quantiles, REPORT_VERSION, ReceivedSpans, Report,
    Reported, RequirementLevel, RuleOutcome, RuleState, Served, Subject, Telemetry, TelemetryBooks,
    TokenCounts, TraceExcerpt, TruthRow, TruthTable, UsageComparison, Verdict,
};
use spanproof_schemas::report_line::{ReportLine, Summary};
use spanproof_schemas::worker::{self, Call, Done, FromWorker};
use support::{assert_accepts, assert_refuses_spoiled, document, validator};

#[test]
fn every_schema_is_a_schema() {
    let mut names = Vec::new();
    for entry in fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(stem) = name.strip_suffix(".schema.json") else { continue };
        let schema: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        jsonschema::draft202012::meta::validate(&schema)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        names.push(stem.to_owned());
    }
    for name in ["ledger", "price", "report", "semconv", "worker"] {
        assert!(names.iter().any(|known| known == name), "{name}.schema.json is missing");
    }
}

fn run() -> Record {
    Record::Run(Run {
        version: LEDGER_VERSION,
        seed: u64::MAX,
        started_unix_nanos: 1_700_000_000_000_000_000,
        server_address: "127.0.0.1".to_owned(),
        server_port: u16::MAX,
        marker_stems: vec![
            marker_stem(MarkerKind::Prompt, 7),
            marker_stem(MarkerKind::Completion, 7),
        ],
        planted: [MarkerKind::Prompt, MarkerKind::Completion]
            .into_iter()
            .flat_map(|origin| Planted::all(origin, 7))
            .collect(),
    })
}

/// An exchange with nothing that may be left out.
fn smallest_exchange() -> Exchange {
    Exchange {
        request_id: "0".to_owned(),
        model_id: "amazon.nova-lite-v1:0".to_owned(),
        prompt_sha256: "0".repeat(64),
        completion_sha256: "f".repeat(64),
        ..Exchange::default()
    }
}

/// An exchange with everything.
fn largest_exchange() -> Exchange {
    Exchange {
        sequence: 79_999,
        arrived_unix_nanos: 1,
        finished_unix_nanos: u64::MAX,
        operation: Operation::InvokeModelWithResponseStream,
        task: Task::TextCompletion,
        trace_context: Some(TraceContext {
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            span_id: "b7ad6b7169203331".to_owned(),
            sampled: true,
        }),
        invocation_id: Some("an id".to_owned()),
        attempt: Some(3),
        parameters: Parameters {
            max_tokens: Some(512),
            temperature: Some(0.5),
            top_p: Some(1.0),
            top_k: Some(250.0),
            stop_sequences: vec!["END".to_owned()],
            guardrail_id: Some("gr-1".to_owned()),
        },
        conversation: Conversation { messages: 3, system_blocks: 1, tools: 2 },
        system_sha256: Some("1".repeat(64)),
        messages_sha256: Some("2".repeat(64)),
        answer: Some(Answer {
            texts: 1,
            tool_calls: vec![ToolCall {
                name: "get_weather".to_owned(),
                arguments_sha256: Some("0".repeat(64)),
            }],
        }),
        usage: Usage {
            input_tokens: 1,
            output_tokens: 2,
            cache_read_input_tokens: 3,
            cache_write_input_tokens: 4,
            reasoning_output_tokens: 2,
        },
        stop_reason: Some("tool_use".to_owned()),
        response_id: Some("msg_1".to_owned()),
        response_model: Some("claude".to_owned()),
        status: 200,
        exception: Some("throttlingException".to_owned()),
        delivered: true,
        chunks: Some(Chunks { first_unix_nanos: 1, last_unix_nanos: 2, count: 3 }),
        fault: Some("stream:throttlingException".to_owned()),
        guardrail_action: Some("GUARDRAIL_INTERVENED".to_owned()),
        scripted_answer: Some("greeting".to_owned()),
        served_model: Some("a.claude".to_owned()),
        test_id: Some("a-test".to_owned()),
        markers: vec!["SPMP0000000012".to_owned()],
        request: Some(Box::new(SentRequest {
            target: "/model/m/converse".to_owned(),
            headers: [("x-mine".to_owned(), "1".to_owned())].into(),
            body: [("/a".to_owned(), "1".to_owned())].into(),
        })),
        content: Some(Content { prompt: "p".to_owned(), completion: "c".to_owned() }),
        ..smallest_exchange()
    }
}

#[test]
fn the_ledger_is_what_its_schema_says() {
    let schema = validator("ledger");
    for record in [
        run(),
        Record::Exchange(Box::new(smallest_exchange())),
        Record::Exchange(Box::new(largest_exchange())),
    ] {
        assert_refuses_spoiled(&schema, &document(&schema, &record), &[]);
    }
}

#[test]
fn the_ledger_without_a_required_member_is_refused_by_both() {
    let schema = validator("ledger");
    for record in [run(), Record::Exchange(Box::new(largest_exchange()))] {
        let whole = document(&schema, &record);
        for key in whole.as_object().unwrap().keys() {
            let mut part = whole.clone();
            part.as_object_mut().unwrap().remove(key);
            let read: Result<Record, _> = serde_json::from_value(part.clone());
            assert_eq!(schema.is_valid(&part), read.is_ok(), "without `{key}`");
        }
    }
}

#[test]
fn the_same_arguments_in_any_notation_have_one_canonical_form() {
    let read = |text: &str| canonical_json(&serde_json::from_str(text).unwrap());
    let canonical = "{\"a\":[1,null,\"\u{e9}\\\"\"],\"b\":{\"c\":0.5,\"d\":-3}}";
    let other = r#"{ "b": {"d": -3.0, "c": 5e-1}, "a": [1.0, null, "\u00e9\""] }"#;
    assert_eq!(read(other), canonical);
    assert_eq!(read(canonical), canonical);
}

prop_compose! {
    fn usage()(
        input_tokens in any::<u64>(),
        output_tokens in any::<u64>(),
        cache_read_input_tokens in any::<u64>(),
        cache_write_input_tokens in any::<u64>(),
        reasoning_output_tokens in any::<u64>(),
    ) -> Usage {
        Usage {
            input_tokens,
            output_tokens,
            cache_read_input_tokens,
            cache_write_input_tokens,
            reasoning_output_tokens,
        }
    }
}

prop_compose! {
    fn exchange()(
        sequence in any::<u64>(),
        operation in prop::sample::select(Operation::ALL),
        task in prop::sample::select(Task::ALL),
        model_id in any::<String>(),
        invocation_id in of(any::<String>()),
        attempt in of(any::<u32>()),
        // Quarters, because reading a decimal back may miss the last bit.
        temperature in of((0..8u32).prop_map(|quarters| f64::from(quarters) / 4.0)),
        stop_sequences in prop::collection::vec(any::<String>(), 0..3),
        usage in usage(),
        status in any::<u16>(),
        delivered in any::<bool>(),
        prompt_sha256 in "[0-9a-f]{64}",
        content in of((any::<String>(), any::<String>())),
    ) -> Exchange {
        Exchange {
            sequence,
            operation,
            task,
            model_id,
            invocation_id,
            attempt,
            parameters: Parameters { temperature, stop_sequences, ..Parameters::default() },
            usage,
            status,
            delivered,
            prompt_sha256,
            content: content.map(|(prompt, completion)| Content { prompt, completion }),
            ..smallest_exchange()
        }
    }
}

proptest! {
    #[test]
    fn any_exchange_is_accepted_and_reads_back(exchange in exchange()) {
        static SCHEMA: LazyLock<Validator> = LazyLock::new(|| validator("ledger"));
        document(&SCHEMA, &Record::Exchange(Box::new(exchange)));
    }
}

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
        histograms: LoadHistograms { lag: counts, ..LoadHistograms::default() },
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

#[test]
fn the_worker_protocol_is_what_its_schema_says() {
    let schema = validator("worker");
    let mut call = Call {
        call: 0,
        operation: worker::Operation::Converse,
        model_id: "amazon.nova-lite-v1:0".to_owned(),
        request: json!({"messages": [{"role": "user", "content": [{"text": "hello"}]}]}),
        headers: Vec::new(),
    };
    assert_refuses_spoiled(&schema, &document(&schema, &call), &["/request"]);
    call.headers.push(("x-spanproof-fault".to_owned(), "cut".to_owned()));
    assert_refuses_spoiled(&schema, &document(&schema, &call), &["/request"]);

    let smallest = Done {
        call: 0,
        started_unix_nanos: 1,
        first_chunk_unix_nanos: None,
        finished_unix_nanos: 2,
        error: None,
        usage: None,
        stop_reason: None,
    };
    let largest = Done {
        first_chunk_unix_nanos: Some(2),
        error: Some("ThrottlingException".to_owned()),
        usage: Some(Usage::default()),
        stop_reason: Some("end_turn".to_owned()),
        ..smallest.clone()
    };
    let ready = FromWorker::Ready { client: "boto3 1.40".to_owned() };
    for line in [ready, FromWorker::Done(smallest), FromWorker::Done(largest)] {
        let mut whole = document(&schema, &line);
        for key in whole.as_object().unwrap().keys() {
            let mut spoiled = whole.clone();
            spoiled[key] = json!([]);
            assert!(!schema.is_valid(&spoiled), "accepts another type of `{key}`");
            assert!(serde_json::from_value::<FromWorker>(spoiled).is_err());
        }
        // A worker may say more than it has to.
        whole["memory_bytes"] = json!(1);
        assert_accepts(&schema, &whole);
        assert_eq!(serde_json::from_value::<FromWorker>(whole).unwrap(), line);
    }
}

#[test]
fn the_price_table_is_what_its_schema_says() {
    let text = include_str!("../../fixtures/prices/bedrock.json");
    let schema = validator("price");
    let table: Value = serde_json::from_str(text).unwrap();
    assert_accepts(&schema, &table);
    assert_refuses_spoiled(&schema, &document(&schema, &PriceTable::built_in()), &[]);
}

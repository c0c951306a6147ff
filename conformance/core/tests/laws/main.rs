//! Laws that hold for any telemetry.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod arbitrary;
mod attached;
mod expected;
mod made;
mod settled;

use arbitrary::{any_metric, any_span, metrics, value};
use conformance_core::otlp::{self, StatusCode, Value};
use conformance_core::{Choice, Intake, Judge, Judgement, Settings};
use made::{EPOCH, Made, Tie, call, exchange, key_value, made, spans, text};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use spanproof_schemas::ledger::{LEDGER_VERSION, MarkerKind, Planted, Record, Run, marker_stem};
use spanproof_schemas::report::{JoinMeans, Level};

/// The rules that found more than something worth knowing.
fn faults(judgement: &Judgement) -> Vec<&str> {
    let groups = judgement.findings.iter().filter(|group| group.level > Level::Information);
    groups.map(|group| &*group.rule).collect()
}

fn run() -> Record {
    Record::Run(Run {
        version: LEDGER_VERSION,
        seed: 7,
        started_unix_nanos: EPOCH,
        server_address: "127.0.0.1".to_owned(),
        server_port: 8080,
        marker_stems: vec![
            marker_stem(MarkerKind::Prompt, 7),
            marker_stem(MarkerKind::Completion, 7),
        ],
        planted: Planted::all(MarkerKind::Prompt, 7),
    })
}

fn export(span: otlp::Span) -> otlp::ExportTraceServiceRequest {
    otlp::ExportTraceServiceRequest {
        resource_spans: vec![otlp::ResourceSpans {
            scope_spans: vec![otlp::ScopeSpans {
                scope: Some(otlp::InstrumentationScope {
                    name: "law".to_owned(),
                    ..otlp::InstrumentationScope::default()
                }),
                spans: vec![span],
                schema_url: "https://opentelemetry.io/schemas/1.41.1".to_owned(),
            }],
            ..otlp::ResourceSpans::default()
        }],
    }
}

/// Something that a judge takes in.
#[derive(Clone, Debug)]
enum Input {
    Record(Record),
    Span(otlp::Span),
}

fn judge(inputs: &[Input]) -> Judgement {
    judge_by(Settings::default(), inputs)
}

fn judge_by(settings: Settings, inputs: &[Input]) -> Judgement {
    let mut judge = Judge::new(settings);
    judge.ledger(run());
    for input in inputs {
        match input {
            Input::Record(record) => judge.ledger(record.clone()),
            Input::Span(span) => judge.traces(&export(span.clone())),
        }
    }
    judge.finish()
}

fn inputs(calls: &[Made]) -> Vec<Input> {
    let mut inputs = Vec::new();
    for (n, made) in calls.iter().enumerate() {
        inputs.push(Input::Record(exchange(n, made)));
        inputs.extend(spans(n, made).into_iter().map(Input::Span));
    }
    inputs
}

/// Part of the telemetry.
#[derive(Clone, Debug)]
enum Telemetry {
    Span(otlp::Span),
    Metric(otlp::Metric),
    /// A resource that holds a marker.
    Resource,
}

impl Telemetry {
    fn give(&self, judge: &mut Judge) {
        match self {
            Telemetry::Span(span) => judge.traces(&export(span.clone())),
            Telemetry::Metric(metric) => judge.metrics(&metrics(metric.clone())),
            Telemetry::Resource => judge.traces(&marked_resource()),
        }
    }

    fn give_part(&self, intake: &mut Intake) {
        match self {
            Telemetry::Span(span) => {
                intake.traces_protobuf(&export(span.clone()).encode_to_vec()).unwrap();
            }
            Telemetry::Metric(metric) => intake.metrics(&metrics(metric.clone())),
            Telemetry::Resource => intake.traces(&marked_resource()),
        }
    }
}

fn marked_resource() -> otlp::ExportTraceServiceRequest {
    let marker = marker_stem(MarkerKind::Prompt, 7);
    otlp::ExportTraceServiceRequest {
        resource_spans: vec![otlp::ResourceSpans {
            resource: Some(otlp::Resource {
                attributes: vec![key_value("service.name", text(&marker))],
                ..otlp::Resource::default()
            }),
            ..otlp::ResourceSpans::default()
        }],
    }
}

fn judge_with_ledger(calls: &[Made]) -> Judge {
    let mut judge = Judge::new(Settings::default());
    judge.ledger(run());
    for (n, made) in calls.iter().enumerate() {
        judge.ledger(exchange(n, made));
    }
    judge
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_the_judge_panic(
        spans in vec(any_span(), 0..8),
        made in vec(made(), 0..4),
        metric in any_metric(),
        body in proptest::option::of(value()),
        required in any::<bool>(),
    ) {
        let mut settings = Settings::default();
        if required {
            settings.semconv = Choice::Required("1.41.1".parse().unwrap());
        }
        let mut judge = Judge::new(settings);
        judge.ledger(run());
        for (n, made) in made.iter().enumerate() {
            judge.ledger(exchange(n, made));
        }
        for span in &spans {
            judge.traces(&export(span.clone()));
        }
        judge.metrics(&metrics(metric));
        judge.logs(&otlp::ExportLogsServiceRequest {
            resource_logs: vec![otlp::ResourceLogs {
                scope_logs: vec![otlp::ScopeLogs {
                    log_records: vec![otlp::LogRecord {
                        body: Some(otlp::AnyValue { value: body }),
                        ..otlp::LogRecord::default()
                    }],
                    ..otlp::ScopeLogs::default()
                }],
                ..otlp::ResourceLogs::default()
            }],
        });
        let judgement = judge.finish();
        prop_assert_eq!(judgement.telemetry.spans, spans.len() as u64);
    }

    #[test]
    fn true_telemetry_is_joined_in_full_and_has_no_findings(calls in vec(made(), 1..24)) {
        let judgement = judge(&inputs(&calls));
        let join = judgement.join.as_ref().unwrap();
        prop_assert_eq!(join.matched, calls.len() as u64);
        prop_assert_eq!(join.unmatched_spans, 0);
        prop_assert_eq!(faults(&judgement), Vec::<&str>::new());
    }

    #[test]
    fn the_order_of_ingestion_does_not_show(
        (inputs, shuffled) in (vec(made(), 1..10), vec(any_span(), 0..4), any::<prop::sample::Index>())
            .prop_map(|(mut calls, odd, lost)| {
                // Calls that only their order tells apart, with spans of which half are wrong.
                for made in &mut calls {
                    *made = call(made.start_ms / 200 * 200, 100, made.tie);
                }
                let mut all = inputs(&calls);
                for (at, input) in all.iter_mut().enumerate() {
                    if let Input::Span(span) = input && at % 4 < 2 {
                        span.attributes.retain(|known| !known.key.ends_with("finish_reasons"));
                    }
                }
                all.remove(lost.index(all.len()));
                all.extend(odd.into_iter().map(Input::Span));
                all
            })
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        prop_assert_eq!(judge(&inputs), judge(&shuffled));
    }

    #[test]
    fn which_intake_takes_what_does_not_show(
        calls in vec(made(), 0..6),
        odd in vec(any_span(), 0..4),
        points in vec(any_metric(), 0..4),
        places in vec(0..4_usize, 40),
    ) {
        let mut exports: Vec<Telemetry> = Vec::new();
        for (n, made) in calls.iter().enumerate() {
            exports.extend(spans(n, made).into_iter().map(Telemetry::Span));
        }
        exports.extend(odd.into_iter().map(Telemetry::Span));
        // An export that is repeated may come another way than the first.
        exports.extend(exports.first().cloned());
        exports.extend(points.iter().cloned().map(Telemetry::Metric));
        exports.extend(points.first().cloned().map(Telemetry::Metric));
        exports.push(Telemetry::Resource);
        exports.push(Telemetry::Resource);

        let mut whole = judge_with_ledger(&calls);
        for export in &exports {
            export.give(&mut whole);
        }

        let mut judge = judge_with_ledger(&calls);
        let mut intakes = [judge.intake(), judge.intake(), judge.intake()];
        for (export, place) in exports.iter().zip(places.iter().cycle()) {
            match intakes.get_mut(*place) {
                Some(intake) => export.give_part(intake),
                // What came so far is merged before its time.
                None => intakes.iter_mut().for_each(|intake| {
                    export.give_part(intake);
                    judge.merge(intake);
                }),
            }
            if *place == 3 {
                for _ in 1..intakes.len() {
                    export.give(&mut whole);
                }
            }
        }
        intakes.iter_mut().rev().for_each(|intake| judge.merge(intake));
        prop_assert_eq!(judge.finish(), whole.finish());
    }

    #[test]
    fn sums_are_those_of_both_sides(
        calls in vec(made(), 1..12),
        lost in any::<prop::sample::Index>(),
    ) {
        let lost = lost.index(calls.len());
        let mut all = Vec::new();
        let mut served = 0;
        let mut reported = 0;
        for (n, made) in calls.iter().enumerate() {
            all.push(Input::Record(exchange(n, made)));
            served += made.usage.all_input_tokens();
            if n != lost {
                all.extend(spans(n, made).into_iter().map(Input::Span));
                reported += made.usage.all_input_tokens();
            }
        }
        let judgement = judge(&all);
        let join = judgement.join.unwrap();
        prop_assert_eq!(judgement.usage.served.input_tokens, served);
        prop_assert_eq!(judgement.usage.reported.input_tokens, reported);
        prop_assert_eq!((join.calls, join.unmatched_calls), (calls.len() as u64, 1));
        prop_assert_eq!(join.by.values().sum::<u64>(), join.matched);
        let by_model = judgement.calls_by_model.values();
        let of_models = by_model.map(|sums| sums.reported.all_input_tokens()).sum::<u64>();
        prop_assert_eq!(of_models, reported);
        let missing: u64 = judgement
            .findings
            .iter()
            .filter(|group| matches!(&*group.rule, "truth/missing-span" | "truth/unended-span"))
            .map(|group| group.count)
            .sum();
        prop_assert_eq!(missing, 1);
    }
}

#[test]
fn an_export_that_is_delivered_twice_counts_once() {
    let made = call(0, 100, Tie::CurrentSpan);
    let mut all = inputs(std::slice::from_ref(&made));
    all.extend(spans(0, &made).into_iter().map(Input::Span));
    let judgement = judge(&all);
    assert_eq!(faults(&judgement), Vec::<&str>::new());
    assert_eq!(judgement.usage.reported.output_tokens, 7);
}

#[test]
fn an_error_status_is_read() {
    let made = call(0, 100, Tie::Time);
    let mut span = spans(0, &made).remove(0);
    span.status = Some(otlp::Status { message: String::new(), code: StatusCode::Error as i32 });
    let judgement = judge(&[Input::Record(exchange(0, &made)), Input::Span(span)]);
    assert_eq!(faults(&judgement), ["status/error-type"; 2]);
}

#[test]
fn every_tie_joins_by_its_means() {
    let means = [
        (Tie::InvocationId, JoinMeans::InvocationId),
        (Tie::CurrentSpan, JoinMeans::TraceContext),
        (Tie::Transport, JoinMeans::TraceContext),
        (Tie::RequestId, JoinMeans::ResponseId),
        (Tie::Time, JoinMeans::TimeOverlap),
    ];
    for (tie, means) in means {
        let calls: Vec<Made> = (0..5).map(|n| call(n * 10, 100, tie)).collect();
        let join = judge(&inputs(&calls)).join.unwrap();
        assert_eq!(join.by.into_iter().collect::<Vec<_>>(), [(means, 5)], "{tie:?}");
    }
}

/// Sixteen calls are open at any time, and spans say nothing but when, what and how it ended.
#[test]
fn time_alone_tells_calls_apart_that_start_in_order() {
    let mut all = Vec::new();
    for n in 0..400 {
        let made = call(n as u64 * 10, 160, Tie::Time);
        let reason = if n % 2 == 0 { "end_turn" } else { "max_tokens" };
        let Record::Exchange(mut exchange) = exchange(n, &made) else { unreachable!() };
        exchange.stop_reason = Some(reason.to_owned());
        all.push(Input::Record(Record::Exchange(exchange)));
        let mut span = spans(n, &made).remove(0);
        span.attributes.retain(|attribute| !attribute.key.starts_with("gen_ai.usage."));
        let reasons = span.attributes.last_mut().unwrap();
        *reasons = key_value(
            "gen_ai.response.finish_reasons",
            Value::ArrayValue(otlp::ArrayValue {
                values: vec![otlp::AnyValue { value: Some(text(reason)) }],
            }),
        );
        all.push(Input::Span(span));
    }
    let judgement = judge(&all);
    assert_eq!(judgement.join.unwrap().matched, 400);
    let wrong = judgement.findings.iter().find(|group| group.rule == "truth/finish-reasons");
    assert_eq!(wrong, None);
}

//! Runs of synthetic traces, whatever the receiver does: each trace and each span is accounted for.

use std::sync::Arc;
use std::time::Duration;

use loadgen::delivery::Retrying;
use loadgen::otlp::{Exporter, Limits, OtlpConfig, OtlpProtocol};
use loadgen::synthetic::{Dialogue, Sending, Traces, run};
use loadgen::{
    AtRate, CatchUp, ClientErrorKind, LoadConfig, LoadOutcome, OverLimit, Plan, PlanConfig,
    Progress, Scenario, Shard, Timing,
};
use spanproof_schemas::report::Load;
use spanproof_schemas::speed::Speed;

use super::receiver::{Receiver, Temper};
use super::{PROTOCOLS, config};

/// So fast that the plan is over at once.
const HURRIED: Speed = Speed::Times(1e6);

/// Traces of four spans each.
fn traces(count: u64) -> Arc<Traces> {
    let scenario = Scenario::named("rag").unwrap();
    let plan = Plan::new(PlanConfig {
        capabilities: Traces::capabilities(&scenario),
        scenario,
        seed: 7,
        timing: Timing::AtRate(AtRate::even(
            "80000/day".parse().unwrap(),
            Duration::from_hours(24),
        )),
        most_calls: Some(count),
        shard: Shard::WHOLE,
    });
    Arc::new(Traces::new(plan.unwrap(), Dialogue::default()))
}

/// Sends so many traces to `receiver`.
async fn sent(load: LoadConfig, limits: Limits, otlp: &OtlpConfig, count: u64) -> LoadOutcome {
    let sending = Sending { limits, ..Sending::default() };
    let exporter = Exporter::start(otlp).unwrap();
    let outcome = run(load, sending, traces(count), exporter, |_| ()).await;
    let (load, books) = (told(&outcome), outcome.accounting.unwrap());
    assert_eq!(books.imbalance(), 0, "{books:?}");
    let ended = load.completed + load.failed;
    assert_eq!((load.intended, load.started), (count, ended), "{load:?}");
    assert!(ended + load.skipped + load.dropped <= count, "{load:?}");
    assert_eq!(books.created, 4 * ended, "every trace that was made has four spans");
    outcome
}

fn told(outcome: &LoadOutcome) -> Load {
    outcome.statistics.load(outcome.client.clone())
}

fn few() -> Limits {
    Limits { spans: 10, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_trace_is_made_once_and_answered_for() {
    for protocol in PROTOCOLS {
        for speed in [Speed::Max, HURRIED] {
            let receiver = Receiver::start(protocol, &[], 0).await;
            let otlp = config(receiver.endpoint.clone(), protocol);
            let outcome = sent(LoadConfig::synthetic(speed), few(), &otlp, 500).await;
            let load = told(&outcome);
            assert_eq!((load.client.as_str(), load.completed), ("synthetic", 500));
            assert_eq!((outcome.accounting.unwrap().exported, receiver.spans()), (2_000, 2_000));
            assert_eq!((outcome.broken, outcome.is_stopped), (None, false));
            assert_eq!(load.rate.is_some(), speed != Speed::Max);
            let of_minutes = |count: fn(&spanproof_schemas::report::LoadMinute) -> u64| {
                load.minutes.iter().map(count).sum::<u64>()
            };
            let paced = if speed == Speed::Max { 0 } else { 500 };
            assert_eq!(of_minutes(|minute| minute.planned), paced);
            assert_eq!(of_minutes(|minute| minute.completed), paced);
            assert!(load.latency_ms.max >= load.service_ms.p50, "{load:?}");
        }
    }
}

#[tokio::test]
async fn a_trace_that_no_request_can_hold_is_answered_for_with_its_last_span() {
    let receiver = Receiver::start(OtlpProtocol::Grpc, &[], 0).await;
    let otlp = config(receiver.endpoint.clone(), OtlpProtocol::Grpc);
    for spans in [1, 3] {
        let limits = Limits { spans, ..Limits::default() };
        let outcome = sent(LoadConfig::synthetic(Speed::Max), limits, &otlp, 50).await;
        assert_eq!(told(&outcome).completed, 50);
    }
    assert_eq!(receiver.spans(), 400);
}

#[tokio::test]
async fn a_trace_that_waits_for_others_does_not_keep_them_from_being_made() {
    // Only one may be open, and a request has room for many.
    let receiver = Receiver::start(OtlpProtocol::Grpc, &[], 0).await;
    let otlp = config(receiver.endpoint.clone(), OtlpProtocol::Grpc);
    let load = LoadConfig { in_flight: 1, ..LoadConfig::synthetic(Speed::Max) };
    let outcome = sent(load, Limits::default(), &otlp, 20).await;
    assert_eq!((told(&outcome).completed, receiver.spans()), (20, 80));
}

#[tokio::test]
async fn what_a_receiver_throttles_is_late_and_not_lost() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(protocol, &[Temper::Throttles; 20], 0).await;
        let otlp = config(receiver.endpoint.clone(), protocol);
        let outcome = sent(LoadConfig::synthetic(HURRIED), few(), &otlp, 100).await;
        let books = outcome.accounting.unwrap();
        assert_eq!((books.exported, books.retried), (400, 200));
        assert_eq!((receiver.spans(), told(&outcome).completed), (400, 100));
    }
}

#[tokio::test]
async fn what_a_receiver_refuses_is_in_the_books_and_told() {
    let receiver = Receiver::start(OtlpProtocol::Grpc, &[Temper::Refuses], 0).await;
    let otlp = config(receiver.endpoint.clone(), OtlpProtocol::Grpc);
    let outcome = sent(LoadConfig::synthetic(Speed::Max), few(), &otlp, 100).await;
    let books = outcome.accounting.unwrap();
    assert_eq!((books.rejected, books.exported, receiver.spans()), (10, 390, 390));
    assert_eq!(told(&outcome).completed, 100, "each trace was answered for");
    let lost = outcome.broken.unwrap();
    assert_eq!(lost.kind, ClientErrorKind::TelemetryLost);
    insta::assert_snapshot!(
        lost.message,
        @"10 of 400 spans could not be exported (10 rejected, 0 dropped, 0 failed): InvalidArgument: no"
    );
}

#[tokio::test]
async fn a_receiver_that_is_gone_holds_up_no_run() {
    for protocol in PROTOCOLS {
        let gone = Receiver::start(protocol, &[], 0).await.endpoint.clone();
        // An attempt may take a minute, but nobody is there to take it.
        let retrying = Retrying { whole: Duration::ZERO, ..super::QUICK };
        let otlp = OtlpConfig { retrying, ..config(gone, protocol) };
        let outcome = sent(LoadConfig::synthetic(Speed::Max), few(), &otlp, 500).await;
        let books = outcome.accounting.unwrap();
        assert_eq!((books.exported, books.failed + books.dropped), (0, 2_000));
        assert!(books.failed < 200, "most are not tried: {books:?}");
        assert_eq!(outcome.broken.unwrap().kind, ClientErrorKind::TelemetryLost);
    }
}

#[tokio::test]
async fn traces_beyond_the_limit_are_dropped_where_they_may_not_wait() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(protocol, &[Temper::Hangs; 100], 0).await;
        let load = LoadConfig {
            over_limit: OverLimit::Drop,
            progress_every: Duration::from_millis(1),
            ..LoadConfig::synthetic(HURRIED)
        };
        // The receiver answers nothing until the plan is over.
        let abandon = load.abandon.clone();
        let exporter = Exporter::start(&config(receiver.endpoint.clone(), protocol)).unwrap();
        let sending = Sending { limits: few(), ..Sending::default() };
        let traces = traces(1_000);
        let outcome = run(load, sending, traces, exporter, move |told| {
            if told.started + told.skipped + told.dropped == 1_000 {
                abandon.cancel();
            }
        });
        let outcome = outcome.await;
        let (load, books) = (told(&outcome), outcome.accounting.unwrap());
        assert!(load.dropped > 900, "{load:?}");
        assert_eq!(load.started + load.dropped, 1_000);
        assert_eq!((load.failed, load.completed), (load.started, 0), "none was answered for");
        assert_eq!((books.dropped, books.imbalance()), (4 * load.started, 0), "{books:?}");
    }
}

#[tokio::test]
async fn a_trace_is_open_until_the_receiver_has_answered_for_it() {
    let receiver = Receiver::start(OtlpProtocol::Grpc, &[Temper::Hangs; 100], 0).await;
    let load = LoadConfig {
        in_flight: 1,
        over_limit: OverLimit::Drop,
        progress_every: Duration::from_millis(1),
        ..LoadConfig::synthetic(HURRIED)
    };
    let abandon = load.abandon.clone();
    let otlp = config(receiver.endpoint.clone(), OtlpProtocol::Grpc);
    let exporter = Exporter::start(&otlp).unwrap();
    let outcome = run(load, Sending::default(), traces(50), exporter, move |told| {
        if told.started + told.dropped == 50 {
            abandon.cancel();
        }
    });
    let load = told(&outcome.await);
    assert_eq!((load.started, load.dropped, load.completed), (1, 49, 0));
}

/// A run in real time, in which the second trace is due after a second, that is stopped as soon as
/// `is_time`; and how many spans its receiver took.
async fn stopped(is_time: fn(&Progress) -> bool) -> (LoadOutcome, u64) {
    let receiver = Receiver::start(OtlpProtocol::Grpc, &[], 0).await;
    let otlp = config(receiver.endpoint.clone(), OtlpProtocol::Grpc);
    let load = LoadConfig {
        progress_every: Duration::from_millis(1),
        ..LoadConfig::synthetic(Speed::REAL)
    };
    let stop = load.stop.clone();
    let exporter = Exporter::start(&otlp).unwrap();
    let outcome = run(load, Sending::default(), traces(1_000), exporter, move |told| {
        if is_time(&told) {
            stop.cancel();
        }
    });
    (outcome.await, receiver.spans())
}

#[tokio::test]
async fn a_run_that_is_stopped_sends_what_it_has_made() {
    let (outcome, received) = stopped(|told| told.started > 0).await;
    let load = told(&outcome);
    assert_eq!((load.started, load.completed, load.not_made()), (1, 1, 999));
    assert_eq!((outcome.accounting.unwrap().exported, received), (4, 4));
    assert!(outcome.is_stopped);
}

#[tokio::test]
async fn a_trace_leaves_without_others_where_none_comes_for_long() {
    // A request would be full after minutes.
    let (outcome, _) = stopped(|told| told.completed > 0).await;
    let load = told(&outcome);
    assert!(load.completed >= 1 && load.completed == load.started, "{load:?}");
}

#[tokio::test]
async fn traces_that_are_overdue_are_left_out_as_the_policy_says() {
    let receiver = Receiver::start(OtlpProtocol::Grpc, &[], 0).await;
    let otlp = config(receiver.endpoint.clone(), OtlpProtocol::Grpc);
    for (catch_up, made, skipped) in [(CatchUp::All, 50, 0), (CatchUp::Skip, 0, 50)] {
        let load = LoadConfig { catch_up, ..LoadConfig::synthetic(Speed::Times(1e9)) };
        let start_at = load.clock.now() - 60_000_000_000;
        let load = LoadConfig { start_at: Some(start_at), ..load };
        let load = told(&sent(load, Limits::default(), &otlp, 50).await);
        assert_eq!((load.completed, load.skipped), (made, skipped));
        assert!(made == 0 || load.schedule_lag_ms.p50 > 59_000.0, "{load:?}");
    }
}

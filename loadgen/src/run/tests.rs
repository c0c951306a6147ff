use std::sync::atomic::AtomicUsize;
use std::time::SystemTime;

use spanproof_schemas::time::unix_nanos;
use spanproof_schemas::worker::{Call, Done};
use tokio::sync::Barrier;

use super::*;
use crate::{Arrivals, AtRate, Capabilities, PlanConfig, Scenario, Shard, Timing};

fn plan(calls: u64) -> Plan {
    Plan::new(plan_config(calls)).unwrap()
}

fn plan_config(calls: u64) -> PlanConfig {
    PlanConfig {
        scenario: Scenario::named("chat").unwrap(),
        capabilities: Capabilities { features: vec![], ..Capabilities::all() },
        seed: 1,
        timing: Timing::AtRate(at_rate(Duration::from_hours(24))),
        most_calls: Some(calls),
        shard: Shard::WHOLE,
    }
}

fn at_rate(length: Duration) -> AtRate {
    AtRate::even("80000/day".parse().unwrap(), length)
}

fn done(call: u64) -> Done {
    let now = unix_nanos(SystemTime::now());
    Done {
        call,
        started_unix_nanos: now,
        first_chunk_unix_nanos: None,
        finished_unix_nanos: now,
        error: None,
        usage: None,
        stop_reason: None,
    }
}

/// A client whose calls do as its closure says.
struct Scripted<F> {
    call: F,
    finish: Result<(), ClientError>,
}

impl<F, R> Client for Scripted<F>
where
    F: Fn(u64) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Done, ClientError>> + Send,
{
    fn name(&self) -> String {
        "scripted".to_owned()
    }

    fn call(&self, call: Call) -> impl Future<Output = Result<Done, ClientError>> + Send {
        (self.call)(call.call)
    }

    async fn finish(&self) -> Result<(), ClientError> {
        self.finish.clone()
    }
}

fn scripted<F, R>(call: F) -> Scripted<F>
where
    F: Fn(u64) -> R,
{
    Scripted { call, finish: Ok(()) }
}

fn ended() -> ClientError {
    ClientError::new(ClientErrorKind::Ended, "it exited with status 1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_the_plan_is_made_once() {
    for speed in [Speed::Max, Speed::Times(100_000.0)] {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let made = Arc::clone(&calls);
        let client = scripted(move |call| {
            made.lock().unwrap().push(call);
            async move { Ok(done(call)) }
        });
        let mut last = Progress::default();
        let outcome = run(LoadConfig::new(speed), plan(500), client, |told| last = told).await;
        let mut calls = std::mem::take(&mut *calls.lock().unwrap());
        calls.sort_unstable();
        assert_eq!(calls, (0..500).collect::<Vec<u64>>());
        let Load { intended, started, completed, failed, .. } = outcome.load;
        assert_eq!((intended, started, completed, failed), (500, 500, 500, 0));
        assert_eq!((last.intended, last.started, last.completed), (500, 500, 500));
        assert_eq!((outcome.broken, outcome.is_stopped), (None, false));
    }
}

#[tokio::test]
async fn a_whole_plan_of_random_arrivals_is_made() {
    let whole = PlanConfig {
        timing: Timing::AtRate(AtRate {
            arrivals: Arrivals::Poisson,
            ..at_rate(Duration::from_mins(10))
        }),
        most_calls: None,
        ..plan_config(0)
    };
    let client = scripted(|call| async move { Ok(done(call)) });
    let plan = Plan::new(whole).unwrap();
    let calls = plan.calls();
    let outcome = run(LoadConfig::new(Speed::Times(1e6)), plan, client, |_| ()).await;
    assert_eq!((outcome.load.completed, calls), (calls, 556));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_loop_does_not_wait_for_answers() {
    // No call ends before all have started, which a closed loop would never reach.
    let together = Arc::new(Barrier::new(100));
    let client = scripted(move |call| {
        let together = Arc::clone(&together);
        async move {
            together.wait().await;
            Ok(done(call))
        }
    });
    let outcome = run(LoadConfig::new(Speed::Times(100_000.0)), plan(100), client, |_| ()).await;
    assert_eq!(outcome.load.completed, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_calls_are_open_than_allowed() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let client = scripted(move |call| {
        let (open, most) = (Arc::clone(&open), Arc::clone(&seen));
        async move {
            most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            open.fetch_sub(1, Ordering::SeqCst);
            Ok(done(call))
        }
    });
    let config = LoadConfig { in_flight: 3, ..LoadConfig::new(Speed::Max) };
    assert_eq!(run(config, plan(300), client, |_| ()).await.load.completed, 300);
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
}

#[tokio::test]
async fn lag_and_latency_count_from_the_planned_time() {
    // A client that starts each call ten minutes after it was due, and takes one.
    let client = scripted(|call| async move {
        let mut done = done(call);
        done.started_unix_nanos += 600_000_000_000;
        done.finished_unix_nanos = done.started_unix_nanos + 60_000_000_000;
        Ok(done)
    });
    let outcome = run(LoadConfig::new(Speed::Times(100_000.0)), plan(20), client, |_| ()).await;
    assert!(outcome.load.schedule_lag_ms.p50 >= 599_000.0, "{:?}", outcome.load);
    assert!(outcome.load.latency_ms.p50 >= 659_000.0, "{:?}", outcome.load);
    assert!((outcome.service_ms.p50 - 60_000.0).abs() < 60.0, "{:?}", outcome.service_ms);
}

#[tokio::test]
async fn a_client_that_breaks_ends_the_run_with_its_error() {
    let client =
        scripted(|call| async move { if call < 10 { Ok(done(call)) } else { Err(ended()) } });
    let config = LoadConfig { in_flight: 1, ..LoadConfig::new(Speed::Max) };
    let outcome = run(config, plan(1_000), client, |_| ()).await;
    assert_eq!(outcome.broken, Some(ended()));
    assert_eq!(outcome.load.completed, 10);
    assert!(outcome.load.started < 1_000);
    assert_eq!(outcome.load.started, outcome.load.completed + outcome.load.failed);
    insta::assert_snapshot!(
        outcome.failures[0],
        @"call 10: the client ended early: it exited with status 1"
    );
}

#[tokio::test]
async fn a_client_that_cannot_finish_is_told() {
    let lost = ClientError::new(ClientErrorKind::TelemetryLost, "3 spans");
    let client = Scripted { call: |call| async move { Ok(done(call)) }, finish: Err(lost.clone()) };
    let outcome = run(LoadConfig::new(Speed::Max), plan(5), client, |_| ()).await;
    assert_eq!((outcome.load.completed, outcome.broken), (5, Some(lost)));
}

#[tokio::test]
async fn a_stop_ends_with_what_was_done() {
    let config = LoadConfig::new(Speed::REAL);
    let stop = config.stop.clone();
    // In real time the second call is due after a second; the first asks for the end.
    let client = scripted(move |call| {
        stop.cancel();
        async move { Ok(done(call)) }
    });
    let outcome = run(config, plan(1_000), client, |_| ()).await;
    assert_eq!((outcome.load.started, outcome.load.completed), (1, 1));
    assert_eq!((outcome.broken, outcome.is_stopped), (None, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_panics_is_counted_as_failed() {
    let client = scripted(|call| async move {
        assert!(call != 3, "the fourth call panics");
        Ok(done(call))
    });
    let outcome = run(LoadConfig::new(Speed::Max), plan(10), client, |_| ()).await;
    assert_eq!((outcome.load.completed, outcome.load.failed), (9, 1));
}

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::SystemTime;

use spanproof_schemas::report::Load;
use spanproof_schemas::time::unix_nanos;
use spanproof_schemas::worker::{Call, Done};
use tokio::sync::{Barrier, Notify};

use super::*;
use crate::{Arrivals, AtRate, Capabilities, PlanConfig, Scenario, Shard, Timing};

mod ending;
mod held_up;
mod made;

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

fn load(outcome: &LoadOutcome) -> Load {
    outcome.statistics.load(outcome.client.clone())
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
        let Load { intended, started, completed, failed, .. } = load(&outcome);
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
    assert_eq!((load(&outcome).completed, calls), (calls, 556));
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
    assert_eq!(load(&outcome).completed, 100);
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
    assert_eq!(
        run(config, plan(300), client, |_| ()).await.statistics.load(String::new()).completed,
        300
    );
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
}

#[tokio::test]
async fn a_limit_of_no_open_call_is_one_of_one() {
    let client = scripted(|call| async move { Ok(done(call)) });
    let config = LoadConfig { in_flight: 0, ..LoadConfig::new(Speed::Max) };
    assert_eq!(load(&run(config, plan(3), client, |_| ()).await).completed, 3);
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
    assert!(load(&outcome).schedule_lag_ms.p50 >= 599_000.0, "{:?}", load(&outcome));
    assert!(load(&outcome).latency_ms.p50 >= 659_000.0, "{:?}", load(&outcome));
    assert!((load(&outcome).service_ms.p50 - 60_000.0).abs() < 60.0, "{:?}", load(&outcome));
}

#[tokio::test]
async fn a_client_that_breaks_ends_the_run_with_its_error() {
    let client =
        scripted(|call| async move { if call < 10 { Ok(done(call)) } else { Err(ended()) } });
    let config = LoadConfig { in_flight: 1, ..LoadConfig::new(Speed::Max) };
    let outcome = run(config, plan(1_000), client, |_| ()).await;
    assert_eq!(outcome.broken, Some(ended()));
    assert_eq!(load(&outcome).completed, 10);
    assert!(load(&outcome).started < 1_000);
    assert_eq!(load(&outcome).started, load(&outcome).completed + load(&outcome).failed);
    insta::assert_snapshot!(
        outcome.statistics.failures()[0],
        @"call 10: the client ended early: it exited with status 1"
    );
}

#[tokio::test]
async fn a_client_that_cannot_finish_is_told() {
    let lost = ClientError::new(ClientErrorKind::TelemetryLost, "3 spans");
    let client = Scripted { call: |call| async move { Ok(done(call)) }, finish: Err(lost.clone()) };
    let outcome = run(LoadConfig::new(Speed::Max), plan(5), client, |_| ()).await;
    assert_eq!((load(&outcome).completed, outcome.broken), (5, Some(lost)));
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
    assert_eq!((load(&outcome).started, load(&outcome).completed), (1, 1));
    assert_eq!((outcome.broken, outcome.is_stopped), (None, true));
}

#[tokio::test]
async fn a_panic_of_the_pacing_thread_is_an_error_of_the_run() {
    let plan = Arc::new(plan(5));
    let run = driving::Run::new(LoadConfig::new(Speed::Max), &plan);
    let made: Option<()> = run.drive(&plan, async |_| panic!("nothing is made"), |_| ()).await;
    let outcome = run.outcome(String::new(), None, None, false);
    assert_eq!((made, load(&outcome).started), (None, 0));
    insta::assert_snapshot!(
        outcome.broken.unwrap(),
        @"the client ended early: the thread that paces the calls panicked"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_panics_is_counted_as_failed() {
    let client = scripted(|call| async move {
        assert!(call != 3, "the fourth call panics");
        Ok(done(call))
    });
    let outcome = run(LoadConfig::new(Speed::Max), plan(10), client, |_| ()).await;
    assert_eq!((load(&outcome).completed, load(&outcome).failed), (9, 1));
}

#[tokio::test]
async fn calls_beyond_the_limit_are_dropped_and_counted_where_they_may_not_queue() {
    // The first call stays open until the last of the plan has come due.
    let dropped = Arc::new(Notify::new());
    let waiting = Arc::clone(&dropped);
    let client = scripted(move |call| {
        let waiting = Arc::clone(&waiting);
        async move {
            waiting.notified().await;
            Ok(done(call))
        }
    });
    let config = LoadConfig {
        in_flight: 1,
        over_limit: OverLimit::Drop,
        progress_every: Duration::from_millis(1),
        ..LoadConfig::new(Speed::Times(1e9))
    };
    let outcome = run(config, plan(50), client, |told| {
        if told.dropped == 49 {
            dropped.notify_one();
        }
    })
    .await;
    let load = load(&outcome);
    assert_eq!((load.started, load.completed, load.dropped, load.not_made()), (1, 1, 49, 0));
    assert_eq!(load.minutes.iter().map(|minute| minute.planned).sum::<u64>(), 50);
    insta::assert_snapshot!(
        outcome.statistics.left_out()[0],
        @"call 1 was dropped, with 1 calls open"
    );
}

#[tokio::test]
async fn a_start_in_the_past_makes_its_calls_overdue_and_the_policy_says_what_becomes_of_them() {
    for (catch_up, made, skipped) in [(CatchUp::All, 50, 0), (CatchUp::Skip, 0, 50)] {
        let config = LoadConfig { catch_up, ..LoadConfig::new(Speed::Times(1e9)) };
        // The plan is over within a millisecond of its start, a minute ago.
        let start_at = config.clock.now() - 60_000_000_000;
        let client = scripted(|call| async move { Ok(done(call)) });
        let outcome =
            run(LoadConfig { start_at: Some(start_at), ..config }, plan(50), client, |_| ()).await;
        let load = load(&outcome);
        assert_eq!((load.completed, load.skipped), (made, skipped), "{catch_up}");
        assert_eq!(outcome.statistics.window().start_unix_nanos, start_at);
        assert!(made == 0 || load.schedule_lag_ms.p50 > 59_000.0, "{:?}", load.schedule_lag_ms);
    }
}

#[tokio::test]
async fn a_run_that_is_given_up_waits_for_no_open_call_and_counts_it() {
    let config = LoadConfig::new(Speed::Times(1e9));
    let (stop, abandon) = (config.stop.clone(), config.abandon.clone());
    let client = scripted(move |call| {
        stop.cancel();
        abandon.cancel();
        async move {
            std::future::pending::<()>().await;
            Ok(done(call))
        }
    });
    let outcome = run(config, plan(5), client, |_| ()).await;
    let load = load(&outcome);
    assert_eq!(load.started, load.failed);
    assert_eq!(load.completed + load.failed + load.not_made(), 5);
    assert!(load.failed >= 1 && outcome.is_stopped);
    insta::assert_snapshot!(
        outcome.statistics.failures()[0],
        @"a call was still open when the run was given up"
    );
    assert_eq!(outcome.broken.unwrap().kind, ClientErrorKind::TelemetryLost);
}

#[tokio::test]
async fn a_clock_that_is_set_during_a_run_changes_no_time_and_is_told() {
    // Time passes only in calls, each a second; the first sets the clock back by an hour.
    const HOUR: u64 = 3_600_000_000_000;
    let source = Arc::new(crate::clock::tests::Manual {
        monotonic_nanos: AtomicU64::new(0),
        wall_unix_nanos: AtomicU64::new(10 * HOUR),
    });
    let clock = Clock::of(source.clone());
    let ticking = clock.clone();
    let client = scripted(move |call| {
        let started = ticking.now();
        source.monotonic_nanos.fetch_add(1_000_000_000, Ordering::SeqCst);
        if call == 0 {
            source.wall_unix_nanos.fetch_sub(HOUR, Ordering::SeqCst);
        }
        let finished = ticking.now();
        let times =
            Done { started_unix_nanos: started, finished_unix_nanos: finished, ..done(call) };
        async move { Ok(times) }
    });
    let config = LoadConfig { clock, in_flight: 1, ..LoadConfig::new(Speed::Max) };
    let outcome = run(config, plan(10), client, |_| ()).await;
    let load = load(&outcome);
    assert!((load.wall_s - 10.0).abs() < 1e-9, "{}", load.wall_s);
    assert!((load.service_ms.max - 1_000.0).abs() <= 1.0, "{:?}", load.service_ms);
    // An hour back, and the ten seconds that the wall clock stood still.
    assert_eq!(outcome.statistics.window().clock_step_ms, -3_610_000);
}

//! How runs end before their plan does.

use super::made::{Asked, made, told};
use super::*;

/// A client that answers no call, and notes how many are open when it is given up.
#[derive(Default)]
struct Unanswering {
    open: Arc<AtomicUsize>,
    open_at_abandon: Arc<Mutex<Option<usize>>>,
}

/// Counts a call as open until it is dropped.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Client for Unanswering {
    fn name(&self) -> String {
        "unanswering".to_owned()
    }

    async fn call(&self, call: Call) -> Result<Done, ClientError> {
        self.open.fetch_add(1, Ordering::SeqCst);
        let _open = Open(Arc::clone(&self.open));
        std::future::pending::<()>().await;
        Ok(done(call.call))
    }

    async fn finish(&self) -> Result<(), ClientError> {
        std::future::pending().await
    }

    async fn abandon(&self) {
        let open = self.open.load(Ordering::SeqCst);
        assert_eq!(self.open_at_abandon.lock().unwrap().replace(open), None, "once");
    }
}

/// A run whose calls were all due an hour ago.
fn overdue() -> LoadConfig {
    let config = LoadConfig::new(Speed::Times(1e9));
    LoadConfig { start_at: Some(config.clock.now() - 3_600_000_000_000), ..config }
}

/// Runs 50 calls, none of which is answered, and gives the run up once `started` of them are open.
async fn given_up(config: LoadConfig, started: u64) -> (LoadOutcome, Option<usize>) {
    let client = Unanswering::default();
    let open_at_abandon = Arc::clone(&client.open_at_abandon);
    let abandon = config.abandon.clone();
    let config = LoadConfig { progress_every: Duration::from_millis(1), ..config };
    let outcome = run(config, plan(50), client, |told| {
        if told.started >= started {
            abandon.cancel();
        }
    });
    let outcome = outcome.await;
    let open_at_abandon = *open_at_abandon.lock().unwrap();
    (outcome, open_at_abandon)
}

#[tokio::test]
async fn a_run_that_is_given_up_makes_no_more_calls_whatever_it_waits_for() {
    let hurried = overdue();
    // For room, for time, and for answers.
    let (room, time) =
        (LoadConfig { in_flight: 1, ..hurried.clone() }, LoadConfig::new(Speed::REAL));
    for (waits_for, config, started) in
        [("room", room, 1), ("time", time, 1), ("answers", hurried, 50)]
    {
        // Nobody asked for a stop before.
        let (outcome, open_at_abandon) = given_up(config, started).await;
        let load = load(&outcome);
        assert_eq!((load.completed, load.failed), (0, load.started), "{waits_for}");
        assert!(load.started < 50 || started == 50, "{waits_for}: {}", load.started);
        assert!(!outcome.is_stopped, "{waits_for}");
        assert_eq!(outcome.broken.unwrap().kind, ClientErrorKind::TelemetryLost, "{waits_for}");
        assert_eq!(open_at_abandon, Some(0), "the client is given up when its calls are");
    }
}

#[tokio::test]
async fn a_stop_makes_no_call_that_waits_for_room() {
    let config = LoadConfig { in_flight: 1, ..overdue() };
    let stop = config.stop.clone();
    let maker = told(true, async move |asked, open: &mut Vec<_>| {
        if let Asked::Flush = asked {
            // Room comes after the stop, and before the second call knows of either.
            stop.cancel();
            open.clear();
            tokio::task::yield_now().await;
        }
    });
    let load = made(config, 50, maker).await;
    assert_eq!((load.started, load.not_made()), (1, 49));
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_ends_while_a_call_waits_for_room() {
    let plan = Arc::new(plan(50));
    let run = driving::Run::new(LoadConfig { in_flight: 1, ..overdue() }, &plan);
    let (let_go, gone) = tokio::sync::oneshot::channel::<()>();
    let full = Arc::new(Notify::new());
    let fills = Arc::clone(&full);
    let work = async move |driver: driving::Driver<'_>| {
        let _let_go = let_go;
        let mut maker = told(true, async |asked, _: &mut Vec<_>| {
            if let Asked::Flush = asked {
                fills.notify_one();
            }
        });
        driver.make_all(&mut maker).await;
    };
    tokio::select! {
        _ = run.drive(&plan, work, |_| ()) => unreachable!("the first call never ends"),
        () = full.notified() => {}
    }
    assert!(gone.await.is_err(), "its thread ends, and lets go of what it had");
}

#[tokio::test]
async fn what_broke_first_is_what_a_run_is_broken_by() {
    let run = driving::Run::new(LoadConfig::new(Speed::Max), &plan(1));
    run.breaks(ended());
    let later = ClientError::new(ClientErrorKind::TelemetryLost, "3 spans");
    run.breaks(later.clone());
    let outcome = run.outcome(String::new(), None, Some(later), false);
    assert_eq!(outcome.broken, Some(ended()));
}

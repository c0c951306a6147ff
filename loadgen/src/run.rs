//! Runs a plan against a client.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use spanproof_schemas::report::{Load, Quantiles};
use spanproof_schemas::speed::Speed;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::client::{Client, ClientError, ClientErrorKind};
use crate::pacing::{Due, Pacer};
use crate::plan::Plan;
use crate::statistics::{Expected, Statistics};

/// How many calls may be open at once when they are made as fast as can be.
pub const DEFAULT_IN_FLIGHT_AT_MAX: usize = 64;

/// How many calls may be open at once when they are paced. A call that waits for room counts its
/// wait as lag, so this is a guard against running out of sockets rather than a part of the plan.
pub const DEFAULT_IN_FLIGHT_PACED: usize = 10_000;

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct LoadConfig {
    /// How fast simulated time runs.
    pub speed: Speed,
    /// How many calls may be open at once.
    pub in_flight: usize,
    /// Ends the run early, with what was done until then: no more calls are made, and those open
    /// are waited for.
    pub stop: CancellationToken,
    /// How often progress is told.
    pub progress_every: Duration,
}

impl LoadConfig {
    /// A run at `speed` with the in-flight limit that suits it.
    #[must_use]
    pub fn new(speed: Speed) -> Self {
        Self {
            speed,
            in_flight: match speed {
                Speed::Max => DEFAULT_IN_FLIGHT_AT_MAX,
                Speed::Times(_) => DEFAULT_IN_FLIGHT_PACED,
            },
            stop: CancellationToken::new(),
            progress_every: Duration::from_millis(200),
        }
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Calls planned.
    pub intended: u64,
    /// Calls handed to the client.
    pub started: u64,
    /// Calls that ended as planned.
    pub completed: u64,
    /// Calls that did not.
    pub failed: u64,
    /// Time since the start.
    pub elapsed: Duration,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct LoadOutcome {
    /// Counts and times, for the report.
    pub load: Load,
    /// End minus actual start, which is what a closed loop would have called latency.
    pub service_ms: Quantiles,
    /// The first calls that did not end as planned, and how they ended.
    pub failures: Vec<String>,
    /// What was wrong with the client itself, when something was: it ended early, or lost
    /// telemetry.
    pub broken: Option<ClientError>,
    /// Whether [`LoadConfig::stop`] ended the run before its plan.
    pub is_stopped: bool,
}

/// Makes the calls of `plan` with `client`, each when it is due, waits for all of them, and then
/// for the client to finish. `progress` is called now and then.
///
/// A client that breaks ends the run early, and the outcome says so.
pub async fn run<C: Client>(
    config: LoadConfig,
    plan: Plan,
    client: C,
    progress: impl FnMut(Progress) + Send,
) -> LoadOutcome {
    let plan = Arc::new(plan);
    let run = Arc::new(Run {
        client,
        plan: Arc::clone(&plan),
        started: AtomicU64::new(0),
        statistics: Mutex::new(Statistics::new()),
        broken: Mutex::new(None),
        end: config.stop.child_token(),
    });
    let begun = Instant::now();
    run.tell_while(progress, config.progress_every, begun, run.make_calls(&config)).await;
    let (wall, is_stopped) = (begun.elapsed(), config.stop.is_cancelled());
    let finished = run.client.finish().await;
    run.outcome(wall, finished.err(), is_stopped)
}

/// What the tasks of a run share.
struct Run<C> {
    client: C,
    plan: Arc<Plan>,
    started: AtomicU64,
    statistics: Mutex<Statistics>,
    /// The first error of the client itself.
    broken: Mutex<Option<ClientError>>,
    /// No more calls once it is cancelled.
    end: CancellationToken,
}

impl<C: Client> Run<C> {
    /// Hands every call to the client when it is due, and waits until all have ended.
    async fn make_calls(self: &Arc<Self>, config: &LoadConfig) {
        let room = Arc::new(Semaphore::new(config.in_flight.max(1)));
        let mut pacer = match Pacer::start(Arc::clone(&self.plan), config.speed) {
            Ok(pacer) => pacer,
            Err(error) => {
                let message = format!("no thread to pace the calls: {error}");
                return self.breaks(ClientError::new(ClientErrorKind::Start, message));
            }
        };
        let all = self.end.run_until_cancelled(async {
            loop {
                let batch = pacer.next().await;
                if batch.is_empty() {
                    return;
                }
                for due in batch {
                    let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
                    self.started.fetch_add(1, Ordering::Relaxed);
                    tokio::spawn(Arc::clone(self).make_call(due, permit));
                }
            }
        });
        all.await;
        // All the room there is means that no call is open.
        let everything = u32::try_from(config.in_flight.max(1)).unwrap_or(u32::MAX);
        let _ = room.acquire_many(everything).await;
    }

    async fn make_call(self: Arc<Self>, due: Due, _permit: OwnedSemaphorePermit) {
        let call = self.plan.call(due.call);
        let expected = Expected::of(&call);
        match self.client.call(call).await {
            Ok(done) => self.statistics().ended(&expected, due.planned, &done),
            Err(error) => {
                self.statistics().failed(format!("call {}: {error}", due.call));
                self.breaks(error);
            }
        }
    }

    fn breaks(&self, error: ClientError) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.end.cancel();
    }

    fn statistics(&self) -> std::sync::MutexGuard<'_, Statistics> {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `work`, telling `progress` every now and then and at the end.
    async fn tell_while(
        &self,
        mut progress: impl FnMut(Progress),
        every: Duration,
        begun: Instant,
        work: impl Future<Output = ()>,
    ) {
        let mut work = std::pin::pin!(work);
        while tokio::time::timeout(every, &mut work).await.is_err() {
            progress(self.progress(begun));
        }
        progress(self.progress(begun));
    }

    fn progress(&self, begun: Instant) -> Progress {
        let statistics = self.statistics();
        Progress {
            intended: self.plan.calls(),
            started: self.started.load(Ordering::Relaxed),
            completed: statistics.completed,
            failed: statistics.failed,
            elapsed: begun.elapsed(),
        }
    }

    fn outcome(
        &self,
        wall: Duration,
        finish_error: Option<ClientError>,
        is_stopped: bool,
    ) -> LoadOutcome {
        let started = self.started.load(Ordering::Relaxed);
        let mut statistics = self.statistics();
        // Only a panic keeps a call that was started from being counted.
        for _ in statistics.completed + statistics.failed..started {
            statistics.failed("a call was lost to a panic of the client".to_owned());
        }
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        LoadOutcome {
            load: Load {
                client: self.client.name(),
                intended: self.plan.calls(),
                started,
                completed: statistics.completed,
                failed: statistics.failed,
                wall_s: wall.as_secs_f64(),
                schedule_lag_ms: statistics.lag_ms(),
                latency_ms: statistics.latency_ms(),
                ttft_ms: statistics.first_chunk_ms(),
            },
            service_ms: statistics.service_ms(),
            failures: statistics.failures.clone(),
            broken: broken.or(finish_error),
            is_stopped,
        }
    }
}

#[cfg(test)]
mod tests;

//! Runs a plan against a client.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use spanproof_schemas::accounting::Accounting;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::UnixNanos;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::catch_up::CatchUp;
use crate::client::{Client, ClientError, ClientErrorKind};
use crate::clock::Clock;
use crate::pacing::{Due, Pacer, Pacing};
use crate::plan::Plan;
use crate::statistics::{Admitted, Expected, Statistics};

/// How many calls may be open at once when they are made as fast as can be.
pub const DEFAULT_IN_FLIGHT_AT_MAX: usize = 64;

/// How many calls may be open at once when they are paced. A call that waits for room counts its
/// wait as lag, so this is a guard against running out of sockets rather than a part of the plan.
pub const DEFAULT_IN_FLIGHT_PACED: usize = 10_000;

/// What becomes of a call that is due while as many are open as may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverLimit {
    /// It waits for room, and keeps its planned time: its wait shows as lag, and a full limit is
    /// followed by a burst.
    #[default]
    Queue,
    /// It is left out and counted.
    Drop,
}

/// A text that is not a way to go on at the limit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not known: write `queue` or `drop`")]
pub struct ParseOverLimitError(String);

impl FromStr for OverLimit {
    type Err = ParseOverLimitError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        match given {
            "queue" => Ok(OverLimit::Queue),
            "drop" => Ok(OverLimit::Drop),
            _ => Err(ParseOverLimitError(given.to_owned())),
        }
    }
}

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OverLimit::Queue => "queue",
            OverLimit::Drop => "drop",
        })
    }
}

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct LoadConfig {
    /// How fast simulated time runs.
    pub speed: Speed,
    /// How many calls may be open at once.
    pub in_flight: usize,
    /// What becomes of calls beyond that.
    pub over_limit: OverLimit,
    /// Which overdue calls are made.
    pub catch_up: CatchUp,
    /// When simulated time starts, by `clock`; `None` for at once. In the past, the calls due since
    /// then are overdue.
    pub start_at: Option<UnixNanos>,
    /// What times are measured by; clients in this process have the same.
    pub clock: Clock,
    /// Ends the run early, with what was done until then: no more calls are made, and those open
    /// are waited for.
    pub stop: CancellationToken,
    /// Gives the run up: calls that are open are not waited for either, nor is the client's
    /// telemetry.
    pub abandon: CancellationToken,
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
            over_limit: OverLimit::default(),
            catch_up: CatchUp::default(),
            start_at: None,
            clock: Clock::system(),
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
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
    /// Calls left out: overdue, or beyond the limit of open calls.
    pub left_out: u64,
    /// Time since the run was asked for.
    pub elapsed: Duration,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct LoadOutcome {
    /// The client's name.
    pub client: String,
    /// Counts and times.
    pub statistics: Statistics,
    /// The client's books of its spans, if it keeps any.
    pub accounting: Option<Accounting>,
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
    let pacing = Pacing {
        speed: config.speed,
        catch_up: config.catch_up,
        start_at: config.start_at,
        clock: config.clock.clone(),
    };
    let (pacer, unpaced) = match Pacer::start(Arc::clone(&plan), pacing) {
        Ok(pacer) => (Some(pacer), None),
        Err(error) => {
            let message = format!("no thread to pace the calls: {error}");
            (None, Some(ClientError::new(ClientErrorKind::Start, message)))
        }
    };
    let start = pacer.as_ref().map_or_else(|| config.clock.now(), |pacer| pacer.start);
    let run = Arc::new(Run {
        client,
        statistics: Mutex::new(Statistics::new(plan.calls(), start, config.speed)),
        plan,
        broken: Mutex::new(unpaced),
        end: config.stop.child_token(),
        config,
    });
    let begun = Instant::now();
    if let Some(pacer) = pacer {
        run.tell_while(progress, begun, run.make_calls(pacer)).await;
    }
    let is_stopped = run.config.stop.is_cancelled();
    let finished = run.config.abandon.run_until_cancelled(run.client.finish()).await;
    let finished = finished.unwrap_or_else(|| {
        let message = "the run was given up before its telemetry was exported";
        Err(ClientError::new(ClientErrorKind::TelemetryLost, message))
    });
    run.outcome(finished.err(), is_stopped)
}

/// What the tasks of a run share.
struct Run<C> {
    client: C,
    plan: Arc<Plan>,
    statistics: Mutex<Statistics>,
    /// The first error of the client itself.
    broken: Mutex<Option<ClientError>>,
    /// No more calls once it is cancelled.
    end: CancellationToken,
    config: LoadConfig,
}

impl<C: Client> Run<C> {
    /// Hands every call to the client when it is due, and waits until all have ended.
    async fn make_calls(self: &Arc<Self>, mut pacer: Pacer) {
        let most_open = self.config.in_flight.clamp(1, Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(most_open));
        let all = self.end.run_until_cancelled(async {
            loop {
                let batch = pacer.next().await;
                if batch.is_empty() {
                    return;
                }
                {
                    let mut statistics = self.statistics();
                    batch.calls.iter().chain(&batch.skipped).for_each(|due| statistics.due(due));
                    batch.skipped.iter().for_each(|due| statistics.skipped(due, batch.released));
                }
                for due in batch.calls {
                    let Some(permit) = self.permit(&room, &due).await else { continue };
                    self.statistics().started();
                    let at = self.config.clock.now();
                    let call = Admitted { due, released: batch.released, at };
                    tokio::spawn(Arc::clone(self).make_call(call, permit));
                }
            }
        });
        all.await;
        // All the room there is means that no call is open.
        let everything = u32::try_from(most_open).unwrap_or(u32::MAX);
        let _ = self.config.abandon.run_until_cancelled(room.acquire_many(everything)).await;
    }

    /// Room for the call that is due; `None` where it is left out for want of any.
    async fn permit(&self, room: &Arc<Semaphore>, due: &Due) -> Option<OwnedSemaphorePermit> {
        let room = Arc::clone(room);
        match self.config.over_limit {
            // Nobody closes the semaphore.
            OverLimit::Queue => room.acquire_owned().await.ok(),
            OverLimit::Drop => {
                let permit = room.try_acquire_owned().ok();
                if permit.is_none() {
                    self.statistics().dropped(due, self.config.in_flight);
                }
                permit
            }
        }
    }

    async fn make_call(self: Arc<Self>, admitted: Admitted, _permit: OwnedSemaphorePermit) {
        let number = admitted.due.call;
        let call = self.plan.call(number);
        let expected = Expected::of(&call);
        match self.client.call(call).await {
            Ok(done) => self.statistics().ended(&expected, &admitted, &done),
            Err(error) => {
                self.statistics().failed(format!("call {number}: {error}"));
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
        begun: Instant,
        work: impl Future<Output = ()>,
    ) {
        let mut work = std::pin::pin!(work);
        while tokio::time::timeout(self.config.progress_every, &mut work).await.is_err() {
            progress(self.statistics().progress(begun.elapsed()));
        }
        progress(self.statistics().progress(begun.elapsed()));
    }

    fn outcome(&self, finish_error: Option<ClientError>, is_stopped: bool) -> LoadOutcome {
        // A copy, since calls that were given up may yet end.
        let mut statistics = self.statistics().clone();
        let why = if self.config.abandon.is_cancelled() {
            "a call was still open when the run was given up"
        } else {
            // Nothing else keeps a call that was started from being counted.
            "a call was lost to a panic of the client"
        };
        for _ in 0..statistics.open() {
            statistics.failed(why.to_owned());
        }
        statistics.clock_step(self.config.clock.step_nanos());
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        LoadOutcome {
            client: self.client.name(),
            statistics,
            accounting: self.client.accounting(),
            broken: broken.or(finish_error),
            is_stopped,
        }
    }
}

#[cfg(test)]
mod tests;

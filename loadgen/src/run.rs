//! Runs a plan against a client.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use spanproof_schemas::accounting::Accounting;
use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::Quantiles;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::UnixNanos;
use tokio_util::sync::CancellationToken;

use crate::catch_up::CatchUp;
use crate::client::{Client, ClientError, ClientErrorKind};
use crate::clock::Clock;
use crate::plan::Plan;
use crate::statistics::Statistics;

use calls::Calls;
use driving::{Driver, Run};

mod calls;
pub(crate) mod driving;

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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Calls planned.
    pub intended: u64,
    /// Calls that have come due; none at [`Speed::Max`], where no call has a time.
    pub due: u64,
    /// Calls handed to the client.
    pub started: u64,
    /// Calls that ended as planned.
    pub completed: u64,
    /// Calls that did not.
    pub failed: u64,
    /// Completed calls whose end was an error, the service's or the SDK's.
    pub errors: u64,
    /// Calls left out since they were overdue.
    pub skipped: u64,
    /// Calls left out since as many were open as may be.
    pub dropped: u64,
    /// Schedule lag of all calls that have ended.
    pub lag_ms: Quantiles,
    /// That of those that have ended since progress was told last.
    pub recent_lag_ms: Quantiles,
    /// From planned start to end.
    pub latency_ms: Quantiles,
    /// Tokens of all answers.
    pub tokens: Usage,
    /// What they cost, in US dollars, where the price of the model is known.
    pub usd: f64,
    /// How much simulated time has passed; nothing at [`Speed::Max`].
    pub simulated: Option<Duration>,
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
    let (plan, client) = (Arc::new(plan), Arc::new(client));
    let run = Run::new(config, &plan);
    let mut calls = Calls::new(&run, Arc::clone(&plan), &client);
    let work = async move |driver: Driver<'_>| driver.make_all(&mut calls).await;
    run.drive(&plan, work, progress).await;
    let is_stopped = run.config.stop.is_cancelled();
    // Calls that are given up end at once.
    run.all_ended().await;
    let abandon = &run.config.abandon;
    let finished = abandon.run_until_cancelled(client.finish()).await;
    if finished.is_none() {
        client.abandon().await;
    }
    let finished = finished.unwrap_or_else(|| {
        let message = "the run was given up before its telemetry was exported";
        Err(ClientError::new(ClientErrorKind::TelemetryLost, message))
    });
    run.outcome(client.name(), client.accounting(), finished.err(), is_stopped)
}

#[cfg(test)]
mod tests;

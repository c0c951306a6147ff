//! What the load generator planned and did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::accounting::Accounting;
use crate::ledger::Usage;

/// What the load generator planned and did.
///
/// Each planned call is in one of five: `completed`, `failed`, `skipped`, `dropped`, or not made,
/// which is what is left of `intended` and happens only in a run that ended early.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The client that was driven, such as `rust` or `python/genai-bedrock`.
    pub client: String,
    /// Calls planned.
    pub intended: u64,
    /// Calls handed to the client.
    pub started: u64,
    /// Calls that ended with an answer, errors of the service included when they were planned.
    pub completed: u64,
    /// Calls that ended otherwise.
    pub failed: u64,
    /// Calls left out since they were overdue by more than the catch-up policy makes up for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// Calls left out since as many were open as may be.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// From the first planned start to the last end, in seconds.
    pub wall_s: f64,
    /// Actual start minus planned start.
    pub schedule_lag_ms: Quantiles,
    /// Where that lag came from; absent where calls have no planned start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_parts: Option<LagParts>,
    /// End minus *planned* start, so that a stall counts for every call it delayed.
    pub latency_ms: Quantiles,
    /// End minus actual start: what a closed loop calls latency, and in which a stall counts once.
    #[serde(default, skip_serializing_if = "is_unmeasured")]
    pub service_ms: Quantiles,
    /// First chunk minus actual start, of streamed calls.
    pub ttft_ms: Quantiles,
    /// The rate that was asked for and the one that came of it; absent where calls have no planned
    /// start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<AchievedRate>,
    /// The minutes of simulated time in which calls were due or sent, by time; empty where calls
    /// have no planned start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub minutes: Vec<LoadMinute>,
    /// What was measured over simulated time, in order; empty where calls have no planned start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<LoadSlice>,
    /// What answers held; empty where none came.
    #[serde(default, skip_serializing_if = "LoadAnswers::is_empty")]
    pub answers: LoadAnswers,
    /// What the traces would take in a store; absent where nobody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<LoadStorage>,
    /// The books of the client's spans beside those of their receivers; absent where nobody keeps
    /// any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<TelemetryBooks>,
    /// What the run had to reach, and whether it did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
}

impl Load {
    /// Planned calls that were neither made nor left out: those after an early end.
    #[must_use]
    pub fn not_made(&self) -> u64 {
        self.intended.saturating_sub(self.started).saturating_sub(self.skipped + self.dropped)
    }

    /// The minute in which most calls were due, the first of equals.
    #[must_use]
    pub fn peak_minute(&self) -> Option<&LoadMinute> {
        self.minutes.iter().rev().max_by_key(|minute| minute.planned)
    }
}

/// The three waits that schedule lag is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LagParts {
    /// Released minus planned: how late the timer was.
    pub timer_ms: Quantiles,
    /// Admitted minus released: how long the call waited for room among those that may be open.
    pub room_ms: Quantiles,
    /// Sent minus admitted: how long the client took to make it.
    pub client_ms: Quantiles,
}

/// A rate of calls, in real time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AchievedRate {
    /// Calls that were to be made per second, up to the last that was due.
    pub planned_per_s: f64,
    /// Calls sent per second, until the last was due or sent, whichever was later.
    pub achieved_per_s: f64,
}

impl AchievedRate {
    /// The achieved rate as a part of the planned one.
    #[must_use]
    pub fn share(self) -> f64 {
        if self.planned_per_s > 0.0 { self.achieved_per_s / self.planned_per_s } else { 1.0 }
    }
}

/// A minute of simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadMinute {
    /// Its position, from 0.
    pub minute: u32,
    /// Calls due in it.
    pub planned: u64,
    /// Calls sent in it, whenever they were due.
    pub sent: u64,
    /// Of the calls due in it, those that ended as planned, whenever that was.
    pub completed: u64,
}

/// What was measured of the calls that were due in a slice of simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadSlice {
    /// Its first minute.
    pub minute: u32,
    /// How many minutes it has: as many as all slices of a load.
    pub minutes: u32,
    /// Actual start minus planned start.
    pub schedule_lag_ms: Quantiles,
    /// End minus planned start.
    pub latency_ms: Quantiles,
    /// First chunk minus actual start, of streamed calls.
    pub ttft_ms: Quantiles,
    /// Tokens of the answers.
    pub tokens: Usage,
}

/// What answers held, as the client's SDK read them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadAnswers {
    /// Answers by stop reason.
    pub stop_reasons: BTreeMap<String, u64>,
    /// Calls that raised an error, planned ones included, by its name.
    pub errors: BTreeMap<String, u64>,
    /// All calls that ended, by whose they were.
    pub shares: Vec<LoadShare>,
}

impl LoadAnswers {
    fn is_empty(&self) -> bool {
        self == &LoadAnswers::default()
    }
}

/// Calls of one tenant to one model, made for one feature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadShare {
    /// The model id as it was sent.
    pub model: String,
    /// Whose calls; absent of tenants from the hundredth on, and where calls have no planned start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<u32>,
    /// What they were made for, of the scenario's features; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// How many.
    pub calls: u64,
    /// Tokens of their answers.
    pub tokens: Usage,
    /// What those cost, in US dollars; absent where the price of the model is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
}

/// What traces such as the load's would take in Grafana Tempo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadStorage {
    /// The format of blocks.
    pub encoding: String,
    /// How long traces are kept.
    pub retention_days: f64,
    /// One for each policy.
    pub policies: Vec<PolicyStorage>,
}

/// What they take where content is treated by one policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyStorage {
    /// The policy, as it is written on the command line.
    pub policy: String,
    /// Stored for each day.
    pub bytes_per_day: f64,
    /// Stored once the oldest traces are deleted.
    pub bytes_at_retention: f64,
    /// The least that this can be.
    pub least_bytes_at_retention: f64,
    /// The most that this can be.
    pub greatest_bytes_at_retention: f64,
    /// What the store costs a month, in US dollars, searches left out.
    pub usd_per_month: f64,
}

/// The books of spans: the client's, and those of who received them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryBooks {
    /// The client's; absent for programs, which tell nobody what they export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Accounting>,
    /// Each receiver's own count.
    pub receivers: Vec<ReceivedSpans>,
    /// What does not fit together, if anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mismatches: Vec<String>,
}

/// How many spans a receiver counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceivedSpans {
    /// Who counted: [`ReceivedSpans::OURS`], or the URL of metrics.
    pub receiver: String,
    /// Spans that it took.
    pub accepted: u64,
    /// Spans that it refused or threw away.
    pub refused: u64,
}

impl ReceivedSpans {
    /// What the receiver of the run itself is called.
    pub const OURS: &str = "spanproof";
}

/// Something that a run had to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The option's name, such as `--max-lag-p99`.
    pub name: String,
    /// What was asked for.
    pub asked: String,
    /// What there was.
    pub seen: String,
    /// Whether that is enough.
    pub is_met: bool,
    /// What to do about it; absent where it is met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// Quantiles of a latency distribution, in milliseconds; all zero when nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_unmeasured(quantiles: &Quantiles) -> bool {
    *quantiles == Quantiles::default()
}

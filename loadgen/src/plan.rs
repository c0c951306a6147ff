//! The plan: which call is made when, and what it looks like, from a seed alone.

use std::io;
use std::time::Duration;

use spanproof_schemas::ledger::{MarkerKind, Planted, marker_stem};
use spanproof_schemas::worker::Call;

use crate::arrivals::Arrivals;
use crate::capabilities::{Capabilities, Feature};
use crate::fault::Fault;
use crate::intensity::{Intensity, RateShape};
use crate::random_text::uuid;
use crate::rate::Rate;
use crate::scenario::Scenario;
use crate::shard::Shard;
use crate::streams::{Purpose, stream};
use crate::tenants::Tenants;
use crate::trace::Trace;

use answer::Answer;
use line::Line;
use schedule::Schedule;
use session::{Open, Place, Rules};
use table::Table;

pub(crate) mod answer;
pub(crate) mod choose;
mod fingerprint;
mod hash;
mod line;
mod prompt;
mod request;
mod schedule;
pub(crate) mod session;
pub(crate) mod shape;
mod summary;
mod table;

pub use hash::{ParsePlanHashError, PlanHash};
pub(crate) use request::METADATA_HEADER;
pub use summary::PlanSummary;

/// The most calls a plan may have.
const MOST_CALLS: f64 = 1e9;

/// How many calls of a table are kept in memory before they are written together.
const ROWS_OF_GROUP: usize = 1 << 16;

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct PlanConfig {
    /// What calls look like.
    pub scenario: Scenario,
    /// What the client can do; the plan asks nothing else of it.
    pub capabilities: Capabilities,
    /// The seed of everything the plan draws.
    pub seed: u64,
    /// When calls are made.
    pub timing: Timing,
    /// Leaves out all calls after so many.
    pub most_calls: Option<u64>,
    /// The part of the plan to keep, of the calls that are left.
    pub shard: Shard,
}

/// When the calls of a plan are made.
#[derive(Clone, Debug)]
pub enum Timing {
    /// At a rate, by arrival processes.
    AtRate(AtRate),
    /// When they were made in a trace, whose lengths of prompts they have too; the lengths of its
    /// answers are the upper limits of theirs.
    Replayed(Trace),
}

/// Calls that arrive at a rate.
#[derive(Clone, Debug)]
pub struct AtRate {
    /// The mean rate, over a whole day or week of the day curve, in simulated time.
    pub rate: Rate,
    /// How much simulated time the plan covers, from midnight.
    pub length: Duration,
    /// How the calls of a tenant follow one another.
    pub arrivals: Arrivals,
    /// How the rate varies.
    pub shape: RateShape,
    /// Who makes the calls.
    pub tenants: Tenants,
}

impl AtRate {
    /// Evenly spaced calls of one tenant, at the same rate for all of `length`.
    #[must_use]
    pub fn even(rate: Rate, length: Duration) -> AtRate {
        AtRate {
            rate,
            length,
            arrivals: Arrivals::Constant,
            shape: RateShape::default(),
            tenants: Tenants::ONE,
        }
    }
}

/// A call and when it is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The call's position in the whole plan, by time and from 0.
    pub call: u64,
    /// When, in simulated time from the start. Later calls are planned no earlier.
    pub at: Duration,
    /// Which tenant makes it, from 0, the largest first.
    pub tenant: u32,
    /// Where it stands in its session.
    pub(crate) place: Place,
}

#[cfg(test)]
impl Planned {
    /// The first call of a session, at the start.
    pub(crate) fn numbered(call: u64) -> Planned {
        Planned { call, at: Duration::ZERO, tenant: 0, place: Place::first(call) }
    }
}

/// Calls and their planned times.
///
/// The number of calls is the rate times the length, rounded; a length that covers only a part of
/// a day has that part's share of the day. What a call looks like is a function of the seed and of
/// what [`Planned`] says of it, and each gap between calls of a tenant has random numbers of its
/// own. So the plan is the same whoever goes through it, and nothing is held in memory for a call:
/// only the sessions that are open.
#[derive(Debug)]
pub struct Plan {
    scenario: Scenario,
    capabilities: Capabilities,
    rules: Rules,
    schedule: Schedule,
    /// The calls of the whole plan.
    whole: u64,
    shard: Shard,
    seed: u64,
    prompt_marker_stem: String,
    /// What is planted into prompts beside markers.
    planted: Vec<Planted>,
    /// The long system prompts that calls share.
    shared_prompts: Vec<String>,
}

/// A plan that cannot be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The rate and the length leave nothing to do.
    #[error(
        "{rate} for {length:?} with this day curve is less than one call: raise the rate or plan for a longer time"
    )]
    NoCalls {
        /// The rate.
        rate: String,
        /// The length.
        length: Duration,
    },
    /// `most_calls` is zero.
    #[error("a limit of 0 calls leaves nothing to do: write at least 1")]
    LimitedToNone,
    /// More calls than a plan may have.
    #[error("{calls} calls are more than a plan may have: at most 1000000000")]
    TooManyCalls {
        /// How many it would be.
        calls: String,
    },
    /// There are more shards than calls.
    #[error("shard {shard} of {calls} calls is empty: use fewer shards")]
    EmptyShard {
        /// The shard.
        shard: String,
        /// How many calls the whole plan has.
        calls: u64,
    },
    /// The client can make none of the scenario's calls.
    #[error(
        "the client can make none of the scenario's calls: its operations and model families match no entry of the mix"
    )]
    NothingInCommon,
}

impl Plan {
    /// A plan from `config`.
    ///
    /// # Errors
    ///
    /// When no call, or too many, would be made, or the client can make none of them.
    pub fn new(config: PlanConfig) -> Result<Plan, PlanError> {
        let PlanConfig { scenario, capabilities, seed, timing, most_calls, shard } = config;
        let scheduled = match &timing {
            Timing::AtRate(at_rate) => {
                let effective = Intensity::new(&at_rate.shape, at_rate.length).effective();
                whole_calls(at_rate, effective)?
            }
            Timing::Replayed(trace) => trace.calls().len() as u64,
        };
        let whole = match most_calls {
            Some(0) => return Err(PlanError::LimitedToNone),
            Some(most) => scheduled.min(most),
            None => scheduled,
        };
        if shard.of(whole) == 0 {
            return Err(PlanError::EmptyShard { shard: shard.to_string(), calls: whole });
        }
        let weights: Vec<f64> = scenario
            .mix
            .iter()
            .map(|target| if shape::can_make(&capabilities, target) { target.weight } else { 0.0 })
            .collect();
        if weights.iter().sum::<f64>() <= 0.0 {
            return Err(PlanError::NothingInCommon);
        }
        let tenants = match &timing {
            Timing::AtRate(at_rate) => Some(at_rate.tenants),
            Timing::Replayed(_) => None,
        };
        let shared_prompts = prompt::shared(&scenario.cached_prefix, seed);
        Ok(Plan {
            rules: Rules::new(&scenario, &capabilities, tenants, &weights),
            schedule: Schedule::new(timing, scheduled, seed),
            whole,
            shard,
            seed,
            prompt_marker_stem: marker_stem(MarkerKind::Prompt, seed),
            planted: Planted::all(MarkerKind::Prompt, seed),
            shared_prompts,
            scenario,
            capabilities,
        })
    }

    /// What calls look like.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Which part of the plan this is.
    #[must_use]
    pub fn shard(&self) -> Shard {
        self.shard
    }

    /// The seed of everything in it.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many calls the whole plan has, those of other shards included.
    #[must_use]
    pub fn whole_calls(&self) -> u64 {
        self.whole
    }

    /// How many calls there are in this shard.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shard.of(self.whole)
    }

    /// The calls of this shard in the order of their times.
    pub fn planned(&self) -> impl Iterator<Item = Planned> + '_ {
        let mut open = Open::new(&self.rules);
        let whole = (0..self.whole).zip(self.schedule.times());
        whole
            .map(move |(call, (at, tenant))| {
                // Calls of other shards are gone through too: sessions go on with them.
                Planned { call, at, tenant, place: open.next(self, call, tenant) }
            })
            .filter(|planned| self.shard.holds(planned.call))
    }

    /// The call that `planned` stands for. What the user says in it holds a marker of its own, and one
    /// of the planted values of the run; so does what it repeats of its session, with the markers it
    /// had then.
    #[must_use]
    pub fn call(&self, planned: &Planned) -> Call {
        let shape = self.shape(planned);
        let metadata = self.metadata(planned, &shape);
        let in_header = metadata.as_ref().filter(|_| shape.target.is_native());
        let headers = shape.fault.map(Fault::header).into_iter();
        let headers = headers.chain(shape.answer.map(Answer::header));
        let headers = headers.chain(in_header.map(request::metadata_header));
        Call {
            call: planned.call,
            operation: shape.target.operation,
            model_id: shape.target.model.clone(),
            headers: headers.collect(),
            request: self.request(planned, &shape, metadata),
        }
    }

    /// What a call is made for, of the scenario's features.
    pub(crate) fn feature(&self, planned: &Planned) -> Option<&str> {
        let chosen = self.traits(&planned.place).feature;
        chosen.map(|feature| self.scenario.features[feature].value.as_str())
    }

    /// What the session of `place` is called, where it is called anything.
    pub(crate) fn conversation_id(&self, place: &Place) -> String {
        uuid(&mut stream(self.seed, Purpose::Conversation, place.session))
    }

    fn can(&self, feature: Feature) -> bool {
        self.capabilities.has(feature)
    }

    /// Writes the calls of this shard to `out`, a line of JSON each, and sums them up.
    /// `schemas/plan-line.schema.json` describes the lines.
    ///
    /// # Errors
    ///
    /// When `out` cannot be written to.
    pub fn write(&self, mut out: impl io::Write) -> io::Result<PlanSummary> {
        self.each_line(|_, line| {
            out.write_all(line)?;
            out.write_all(b"\n")
        })
    }

    /// Writes the same as a table: a file of Parquet, with a column for each member of the lines.
    ///
    /// # Errors
    ///
    /// When `out` cannot be written to.
    pub fn write_parquet(&self, out: impl io::Write + Send) -> io::Result<PlanSummary> {
        self.write_table(out, ROWS_OF_GROUP)
    }

    fn write_table(
        &self,
        out: impl io::Write + Send,
        rows_of_group: usize,
    ) -> io::Result<PlanSummary> {
        let mut table = Table::new(out, rows_of_group).map_err(io::Error::other)?;
        let summary = self.each_line(|line, _| table.add(line).map_err(io::Error::other))?;
        table.finish().map_err(io::Error::other)?;
        Ok(summary)
    }

    /// Gives `write` each call of this shard, as a line and as its JSON, and sums them up.
    fn each_line(
        &self,
        mut write: impl FnMut(&Line<'_>, &[u8]) -> io::Result<()>,
    ) -> io::Result<PlanSummary> {
        let mut summary = PlanSummary::new(self.shard, self.whole, self.seed);
        let mut json = Vec::new();
        for planned in self.planned() {
            let shape = self.shape(&planned);
            let line = Line::new(planned, &shape);
            json.clear();
            serde_json::to_writer(&mut json, &line)?;
            summary.add(planned, &shape, &json);
            write(&line, &json)?;
        }
        Ok(summary)
    }
}

/// The calls of `at_rate`, whose length counts as `effective`.
fn whole_calls(at_rate: &AtRate, effective: Duration) -> Result<u64, PlanError> {
    let calls = at_rate.rate.calls_in(effective).round();
    if calls < 1.0 {
        let (rate, length) = (at_rate.rate.to_string(), at_rate.length);
        return Err(PlanError::NoCalls { rate, length });
    }
    if calls > MOST_CALLS {
        return Err(PlanError::TooManyCalls { calls: calls.to_string() });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number between 1 and MOST_CALLS"
    )]
    let calls = calls as u64;
    Ok(calls)
}

/// `number` in digits and lower-case letters.
fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).ok().and_then(|digit| char::from_digit(digit, 36));
        digits.extend(digit);
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests;

//! The plan: which call is made when, as a function of its position alone.

use std::time::Duration;

use spanproof_schemas::ledger::{MarkerKind, Planted, marker_stem};
use spanproof_schemas::worker::Call;

use crate::arrivals::{Arrivals, Schedule};
use crate::capabilities::Capabilities;
use crate::day_curve::{DayCurve, Intensity};
use crate::fault::Fault;
use crate::rate::Rate;
use crate::scenario::Scenario;

mod choose;
mod prompt;
mod request;
mod shape;

/// The most calls a plan may have.
const MOST_CALLS: f64 = 1e9;

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct PlanConfig {
    /// What calls look like.
    pub scenario: Scenario,
    /// What the client can do; the plan asks nothing else of it.
    pub capabilities: Capabilities,
    /// The seed of everything the plan draws.
    pub seed: u64,
    /// The mean rate, over a whole day, in simulated time.
    pub rate: Rate,
    /// How much simulated time the plan covers, from midnight.
    pub length: Duration,
    /// Leaves out all calls after so many.
    pub most_calls: Option<u64>,
    /// How calls follow one another.
    pub arrivals: Arrivals,
    /// How the rate varies over the day.
    pub day_curve: DayCurve,
}

/// Calls and their planned times.
///
/// The number of calls is the rate times the length, rounded; a length that covers only a part of
/// a day has that part's share of the day. Each call is a function of the seed and its position, so
/// nothing is held in memory for it, and the order of asking makes no difference.
#[derive(Debug)]
pub struct Plan {
    scenario: Scenario,
    capabilities: Capabilities,
    targets: choose::Weights,
    schedule: Schedule,
    calls: u64,
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
        "{rate} for {length:?} is less than one call: raise the rate or plan for a longer time"
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
        let PlanConfig { scenario, capabilities, seed, rate, length, .. } = config;
        let effective = Intensity::new(config.day_curve, length).effective();
        let scheduled = whole_calls(rate, effective)?;
        let calls = match config.most_calls {
            Some(0) => return Err(PlanError::LimitedToNone),
            Some(most) => scheduled.min(most),
            None => scheduled,
        };
        let weights = scenario
            .mix
            .iter()
            .map(|target| if shape::can_make(&capabilities, target) { target.weight } else { 0.0 });
        let targets = choose::Weights::new(weights).ok_or(PlanError::NothingInCommon)?;
        let shared_prompts = prompt::shared(&scenario.cached_prefix, seed);
        Ok(Plan {
            targets,
            schedule: Schedule::new(config.arrivals, config.day_curve, length, scheduled, seed),
            calls,
            seed,
            prompt_marker_stem: marker_stem(MarkerKind::Prompt, seed),
            planted: Planted::all(MarkerKind::Prompt, seed),
            shared_prompts,
            scenario,
            capabilities,
        })
    }

    /// How many calls there are. Positions run from 0 to one less.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// When call `k` is to be made, in simulated time from the start. Later calls are planned no
    /// earlier.
    #[must_use]
    pub fn planned(&self, k: u64) -> Duration {
        self.schedule.planned(k)
    }

    /// Call `k`. Its prompt holds a marker of its own, and one of the planted values of the run.
    #[must_use]
    pub fn call(&self, k: u64) -> Call {
        let shape = self.shape(k);
        Call {
            call: k,
            operation: shape.target.operation,
            model_id: shape.target.model.clone(),
            headers: shape.fault.map(Fault::header).into_iter().collect(),
            request: self.request(k, &shape),
        }
    }

    /// What call `k` plants: each kind in turn.
    fn planted(&self, k: u64) -> &Planted {
        let kinds = self.planted.len() as u64;
        &self.planted[usize::try_from(k % kinds).unwrap_or_default()]
    }

    fn prompt_marker(&self, k: u64) -> String {
        format!("{}{}", self.prompt_marker_stem, base36(k))
    }
}

fn whole_calls(rate: Rate, length: Duration) -> Result<u64, PlanError> {
    let calls = rate.calls_in(length).round();
    if calls < 1.0 {
        return Err(PlanError::NoCalls { rate: rate.to_string(), length });
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

//! Synthetic spans as a store gets them, and what the judge says of them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod judged;
mod laws;

use std::time::Duration;

use loadgen::otlp::Limits;
use loadgen::synthetic::{Dialogue, Traces};
use loadgen::{AtRate, Plan, PlanConfig, Scenario, Shard, Timing};

/// A Monday.
const MIDNIGHT: u64 = 1_767_571_200_000_000_000;

fn traces(scenario: Scenario, calls: u64, shard: &str, dialogue: Dialogue) -> Traces {
    let plan = Plan::new(PlanConfig {
        capabilities: Traces::capabilities(&scenario),
        scenario,
        seed: 7,
        timing: Timing::AtRate(AtRate::even(
            "80000/day".parse().unwrap(),
            Duration::from_hours(24),
        )),
        most_calls: Some(calls),
        shard: if shard.is_empty() { Shard::WHOLE } else { shard.parse().unwrap() },
    });
    Traces::new(plan.unwrap(), dialogue)
}

/// The requests of so many traces of a scenario.
fn requests(scenario: &str, calls: u64, dialogue: Dialogue) -> Vec<Vec<u8>> {
    let traces = traces(Scenario::named(scenario).unwrap(), calls, "", dialogue);
    traces.requests(Limits::default(), MIDNIGHT).map(|request| request.body).collect()
}

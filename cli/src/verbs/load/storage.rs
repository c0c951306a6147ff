//! What traces such as those of a load take in a store.

use spanproof_schemas::report::{Load, LoadStorage, PolicyStorage};

use super::planning::PlanArgs;
use crate::exit::Failure;
use crate::verbs::size;

const MINUTES_OF_DAY: f64 = 1_440.0;

/// What the traces of `whole_calls` of a plan take by each policy, of which `load` made all or a
/// shard's; nothing where it is not known how much time they cover.
pub(super) fn foretold(
    plan: &PlanArgs,
    load: &Load,
    whole_calls: u64,
    seed: u64,
) -> Result<Option<LoadStorage>, Failure> {
    let of_trace = || {
        let last = load.minutes.last()?;
        #[expect(clippy::cast_precision_loss, reason = "a rate, of a billion calls at most")]
        let calls = whole_calls as f64;
        Some(calls * MINUTES_OF_DAY / (f64::from(last.minute) + 1.0))
    };
    let Some(traces_per_day) = plan.per_day()?.or_else(of_trace) else { return Ok(None) };
    let forecast =
        size::as_it_comes(&plan.scenario()?, plan.scenario_name(), traces_per_day, seed)?;
    let policies = forecast.policies.into_iter().map(|policy| PolicyStorage {
        policy: policy.policy,
        bytes_per_day: policy.stored_bytes_per_day,
        bytes_at_retention: policy.stored_bytes_at_retention,
        least_bytes_at_retention: policy.uncertainty.least_bytes_at_retention,
        greatest_bytes_at_retention: policy.uncertainty.greatest_bytes_at_retention,
        usd_per_month: policy.cost.storage_usd
            + policy.cost.write_requests_usd
            + policy.cost.read_requests_usd,
    });
    Ok(Some(LoadStorage {
        encoding: forecast.load.encoding,
        retention_days: forecast.load.retention_days,
        policies: policies.collect(),
    }))
}

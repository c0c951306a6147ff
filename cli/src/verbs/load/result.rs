//! The file of `--result`.

use std::path::Path;

use anyhow::Context as _;
use loadgen::{LoadOutcome, Plan, PlanHash, Statistics};
use spanproof_schemas::load_result::{
    LOAD_RESULT_VERSION, LoadResult, PlanIdentity, ShardIdentity,
};
use spanproof_schemas::report::Report;
use spanproof_schemas::speed::Speed;

use crate::exit::{Failure, OrFail as _};
use crate::output;

/// What a run planned, before it is run.
pub(super) struct Begun {
    plan: PlanIdentity,
    shard: ShardIdentity,
    speed: Speed,
}

impl Begun {
    pub(super) fn new(fingerprint: String, hash: PlanHash, plan: &Plan, speed: Speed) -> Begun {
        let shard = plan.shard();
        Begun {
            plan: PlanIdentity {
                fingerprint,
                hash: hash.to_string(),
                seed: plan.seed(),
                calls: plan.whole_calls(),
            },
            shard: ShardIdentity { index: shard.index(), count: shard.count() },
            speed,
        }
    }

    /// Writes what came of it, whole or not at all; `is_kept` says whether all of the evidence is.
    pub(super) fn write(
        self,
        path: &Path,
        outcome: &LoadOutcome,
        is_kept: bool,
        report: &Report,
    ) -> Result<(), Failure> {
        let statistics: &Statistics = &outcome.statistics;
        let result = LoadResult {
            version: LOAD_RESULT_VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            plan: self.plan,
            shard: self.shard,
            speed: self.speed.to_string(),
            window: statistics.window(),
            is_whole: is_kept && !outcome.is_stopped && outcome.broken.is_none(),
            histograms: statistics.histograms(),
            slices: statistics.slices(),
            failures: statistics.failures().to_vec(),
            report: report.clone(),
        };
        write(path, &result)
    }
}

/// Writes `result` at `path`, whole or not at all.
pub(crate) fn write(path: &Path, result: &LoadResult) -> Result<(), Failure> {
    output::replace(path, |out| {
        serde_json::to_writer(&mut *out, result)?;
        out.write_all(b"\n")
    })
    .with_context(|| format!("cannot write the result {}", path.display()))
    .or_could_not_judge()
}

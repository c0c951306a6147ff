//! The arguments that say which calls are made when, and the plan they make.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use loadgen::{
    Arrivals, AtRate, Capabilities, DayCurve, Plan, PlanConfig, PlanSummary, Rate, RateShape,
    ReplayConfig, Scenario, Shard, Spike, Tenants, Timing, Trace,
};
use spanproof_schemas::speed::Speed;

use crate::exit::{Failure, OrFail as _};
use crate::{judging, output, scenario};

const HEADING: &str = "Plan";

/// The rate unless another is given.
const DEFAULT_RATE: &str = "80000/day";

/// How much simulated time is covered unless another length is given.
const DEFAULT_LENGTH: Duration = Duration::from_hours(24);

/// Set by Kubernetes in the pods of an Indexed Job.
const JOB_INDEX: &str = "JOB_COMPLETION_INDEX";

/// Set in a job's manifest to its number of completions, for which Kubernetes has no variable.
const SHARD_COUNT: &str = "SHARD_COUNT";

/// What calls are made, and when.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// The mean rate of calls, in simulated time: 80000/day, 5/s, 300/min, 1.5/h [default: 80000/day]
    #[arg(long, allow_hyphen_values = true, help_heading = HEADING)]
    rate: Option<Rate>,
    /// How much simulated time to cover, such as 24h or 90m [default: 24h, or the whole trace]
    #[arg(long = "for", value_name = "DURATION", value_parser = loadgen::parse_duration,
          help_heading = HEADING)]
    length: Option<Duration>,
    /// Stop after so many calls
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..),
          help_heading = HEADING)]
    calls: Option<u64>,
    /// How calls follow one another: constant, poisson, gamma:K, weibull:K (K: the shape, below 1
    /// in bursts), or replay:FILE, a CSV of times, tokens in and tokens out
    #[arg(long, value_name = "PROCESS", default_value = "constant", help_heading = HEADING)]
    arrival: Arrival,
    /// How the rate varies: flat; conversation or coding, each also with -weekend or -week; or 24 or
    /// 168 numbers with commas [default: flat]
    #[arg(long, value_name = "CURVE", help_heading = HEADING)]
    day_curve: Option<DayCurve>,
    /// Let the rate rise from nothing to its height for this long
    #[arg(long, value_name = "DURATION", value_parser = loadgen::parse_duration,
          help_heading = HEADING)]
    ramp: Option<Duration>,
    /// Multiply the rate for a while: 5x@12h+10m is five times as much, 12 hours after the start,
    /// for 10 minutes; repeatable
    #[arg(long, value_name = "FACTORx@START+LENGTH", help_heading = HEADING)]
    spike: Vec<Spike>,
    /// So many tenants, with arrivals of their own and shares by Zipf's law: 50, or 50:1.3 with the
    /// exponent [default: 1]
    #[arg(long, value_name = "N[:EXPONENT]", help_heading = HEADING)]
    tenants: Option<Tenants>,
    /// Replay a trace so many times as fast as it was recorded, in simulated time [default: 1x]
    #[arg(long, value_name = "FACTORx", help_heading = HEADING)]
    replay_speed: Option<Speed>,
    /// Cut longer gaps of a trace to this, in simulated time
    #[arg(long, value_name = "DURATION", value_parser = loadgen::parse_duration,
          help_heading = HEADING)]
    replay_idle: Option<Duration>,
    /// Leave out so much of a trace's start, in its own time
    #[arg(long, value_name = "DURATION", value_parser = loadgen::parse_duration,
          help_heading = HEADING)]
    replay_skip: Option<Duration>,
    /// What calls look like: agent, chat, embeddings, failure-storm, long-context, prompt-caching,
    /// rag, streaming, or a file with an extension (.yaml)
    #[arg(long, value_name = "NAME|PATH", default_value = loadgen::DEFAULT_SCENARIO,
          help_heading = HEADING)]
    scenario: String,
    /// Make only the calls of part I of N, from 0: 2/8 [default: in an Indexed Job of
    /// Kubernetes, the pod's; else all calls]
    #[arg(long, value_name = "I/N", help_heading = HEADING)]
    shard: Option<Shard>,
    /// Print a summary of the plan and its hash, and make no call
    #[arg(long, help_heading = HEADING)]
    pub(super) plan_only: bool,
    /// Write the plan to this file, a line of JSON per call, or a table if it ends in .parquet
    #[arg(long, value_name = "PATH", help_heading = HEADING)]
    plan_out: Option<PathBuf>,
}

/// What `--arrival` says.
#[derive(Clone, Debug)]
enum Arrival {
    Process(Arrivals),
    Replay(PathBuf),
}

impl FromStr for Arrival {
    type Err = anyhow::Error;

    fn from_str(given: &str) -> anyhow::Result<Arrival> {
        match given.strip_prefix("replay:") {
            Some("") => bail!("`replay:` names no file"),
            Some(path) => Ok(Arrival::Replay(path.into())),
            None => Ok(Arrival::Process(
                given
                    .parse()
                    .map_err(|error| anyhow!("{error}, or `replay:FILE` for a recorded trace"))?,
            )),
        }
    }
}

impl PlanArgs {
    /// What the plan for a client with `capabilities` is made from.
    pub(super) fn config(
        &self,
        capabilities: Capabilities,
        seed: u64,
    ) -> Result<PlanConfig, Failure> {
        let variable = |name| std::env::var(name).ok();
        let shard = self.shard.map_or_else(
            || shard_of_job(variable(JOB_INDEX).as_deref(), variable(SHARD_COUNT).as_deref()),
            Ok,
        );
        Ok(PlanConfig {
            scenario: self.scenario()?,
            capabilities,
            seed,
            timing: self.timing()?,
            most_calls: self.calls,
            shard: shard.or_usage()?,
        })
    }

    /// How much simulated time is covered, where that is known without the plan.
    pub(super) fn length(&self) -> Option<Duration> {
        match (&self.arrival, self.calls) {
            (Arrival::Process(_), None) => Some(self.length.unwrap_or(DEFAULT_LENGTH)),
            _ => None,
        }
    }

    /// How many calls a day has on the mean; nothing of a trace, which says so itself.
    pub(super) fn per_day(&self) -> Result<Option<f64>, Failure> {
        match &self.arrival {
            Arrival::Process(_) => Ok(Some(self.rate()?.calls_in(Duration::from_hours(24)))),
            Arrival::Replay(_) => Ok(None),
        }
    }

    fn rate(&self) -> Result<Rate, Failure> {
        self.rate.map_or_else(|| DEFAULT_RATE.parse().or_usage(), Ok)
    }

    /// The scenario as it was named.
    pub(super) fn scenario_name(&self) -> String {
        self.scenario.clone()
    }

    pub(super) fn scenario(&self) -> Result<Scenario, Failure> {
        scenario::named(&self.scenario)
    }

    fn timing(&self) -> Result<Timing, Failure> {
        let arrivals = match &self.arrival {
            Arrival::Process(arrivals) => *arrivals,
            Arrival::Replay(path) => return self.replayed(path),
        };
        let of_replay = [
            ("--replay-speed", self.replay_speed.is_some()),
            ("--replay-idle", self.replay_idle.is_some()),
            ("--replay-skip", self.replay_skip.is_some()),
        ];
        refuse(of_replay, "is for `--arrival replay:FILE`").or_usage()?;
        Ok(Timing::AtRate(AtRate {
            rate: self.rate()?,
            length: self.length.unwrap_or(DEFAULT_LENGTH),
            arrivals,
            shape: RateShape {
                day_curve: self.day_curve.clone().unwrap_or_default(),
                ramp: self.ramp,
                spikes: self.spike.clone(),
            },
            tenants: self.tenants.unwrap_or_default(),
        }))
    }

    fn replayed(&self, path: &Path) -> Result<Timing, Failure> {
        let of_rates = [
            ("--rate", self.rate.is_some()),
            ("--day-curve", self.day_curve.is_some()),
            ("--ramp", self.ramp.is_some()),
            ("--spike", !self.spike.is_empty()),
            ("--tenants", self.tenants.is_some()),
        ];
        refuse(of_rates, "has no effect on a replayed trace: its times are its own").or_usage()?;
        let speed = match self.replay_speed {
            None => 1.0,
            Some(Speed::Times(times)) => times,
            Some(Speed::Max) => {
                let error = anyhow!(
                    "--replay-speed is a factor such as `10x`; to make calls as fast as can be, use --speed max"
                );
                return Err(error).or_usage();
            }
        };
        let config = ReplayConfig {
            skip: self.replay_skip.unwrap_or_default(),
            speed,
            longest_gap: self.replay_idle,
            length: self.length,
        };
        let unreadable = || format!("cannot replay {}", path.display());
        let file = File::open(path).with_context(unreadable).or_could_not_judge()?;
        let trace = Trace::read(file, config).with_context(unreadable).or_could_not_judge()?;
        Ok(Timing::Replayed(trace))
    }

    /// Fails where the plan could not be written.
    pub(super) fn check_writable(&self) -> Result<(), Failure> {
        let Some(path) = &self.plan_out else { return Ok(()) };
        judging::check_writable(path)
    }

    /// Writes the plan if that was asked for, and sums it up if anybody will see it: `is_summed_up`
    /// where somebody else will.
    pub(super) fn write(
        &self,
        plan: &Plan,
        is_summed_up: bool,
    ) -> Result<Option<PlanSummary>, Failure> {
        match &self.plan_out {
            Some(path) => output::replace(path, |out| match path.extension() {
                Some(extension) if extension == "parquet" => plan.write_parquet(out),
                _ => plan.write(out),
            })
            .with_context(|| format!("cannot write {}", path.display()))
            .or_could_not_judge()
            .map(Some),
            None if self.plan_only || is_summed_up => {
                plan.write(io::sink()).or_could_not_judge().map(Some)
            }
            None => Ok(None),
        }
    }
}

/// Refuses the first option that is given.
fn refuse<const N: usize>(options: [(&str, bool); N], why: &str) -> anyhow::Result<()> {
    match options.into_iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => bail!("{option} {why}"),
        None => Ok(()),
    }
}

/// The shard of a pod of an Indexed Job, from its environment.
fn shard_of_job(index: Option<&str>, count: Option<&str>) -> anyhow::Result<Shard> {
    match (index, count) {
        (None, None) => Ok(Shard::WHOLE),
        (Some(index), Some(count)) => format!("{index}/{count}")
            .parse()
            .with_context(|| format!("{JOB_INDEX} and {SHARD_COUNT} do not go together")),
        (Some(_), None) => bail!(
            "{JOB_INDEX} is set and {SHARD_COUNT} is not, so every pod would make all calls: set {SHARD_COUNT} to the job's completions, or give --shard (0/1: all calls)"
        ),
        (None, Some(_)) => bail!(
            "{SHARD_COUNT} is set and {JOB_INDEX} is not: give the job `completionMode: Indexed`, or give --shard"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_of_an_indexed_job_gets_its_shard() {
        assert_eq!(shard_of_job(None, None).unwrap(), Shard::WHOLE);
        assert_eq!(shard_of_job(Some("2"), Some("8")).unwrap(), "2/8".parse().unwrap());
        for (index, count) in [(Some("2"), None), (None, Some("8")), (Some("8"), Some("8"))] {
            let said = shard_of_job(index, count).unwrap_err().to_string();
            assert!(said.contains(SHARD_COUNT) && said.contains(JOB_INDEX), "{said}");
        }
    }
}

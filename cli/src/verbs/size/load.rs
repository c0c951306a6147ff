//! The arguments that say what load to foretell, and the sample of it.

use std::time::Duration;

use anyhow::anyhow;
use loadgen::otlp::Limits;
use loadgen::synthetic::{Dialogue, Traces};
use loadgen::{AtRate, DayCurve, Plan, PlanConfig, Rate, Scenario, Shard, Timing};
use sizing::forecast::{LoadShape, PolicySample, forecast};
use sizing::{BlockEncoding, BlockOptions};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::forecast::Forecast;

use crate::exit::{Failure, OrFail as _};
use crate::scenario;

const HEADING: &str = "Load";

/// How many traces are made of the seed that counts, and of each of those it is compared with.
const SAMPLED_TRACES: u64 = 1_600;
const COMPARED_TRACES: u64 = 400;
/// How many seeds it is compared with.
const COMPARED_SEEDS: u64 = 2;
/// A sample ends early where it is larger: long prompts take longer, and differ less.
const SAMPLED_BYTES: usize = 24 << 20;

/// When the sampled traces are, in nanoseconds since the epoch: it does not matter.
const MIDNIGHT_UNIX_NANOS: u64 = 1_767_571_200_000_000_000;

/// The arguments here, which go with no other telemetry.
pub(super) const ARGUMENTS: [&str; 9] = [
    "rate",
    "scenario",
    "retention",
    "policies",
    "day_curve",
    "replication",
    "block_cut",
    "dimensions",
    "seed",
];

/// What load to foretell.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = HEADING)]
pub(super) struct LoadArgs {
    /// Foretell what synthetic traces take at this mean rate: 80000/day, 5/s, 300/min, 1.5/h
    #[arg(long, group = "what", allow_hyphen_values = true)]
    rate: Option<Rate>,
    /// What calls look like: agent, chat, embeddings, failure-storm, long-context, prompt-caching,
    /// rag, streaming, or a file with an extension (.yaml)
    #[arg(long, requires = "rate", value_name = "NAME|PATH", default_value = "rag")]
    scenario: String,
    /// How long traces are kept, such as 14d or 336h
    #[arg(long, requires = "rate", value_name = "DURATION", value_parser = loadgen::parse_duration,
          default_value = "14d", allow_hyphen_values = true)]
    retention: Duration,
    /// What becomes of content: none, hash, cut:SIZE, full, events or reference; repeatable
    /// [default: all of them]
    #[arg(long = "policy", requires = "rate", value_name = "POLICY")]
    policies: Vec<ContentPolicy>,
    /// How the rate varies: flat; conversation or coding, each also with -weekend or -week; or 24 or
    /// 168 numbers with commas
    #[arg(long, requires = "rate", value_name = "CURVE", default_value = "conversation")]
    day_curve: DayCurve,
    /// How many ingesters write each trace: 1, or 3 as charts of Tempo 2 have it
    #[arg(long, requires = "rate", value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=9))]
    replication: u32,
    /// Cut a block after so long at the latest: 30s as Tempo 3 does, 30m as Tempo 2
    #[arg(long, requires = "rate", value_name = "DURATION", value_parser = loadgen::parse_duration,
          default_value = "30s", allow_hyphen_values = true)]
    block_cut: Duration,
    /// A dimension of span metrics beside service, span name, kind and status; repeatable
    #[arg(
        long = "dimension",
        requires = "rate",
        value_name = "ATTRIBUTE",
        default_value = "gen_ai.request.model"
    )]
    dimensions: Vec<String>,
    /// The seed of the sampled traces
    #[arg(long, requires = "rate", value_name = "N", default_value_t = 42)]
    seed: u64,
}

impl LoadArgs {
    pub(super) fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// What the load takes, by each policy.
    pub(super) fn forecast(&self, rate: Rate, options: &BlockOptions) -> Result<Forecast, Failure> {
        let scenario = scenario::named(&self.scenario)?;
        let policies =
            if self.policies.is_empty() { &ContentPolicy::ALL[..] } else { &self.policies };
        let samples = samples(&scenario, policies, self.seed)?;
        let load = LoadShape {
            scenario: self.scenario.clone(),
            traces_per_day: rate.calls_in(Duration::from_hours(24)),
            peak_factor: self.day_curve.peak(),
            retention: self.retention,
            replication: self.replication,
            block_cut: self.block_cut,
        };
        forecast(&load, options, &self.dimensions, &samples).or_could_not_judge()
    }
}

/// What traces of `scenario` take by every policy, in a Tempo that is set up as it comes: what `size`
/// foretells unless it is told otherwise.
pub(crate) fn as_it_comes(
    scenario: &Scenario,
    name: String,
    traces_per_day: f64,
    seed: u64,
) -> Result<Forecast, Failure> {
    let load = LoadShape {
        scenario: name,
        traces_per_day,
        peak_factor: 1.0,
        retention: LoadShape::RETENTION,
        replication: 1,
        block_cut: LoadShape::BLOCK_CUT,
    };
    let mut options = BlockOptions::new(BlockEncoding::default());
    // The policy says what is kept.
    options.max_attribute_bytes = None;
    let samples = samples(scenario, &ContentPolicy::ALL, seed)?;
    forecast(&load, &options, &[], &samples).or_could_not_judge()
}

fn samples(
    scenario: &Scenario,
    policies: &[ContentPolicy],
    seed: u64,
) -> Result<Vec<PolicySample>, Failure> {
    policies.iter().map(|policy| sample(scenario, *policy, seed)).collect()
}

fn sample(scenario: &Scenario, policy: ContentPolicy, seed: u64) -> Result<PolicySample, Failure> {
    let compared = (1..=COMPARED_SEEDS).map(|other| (seed.wrapping_add(other), COMPARED_TRACES));
    let seeds = std::iter::once((seed, SAMPLED_TRACES)).chain(compared);
    let seeds = seeds.map(|(seed, traces)| requests(scenario, policy, seed, traces));
    Ok(PolicySample {
        policy: policy.to_string(),
        has_text: policy.has_text(),
        seeds: seeds.collect::<Result<_, _>>()?,
    })
}

/// Requests with `traces` traces, or fewer where they are long.
fn requests(
    scenario: &Scenario,
    policy: ContentPolicy,
    seed: u64,
    traces: u64,
) -> Result<Vec<Vec<u8>>, Failure> {
    let rate: Rate = "1/s".parse().map_err(|error| anyhow!("{error}")).or_usage()?;
    let plan = Plan::new(PlanConfig {
        capabilities: Traces::capabilities(scenario),
        scenario: scenario.clone(),
        seed,
        timing: Timing::AtRate(AtRate::even(rate, Duration::from_hours(24))),
        most_calls: Some(traces),
        shard: Shard::WHOLE,
    })
    .or_usage()?;
    let traces = Traces::new(plan, Dialogue { content: policy, ..Dialogue::default() });
    let mut bodies = Vec::new();
    let mut bytes = 0;
    for request in traces.requests(Limits::default(), MIDNIGHT_UNIX_NANOS) {
        bytes += request.body.len();
        bodies.push(request.body);
        if bytes > SAMPLED_BYTES {
            break;
        }
    }
    Ok(bodies)
}

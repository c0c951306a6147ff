//! The file of `spanproof load --result`: what one shard of a load planned, did and measured, from
//! which `spanproof merge` makes the report of the whole.

use serde::{Deserialize, Serialize};

use crate::report::Report;
use crate::time::UnixNanos;

/// The version of the file's shape.
pub const LOAD_RESULT_VERSION: u32 = 2;

/// What one shard planned, did and measured. `load-result.schema.json` is its JSON Schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadResult {
    /// [`LOAD_RESULT_VERSION`] of the writer.
    pub version: u32,
    /// The version of the program that ran the load.
    pub program: String,
    /// Which plan it is of.
    pub plan: PlanIdentity,
    /// Which part of the plan it is.
    pub shard: ShardIdentity,
    /// How fast simulated time ran, such as `1440x` or `max`.
    pub speed: String,
    /// When it happened.
    pub window: LoadWindow,
    /// Whether the run went to the end of its plan.
    pub is_whole: bool,
    /// What was measured of its calls.
    pub histograms: LoadHistograms,
    /// The same by slices of simulated time: what the quantiles of `slices` in the report's load are
    /// of, in the same order.
    pub slices: Vec<SliceHistograms>,
    /// The first calls that did not end as planned, and how they ended.
    pub failures: Vec<String>,
    /// The report of the run. Its quantiles are those of the histograms here.
    pub report: Report,
}

/// What makes one plan another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanIdentity {
    /// SHA-256 over all that the whole plan follows from; the same for all shards of one plan.
    pub fingerprint: String,
    /// The hash of this shard's lines; those of all shards add up to the hash of the plan.
    pub hash: String,
    /// The seed.
    pub seed: u64,
    /// Calls of the whole plan.
    pub calls: u64,
}

/// A part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardIdentity {
    /// Its index, from 0.
    pub index: u64,
    /// How many there are.
    pub count: u64,
}

/// When a load happened, in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadWindow {
    /// When simulated time started.
    pub start_unix_nanos: UnixNanos,
    /// When the last call was due; as the start where calls have no planned time.
    pub last_planned_unix_nanos: UnixNanos,
    /// When the last call was sent.
    pub last_sent_unix_nanos: UnixNanos,
    /// When the last call ended.
    pub end_unix_nanos: UnixNanos,
    /// How far the wall clock was set meanwhile, in milliseconds. Times are measured without it; but
    /// windows of machines whose clocks were set cannot be compared.
    pub clock_step_ms: i64,
}

/// Times of calls, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadHistograms {
    /// Sent minus planned.
    pub lag: HistogramCounts,
    /// Released minus planned.
    pub timer: HistogramCounts,
    /// Admitted minus released.
    pub room: HistogramCounts,
    /// Sent minus admitted.
    pub client: HistogramCounts,
    /// Finished minus planned.
    pub latency: HistogramCounts,
    /// Finished minus sent.
    pub service: HistogramCounts,
    /// First chunk minus sent.
    pub ttft: HistogramCounts,
}

/// Times of the calls that were due in a slice of simulated time, in microseconds to two significant
/// digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceHistograms {
    /// The first minute of the slice.
    pub minute: u32,
    /// Sent minus planned.
    pub lag: HistogramCounts,
    /// Finished minus planned.
    pub latency: HistogramCounts,
    /// First chunk minus sent.
    pub ttft: HistogramCounts,
}

/// The buckets of a histogram, of three significant digits unless said otherwise, that are not empty,
/// by value: the highest value of the bucket, and how many values are in it. Recording each so often makes the histogram
/// again, without loss.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HistogramCounts(pub Vec<(u64, u64)>);

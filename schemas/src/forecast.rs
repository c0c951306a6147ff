//! What a load will take in a store. `forecast.schema.json` is its JSON Schema.

use serde::{Deserialize, Serialize};

/// The version of the forecast's shape.
pub const FORECAST_VERSION: u32 = 1;

/// A load, and what it takes by each policy for content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// [`FORECAST_VERSION`] of the writer.
    pub version: u32,
    /// What was assumed.
    pub load: ForecastLoad,
    /// One for each policy, in the order asked for.
    pub policies: Vec<PolicyForecast>,
    /// What metrics made of spans take.
    pub series: SeriesForecast,
    /// What the model calls cost by themselves.
    pub bedrock: BedrockForecast,
    /// Where the prices of the store are from.
    pub prices: PriceSource,
}

/// What a forecast assumes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastLoad {
    /// The scenario's name or file.
    pub scenario: String,
    /// The format of blocks.
    pub encoding: String,
    /// Traces a day, on the mean.
    pub traces_per_day: f64,
    /// How many spans a trace has, on the mean.
    pub spans_per_trace: f64,
    /// How many times the mean rate the busiest hour has.
    pub peak_factor: f64,
    /// How long traces are kept, in days.
    pub retention_days: f64,
    /// How many ingesters write each trace until blocks are compacted.
    pub replication: u32,
    /// After how many seconds a block is cut.
    pub block_cut_seconds: f64,
    /// Where attributes are cut, in bytes; nothing where they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attribute_bytes: Option<u64>,
    /// How many traces were made and sized to know this, of each seed.
    pub sampled_traces: Vec<u64>,
}

/// What the load takes by one policy for content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyForecast {
    /// The policy, as it is written on the command line.
    pub policy: String,
    /// OTLP, in bytes for a trace.
    pub otlp_bytes_per_trace: f64,
    /// What is stored after compaction, all files of blocks, in bytes for a trace.
    pub stored_bytes_per_trace: f64,
    /// The same for a span.
    pub stored_bytes_per_span: f64,
    /// Stored for each day.
    pub stored_bytes_per_day: f64,
    /// Stored for each month of 30.44 days.
    pub stored_bytes_per_month: f64,
    /// Stored once the oldest traces are deleted.
    pub stored_bytes_at_retention: f64,
    /// How far off the stored bytes can be.
    pub uncertainty: Uncertainty,
    /// What Tempo takes in.
    pub ingest: Ingest,
    /// Blocks, before and after compaction.
    pub blocks: BlocksForecast,
    /// US dollars a month.
    pub cost: StoreCost,
    /// What lies on the disks of what takes traces in.
    pub local_disk: LocalDisk,
    /// What searches read.
    pub queries: Vec<QueryForecast>,
    /// How many of each component, by Tempo's own rules.
    pub components: Vec<Component>,
    /// The limits on the way, those that are hit first.
    pub limits: Vec<LimitForecast>,
}

/// How far off stored bytes can be, in parts of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uncertainty {
    /// What other seeds gave, the furthest.
    pub seeds: f64,
    /// By how much a larger sample was off from what smaller ones foretold.
    pub extrapolation: f64,
    /// The least that can be stored: if text compresses as well as prose.
    pub least_bytes_at_retention: f64,
    /// The most: if it compresses as badly as random words.
    pub greatest_bytes_at_retention: f64,
}

/// OTLP that comes in, in bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ingest {
    /// On the mean.
    pub mean_bytes_per_second: f64,
    /// In the busiest hour.
    pub peak_bytes_per_second: f64,
}

/// Blocks of a store.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlocksForecast {
    /// Written a day, before compaction.
    pub cut_per_day: f64,
    /// Traces in each of those.
    pub traces_per_cut: f64,
    /// What those take, in bytes for a trace.
    pub cut_bytes_per_trace: f64,
    /// How often a trace is written again by compaction.
    pub compaction_levels: u32,
    /// Kept at retention.
    pub kept: f64,
}

/// US dollars a month.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreCost {
    /// Bytes in the store.
    pub storage_usd: f64,
    /// Writes and lists.
    pub write_requests_usd: f64,
    /// Reads of compaction; searches are not in it.
    pub read_requests_usd: f64,
}

/// Bytes on local disks, in the busiest hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalDisk {
    /// What is not yet in a block.
    pub wal_bytes: f64,
    /// Copies of blocks that were just written.
    pub recent_block_bytes: f64,
}

/// What a search reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryForecast {
    /// What is looked for.
    pub name: String,
    /// How, in the query language of Tempo.
    pub traceql: String,
    /// Bytes read to search the last hour.
    pub bytes_per_hour: f64,
    /// Bytes read to search the last day.
    pub bytes_per_day: f64,
}

/// A component of Tempo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its name in Tempo's documentation.
    pub name: String,
    /// How many, at the peak.
    pub replicas: u32,
    /// The rule.
    pub rule: String,
}

/// A limit, and how much of it the load takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitForecast {
    /// The setting.
    pub setting: String,
    /// Its unit.
    pub unit: String,
    /// Its value unless changed.
    pub limit: f64,
    /// What the load has.
    pub load: f64,
    /// Whether that is beyond it.
    pub is_hit: bool,
    /// What happens then.
    pub consequence: String,
    /// What to change.
    pub remedy: String,
}

/// Active series of metrics made of spans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesForecast {
    /// Dimensions beside service, span name, kind and status.
    pub dimensions: Vec<String>,
    /// Combinations of values that the sample has.
    pub combinations: u64,
    /// Series of each combination: a counter, a histogram, a size.
    pub series_per_combination: u64,
    /// All of them.
    pub active_series: u64,
    /// What each further model id adds, where a dimension has it.
    pub series_per_model_id: u64,
    /// With a thousand model ids that users make up.
    pub with_thousand_model_ids: u64,
}

/// What the calls cost on Bedrock, in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BedrockForecast {
    /// A day.
    pub usd_per_day: f64,
    /// A month.
    pub usd_per_month: f64,
    /// Models of the sample that the price table does not have.
    pub unpriced_models: Vec<String>,
    /// Where the prices are from.
    pub prices: PriceSource,
}

/// Where prices are from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSource {
    /// `YYYY-MM-DD`.
    pub as_of: String,
    /// The AWS region.
    pub region: String,
    /// In words.
    pub source: String,
}

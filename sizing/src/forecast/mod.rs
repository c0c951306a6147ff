//! What a load will take in a store, from a sample of its traces.
//!
//! Blocks of the sample are computed as any other, at several sizes, and the line through the largest
//! two says what larger blocks take. How well the line through smaller ones foretold the largest is
//! the error that is stated; so is how much other seeds differ.

mod blocks;
mod limits;
mod queries;
mod sample;
mod series;
mod spend;

use std::time::Duration;

use spanproof_schemas::forecast::{
    Component, FORECAST_VERSION, Forecast, ForecastLoad, Ingest, LocalDisk, PolicyForecast,
    PriceSource, StoreCost, Uncertainty,
};
use spanproof_schemas::price::{PriceTable, StorePrices};

use self::blocks::Store;
use self::sample::Measured;
pub use self::sample::{PolicySample, SampleError};
use crate::BlockOptions;

/// A load, and how it is stored.
#[derive(Clone, Debug)]
pub struct LoadShape {
    /// The scenario's name or file.
    pub scenario: String,
    /// Traces a day, on the mean.
    pub traces_per_day: f64,
    /// How many times the mean rate the busiest hour has.
    pub peak_factor: f64,
    /// How long traces are kept.
    pub retention: Duration,
    /// How many ingesters write each trace until blocks are compacted.
    pub replication: u32,
    /// After how long a block is cut, at the latest.
    pub block_cut: Duration,
}

impl LoadShape {
    /// Tempo's `compactor.compaction.block_retention`.
    pub const RETENTION: Duration = Duration::from_hours(14 * 24);
    /// Tempo 3's `live_store.max_block_duration`.
    pub const BLOCK_CUT: Duration = Duration::from_secs(30);

    fn traces_per_second(&self) -> f64 {
        self.traces_per_day / DAY_SECONDS
    }
}

const DAY_SECONDS: f64 = 86_400.0;
const MONTH_DAYS: f64 = 30.44;

/// What the traces of `samples`, one for each policy, foretell of `load`.
///
/// Series and spend are those of the first.
///
/// # Errors
///
/// If a sample is no telemetry, holds no spans, or makes no block.
pub fn forecast(
    load: &LoadShape,
    options: &BlockOptions,
    dimensions: &[String],
    samples: &[PolicySample],
) -> Result<Forecast, SampleError> {
    let measured: Vec<Measured> =
        samples.iter().map(|sample| Measured::new(sample, options)).collect::<Result<_, _>>()?;
    let first = measured.first().ok_or(SampleError::Empty)?;
    let prices = StorePrices::built_in();
    let bedrock_prices = PriceTable::built_in();
    // What is stored of a trace without its text, if a policy without any was asked for.
    let bare = measured.iter().filter(|measured| !measured.has_text);
    let bare = bare.map(|measured| Store::new(load, measured).bytes_per_trace).reduce(f64::min);
    Ok(Forecast {
        version: FORECAST_VERSION,
        load: ForecastLoad {
            scenario: load.scenario.clone(),
            encoding: options.encoding.name().to_owned(),
            traces_per_day: load.traces_per_day,
            spans_per_trace: first.spans_per_trace,
            peak_factor: load.peak_factor,
            retention_days: load.retention.as_secs_f64() / DAY_SECONDS,
            replication: load.replication,
            block_cut_seconds: load.block_cut.as_secs_f64(),
            max_attribute_bytes: options.max_attribute_bytes.map(|bytes| bytes as u64),
            sampled_traces: first.sampled_traces.clone(),
        },
        policies: measured
            .iter()
            .map(|measured| policy(load, options, measured, bare, &prices))
            .collect(),
        series: series::forecast(&first.facts, dimensions),
        bedrock: spend::forecast(&first.facts, load.traces_per_day, &bedrock_prices),
        prices: PriceSource {
            as_of: prices.as_of.clone(),
            region: prices.region.clone(),
            source: prices.source.clone(),
        },
    })
}

fn policy(
    load: &LoadShape,
    options: &BlockOptions,
    measured: &Measured,
    bare_bytes_per_trace: Option<f64>,
    prices: &StorePrices,
) -> PolicyForecast {
    let store = Store::new(load, measured);
    let mean = measured.otlp_bytes_per_trace * load.traces_per_second();
    let ingest =
        Ingest { mean_bytes_per_second: mean, peak_bytes_per_second: mean * load.peak_factor };
    let per_day = store.bytes_per_trace * load.traces_per_day;
    let text = match bare_bytes_per_trace {
        Some(bare) if measured.has_text => (store.bytes_per_trace - bare).max(0.0),
        _ if measured.has_text => store.bytes_per_trace,
        _ => 0.0,
    };
    let text_share = text / store.bytes_per_trace;
    let extrapolation_off = measured.extrapolation_off(store.traces_per_block);
    let off = measured.seeds_off + extrapolation_off;
    PolicyForecast {
        policy: measured.policy.clone(),
        otlp_bytes_per_trace: measured.otlp_bytes_per_trace,
        stored_bytes_per_trace: store.bytes_per_trace,
        stored_bytes_per_span: store.bytes_per_trace / measured.spans_per_trace,
        stored_bytes_per_day: per_day,
        stored_bytes_per_month: per_day * MONTH_DAYS,
        stored_bytes_at_retention: store.bytes_at_retention,
        uncertainty: Uncertainty {
            seeds: measured.seeds_off,
            extrapolation: extrapolation_off,
            least_bytes_at_retention: store.bytes_at_retention
                * (1.0 - off).max(0.0)
                * (1.0 - text_share * (1.0 - 1.0 / PROSE_TO_WORDS)),
            greatest_bytes_at_retention: store.bytes_at_retention
                * (1.0 + off)
                * (1.0 + text_share * (PROSE_TO_WORDS - 1.0)),
        },
        ingest,
        blocks: store.blocks(),
        cost: StoreCost {
            storage_usd: store.bytes_at_retention / 1e9 * prices.storage_gb_month,
            write_requests_usd: store.writes_per_day * MONTH_DAYS / 1e3 * prices.thousand_writes,
            read_requests_usd: store.reads_per_day * MONTH_DAYS / 1e3 * prices.thousand_reads,
        },
        local_disk: local_disk(load, &store),
        queries: queries::forecast(load, measured),
        components: components(ingest.peak_bytes_per_second / 1e6),
        limits: limits::forecast(load, options, measured, ingest),
    }
}

/// How much better prose compresses than words drawn by their frequency: 3.7 against 2.7 times, with
/// gzip. What a scenario says lies somewhere between.
const PROSE_TO_WORDS: f64 = 3.7 / 2.7;

/// How much larger than in a block traces are in the WAL, as measured.
const WAL_FACTOR: f64 = 1.8;
/// How long the WAL is kept after a block is cut from it.
const WAL_GRACE_SECONDS: f64 = 120.0;
/// `live_store.complete_block_timeout`: how long the live-store keeps its copy of a block.
const RECENT_BLOCK_SECONDS: f64 = 1_200.0;

fn local_disk(load: &LoadShape, store: &Store) -> LocalDisk {
    let peak = load.traces_per_second() * load.peak_factor * f64::from(load.replication);
    let in_wal = store.cut_seconds + WAL_GRACE_SECONDS;
    LocalDisk {
        wal_bytes: peak * in_wal * store.cut_data_bytes_per_trace * WAL_FACTOR,
        recent_block_bytes: peak * RECENT_BLOCK_SECONDS * store.cut_bytes_per_trace,
    }
}

/// How many of each component, by Tempo's guide to the size of a cluster, for so many megabytes a
/// second.
fn components(megabytes: f64) -> Vec<Component> {
    let for_each = |of: f64| whole((megabytes / of).ceil().max(1.0));
    let component = |name: &str, replicas, rule: &str| Component {
        name: name.to_owned(),
        replicas,
        rule: rule.to_owned(),
    };
    let live_stores = for_each(6.0);
    vec![
        component("distributor", for_each(10.0), "1 for each 10 MB/s; 2 cores, 2 GB"),
        component("live-store", live_stores, "1 for each 6 to 10 MB/s; 1 core, 4 to 20 GB"),
        component("block-builder", live_stores, "1 for each partition; 0.5 cores, 5 to 10 GB"),
        component("querier", for_each(1.0), "1 for each 1 to 2 MB/s; 4 to 20 GB"),
        component("query-frontend", 2, "2; 4 to 20 GB"),
        component("backend-scheduler", 1, "1; 0.5 cores, 1 to 2 GB"),
    ]
}

/// A count that may be too large to be one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is beyond the type is its greatest value"
)]
fn whole(count: f64) -> u32 {
    count as u32
}

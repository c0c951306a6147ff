//! How many blocks there are, how large, and what keeping them takes.

use spanproof_schemas::forecast::BlocksForecast;

use super::sample::Measured;
use super::{DAY_SECONDS, LoadShape};
use crate::block::bloom_bytes;

/// A store that has run for as long as traces are kept.
pub(super) struct Store {
    /// After how long a block is cut, by time or by size.
    pub(super) cut_seconds: f64,
    pub(super) cut_bytes_per_trace: f64,
    pub(super) cut_data_bytes_per_trace: f64,
    /// After compaction.
    pub(super) traces_per_block: f64,
    /// The same, with all files.
    pub(super) bytes_per_trace: f64,
    pub(super) bytes_at_retention: f64,
    pub(super) writes_per_day: f64,
    pub(super) reads_per_day: f64,
    cuts_per_day: f64,
    traces_per_cut: f64,
    levels: u32,
    kept: f64,
}

/// What a block is cut at, in bytes of OTLP: `live_store.max_block_bytes`.
const CUT_BYTES: f64 = 50.0 * 1024.0 * 1024.0;
/// Blocks of as much time are brought together: `compaction_window`.
const WINDOW_SECONDS: f64 = 3_600.0;
/// How many blocks a job of compaction takes in.
const INPUT_BLOCKS: f64 = 4.0;
/// What a block has at most: `max_compaction_objects` and `max_block_bytes`.
const MAX_BLOCK_TRACES: f64 = 6e6;
const MAX_BLOCK_BYTES: f64 = 100.0 * 1024.0 * 1024.0 * 1024.0;
/// How long inputs of compaction stay: `compacted_block_retention`.
const COMPACTED_DAYS: f64 = 1.0 / 24.0;
/// Index and metadata of a block, in bytes.
const SMALL_FILES_BYTES: f64 = 800.0;
/// Files of a block beside the shards of its bloom filter.
const FILES: f64 = 3.0;
/// How often the list of blocks is read and written: `blocklist_poll`, five minutes.
const POLLS_PER_DAY: f64 = 288.0;
/// How many names a list request gives.
const LISTED: f64 = 1_000.0;
/// How much a read request reads: `read_buffer_size_bytes`.
const READ_BYTES: f64 = 1024.0 * 1024.0;

impl Store {
    pub(super) fn new(load: &LoadShape, measured: &Measured) -> Store {
        let per_second = load.traces_per_day / DAY_SECONDS;
        let otlp_per_second = per_second * measured.otlp_bytes_per_trace;
        let cut_seconds = load.block_cut.as_secs_f64().min(CUT_BYTES / otlp_per_second);
        // With less than a trace between two cuts, a block has one.
        let traces_per_cut = (per_second * cut_seconds).max(1.0);
        let cuts_per_day = load.traces_per_day / traces_per_cut;
        let cut_data = measured.data_bytes(traces_per_cut);
        let cut = files(cut_data, traces_per_cut);

        let per_window = (per_second * WINDOW_SECONDS).max(1.0);
        let most = MAX_BLOCK_TRACES
            .min(MAX_BLOCK_BYTES / measured.data_bytes(per_window) * per_window)
            .max(1.0);
        let traces_per_block = per_window.min(most);
        let block = files(measured.data_bytes(traces_per_block), traces_per_block);
        let bytes_per_trace = block / traces_per_block;
        let per_day = bytes_per_trace * load.traces_per_day;
        let days = load.retention.as_secs_f64() / DAY_SECONDS;

        let replicas = f64::from(load.replication);
        let blocks_per_window = (traces_per_block / traces_per_cut).max(1.0) * replicas;
        let levels = super::whole(blocks_per_window.log(INPUT_BLOCKS).ceil().max(0.0));
        let cut_bytes_per_day = cut * cuts_per_day * replicas;
        // Each level writes what the one before wrote, in fewer blocks.
        let mut written_blocks = cuts_per_day * replicas;
        let mut writes_per_day = written_blocks * files_of(traces_per_cut);
        let mut reads_per_day = 0.0;
        for level in 0..levels {
            let read = if level == 0 { cut_bytes_per_day } else { per_day };
            reads_per_day += read / READ_BYTES + written_blocks;
            written_blocks /= INPUT_BLOCKS;
            writes_per_day += written_blocks.max(1.0) * files_of(traces_per_block);
        }
        let kept = load.traces_per_day * days / traces_per_block;
        writes_per_day += POLLS_PER_DAY * (1.0 + (kept / LISTED).ceil());
        // What was compacted in the last hour is there twice, once more for each level.
        let further_levels = f64::from(levels.saturating_sub(1)) * per_day;
        let inputs_per_day = if levels > 0 { cut_bytes_per_day + further_levels } else { 0.0 };
        let transient = inputs_per_day * COMPACTED_DAYS;
        Store {
            cut_seconds,
            cut_bytes_per_trace: cut / traces_per_cut,
            cut_data_bytes_per_trace: cut_data / traces_per_cut,
            traces_per_block,
            bytes_per_trace,
            bytes_at_retention: per_day * days + transient,
            writes_per_day,
            reads_per_day,
            cuts_per_day: cuts_per_day * replicas,
            traces_per_cut,
            levels,
            kept,
        }
    }

    pub(super) fn blocks(&self) -> BlocksForecast {
        BlocksForecast {
            cut_per_day: self.cuts_per_day,
            traces_per_cut: self.traces_per_cut,
            cut_bytes_per_trace: self.cut_bytes_per_trace,
            compaction_levels: self.levels,
            kept: self.kept,
        }
    }
}

/// All files of a block of `traces` whose columns take `data`.
fn files(data: f64, traces: f64) -> f64 {
    data + bloom_bytes(traces) + SMALL_FILES_BYTES
}

fn files_of(traces: f64) -> f64 {
    FILES + bloom_bytes(traces) / bloom_bytes(1.0)
}

//! A block: its file of columns, bloom filters, index and metadata.

mod bloom;
mod file;
mod folder;
mod meta;
mod read;

use std::io::{self, Write};
use std::path::PathBuf;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use parquet::errors::ParquetError;

pub use self::meta::BlockFolder;
pub use self::read::{BlockFiles, ReadBlockError, read_block};
use crate::rows::{Gathered, Limits};
use crate::{BlockEncoding, DedicatedColumn};

/// The bloom filters of a block of `traces`, which need not be whole, in bytes.
pub(crate) fn bloom_bytes(traces: f64) -> f64 {
    bloom::bytes(traces)
}

/// How a block is written.
#[derive(Clone, Debug)]
pub struct BlockOptions {
    /// The format.
    pub encoding: BlockEncoding,
    /// Which attributes have columns of their own.
    pub dedicated_columns: Vec<DedicatedColumn>,
    /// Where strings of attributes are cut, in bytes; nothing lifts the limit.
    pub max_attribute_bytes: Option<usize>,
    /// What more of a trace is refused beyond, in bytes; nothing lifts the limit.
    pub max_trace_bytes: Option<u64>,
    /// How many traces may be live; nothing lifts the limit.
    pub max_live_traces: Option<u64>,
    /// The size of a row group, in bytes as Tempo estimates them.
    pub row_group_bytes: u64,
}

impl BlockOptions {
    /// Tempo's `distributor.max_attribute_bytes`, since 2.7.
    pub const MAX_ATTRIBUTE_BYTES: usize = 2_048;
    /// Tempo's `overrides.defaults.global.max_bytes_per_trace`.
    pub const MAX_TRACE_BYTES: u64 = 5_000_000;
    /// Tempo's `overrides.defaults.ingestion.max_traces_per_user`.
    pub const MAX_LIVE_TRACES: u64 = 10_000;
    /// Tempo's `parquet_row_group_size_bytes`.
    pub const ROW_GROUP_BYTES: u64 = 100_000_000;

    /// Tempo's defaults for blocks of `encoding`. The number of live traces is not limited, since a
    /// block does not say how quickly its traces came.
    #[must_use]
    pub fn new(encoding: BlockEncoding) -> Self {
        BlockOptions {
            encoding,
            dedicated_columns: DedicatedColumn::defaults(encoding),
            max_attribute_bytes: Some(Self::MAX_ATTRIBUTE_BYTES),
            max_trace_bytes: Some(Self::MAX_TRACE_BYTES),
            max_live_traces: None,
            row_group_bytes: Self::ROW_GROUP_BYTES,
        }
    }
}

/// Takes in OTLP and writes a block of it.
pub struct BlockBuilder {
    options: BlockOptions,
    gathered: Gathered,
    otlp_bytes: u64,
}

/// A block, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its format.
    pub encoding: BlockEncoding,
    /// The file with the columns.
    pub data_parquet_bytes: u64,
    /// Of that, the footer and the indexes of pages.
    pub footer_bytes: u64,
    /// All shards of the bloom filter.
    pub bloom_bytes: u64,
    /// How many shards that is.
    pub bloom_shards: u64,
    /// The index of row groups.
    pub index_bytes: u64,
    /// `meta.json`.
    pub meta_bytes: u64,
    /// Row groups of the file.
    pub row_groups: u64,
    /// The columns, in the order of the file.
    pub columns: Vec<ColumnBytes>,
    /// Traces that are in it.
    pub traces: u64,
    /// Spans that are in it.
    pub spans: u64,
    /// The OTLP that came in, in bytes of protobuf.
    pub otlp_bytes: u64,
    /// What a limit kept out of it.
    pub dropped: Dropped,
    /// Texts that were cut at the greatest size of an attribute.
    pub cut_values: u64,
    /// What its traces are taken for when row groups are cut, in bytes.
    pub estimated_bytes: u64,
}

impl Block {
    /// All files together.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.data_parquet_bytes + self.bloom_bytes + self.index_bytes + self.meta_bytes
    }
}

/// A column over all row groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnBytes {
    /// Its path in the schema, with dots.
    pub name: String,
    /// The attribute it is dedicated to.
    pub attribute: Option<String>,
    /// Headers and compressed pages.
    pub compressed_bytes: u64,
    /// Headers and pages before compression.
    pub uncompressed_bytes: u64,
    /// How many values and nulls it has.
    pub values: u64,
    /// How many data pages.
    pub pages: u64,
    /// How many distinct values its dictionaries have; 0 where there are none.
    pub distinct: u64,
    /// How many values point into a dictionary.
    pub indexes: u64,
}

/// Spans that are not in a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// The trace was beyond `max_bytes_per_trace`.
    pub trace_too_large_spans: u64,
    /// There were too many live traces.
    pub live_traces_spans: u64,
    /// The trace id is not of 16 bytes.
    pub invalid_id_spans: u64,
}

/// Why a block cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// There is nothing in it.
    #[error("there are no spans to make a block of")]
    NoSpans,
    /// vParquet4 has no columns for it.
    #[error("vParquet4 cannot dedicate a column to `{0}`: {1}; vParquet5 can")]
    Dedicated(DedicatedColumn, &'static str),
    /// A column beyond what the format allows.
    #[error("cannot write the columns: {0}")]
    Columns(#[from] ParquetError),
    /// The operating system refused.
    #[error("cannot write the block to `{path}`")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl BlockBuilder {
    /// An empty block.
    ///
    /// # Errors
    ///
    /// If the format has no such dedicated columns.
    pub fn new(options: BlockOptions) -> Result<Self, BlockError> {
        check_dedicated(&options)?;
        let limits = Limits {
            max_trace_bytes: options.max_trace_bytes,
            max_live_traces: options.max_live_traces,
        };
        Ok(BlockBuilder { options, gathered: Gathered::new(limits), otlp_bytes: 0 })
    }

    /// Takes in the spans of `request`.
    pub fn add(&mut self, request: ExportTraceServiceRequest) {
        self.otlp_bytes += prost::Message::encoded_len(&request) as u64;
        self.gathered.add(request);
    }

    /// Computes the block.
    ///
    /// # Errors
    ///
    /// If no span came in, or a column is beyond what the format allows.
    pub fn finish(self) -> Result<Block, BlockError> {
        self.write(io::sink()).map(|(block, _)| block)
    }

    /// Computes the block, and writes its columns to `data`.
    fn write(self, data: impl Write + Send) -> Result<(Block, meta::Facts), BlockError> {
        let BlockBuilder { options, gathered, otlp_bytes } = self;
        let Gathered { traces, spans, dropped, .. } = gathered;
        if traces.is_empty() {
            return Err(BlockError::NoSpans);
        }
        let count = traces.len() as u64;
        let mut facts = meta::Facts::new(&traces);
        let file = file::write(&options, traces, data)?;
        facts.add_file(&file);
        let meta = facts.json(&options);
        let index = meta::index(&file.last_ids);
        let bloom_shards = bloom::shards(count);
        let block = Block {
            encoding: options.encoding,
            data_parquet_bytes: file.bytes,
            footer_bytes: file.footer_bytes,
            bloom_bytes: bloom_shards * bloom::SHARD_BYTES,
            bloom_shards,
            index_bytes: index.len() as u64,
            meta_bytes: meta.len() as u64,
            row_groups: file.last_ids.len() as u64,
            columns: file.columns,
            traces: count,
            spans,
            otlp_bytes,
            dropped,
            cut_values: file.cut_values,
            estimated_bytes: file.estimated_bytes,
        };
        Ok((block, facts))
    }
}

fn check_dedicated(options: &BlockOptions) -> Result<(), BlockError> {
    use crate::{AttributeScope, DedicatedKind};
    if options.encoding == BlockEncoding::VParquet5 {
        return Ok(());
    }
    for column in &options.dedicated_columns {
        let of_scope =
            options.dedicated_columns.iter().filter(|other| other.scope == column.scope).count();
        let reason = match (column.scope, column.kind) {
            (AttributeScope::Event, _) => "it has none for attributes of events",
            (_, DedicatedKind::Int) => "it has none for integers",
            _ if of_scope > 10 => "it has ten of each scope",
            _ => continue,
        };
        return Err(BlockError::Dedicated(column.clone(), reason));
    }
    Ok(())
}

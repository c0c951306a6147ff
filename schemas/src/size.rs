//! What telemetry takes in a store. `size.schema.json` is its JSON Schema.

use serde::{Deserialize, Serialize};

/// The version of the report's shape.
pub const SIZE_VERSION: u32 = 1;

/// What was sized, and what it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeReport {
    /// [`SIZE_VERSION`] of the writer.
    pub version: u32,
    /// Where the telemetry is from, as the user named it.
    pub source: String,
    /// Traces in the block.
    pub traces: u64,
    /// Spans in the block.
    pub spans: u64,
    /// The OTLP that came in, in bytes of protobuf; nothing where only the block is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otlp_bytes: Option<u64>,
    /// The block.
    pub block: BlockSize,
    /// What limits changed of it; nothing where only the block is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited: Option<Limited>,
}

/// A block of Grafana Tempo, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockSize {
    /// `vParquet4` or `vParquet5`.
    pub encoding: String,
    /// The file with the columns.
    pub data_parquet_bytes: u64,
    /// Of that, the footer and the indexes of pages.
    pub footer_bytes: u64,
    /// All shards of the bloom filter.
    pub bloom_bytes: u64,
    /// The index of row groups.
    pub index_bytes: u64,
    /// `meta.json`.
    pub meta_bytes: u64,
    /// Row groups of the file.
    pub row_groups: u64,
    /// The columns, in the order of the file.
    pub columns: Vec<ColumnSize>,
}

/// A column of a block, over all row groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSize {
    /// Its path in the schema, with dots.
    pub name: String,
    /// The attribute it is dedicated to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// Headers and compressed pages.
    pub bytes: u64,
    /// The same before compression.
    pub uncompressed_bytes: u64,
    /// Values and nulls.
    pub values: u64,
}

/// What Tempo's limits did to the telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limited {
    /// Attribute values that were cut at `max_attribute_bytes`.
    pub cut_values: u64,
    /// Spans left out since their trace was beyond `max_bytes_per_trace`.
    pub trace_too_large_spans: u64,
    /// Spans left out since their trace id is not of 16 bytes.
    pub invalid_id_spans: u64,
}

impl BlockSize {
    /// All files together.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.data_parquet_bytes + self.bloom_bytes + self.index_bytes + self.meta_bytes
    }
}

//! What telemetry costs to store.
//!
//! A block of Grafana Tempo is computed, not estimated: [`BlockBuilder`] takes OTLP, makes the rows of
//! Tempo's schema, and writes them as Tempo's writer would, page by page; [`Block`] says how many bytes
//! each column, the bloom filters, the index and the metadata take. The same bytes can be kept, as a
//! folder that is a block.

mod block;
mod column;
mod compress;
mod dedicated;
mod encode;
mod encoding;
pub mod forecast;
pub mod report;
mod rows;
mod schema;

pub use block::{
    Block, BlockBuilder, BlockError, BlockFiles, BlockFolder, BlockOptions, ColumnBytes, Dropped,
    ReadBlockError, read_block,
};
pub use dedicated::{AttributeScope, DedicatedColumn, DedicatedKind, NotADedicatedColumn};
pub use encoding::{BlockEncoding, UnknownBlockEncoding};

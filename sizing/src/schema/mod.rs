//! The columns of a block: their order, levels, encodings and codecs.
//!
//! A trace is a row. Both formats hold the same tree: resources, their scopes, their spans, and
//! attributes of each, every attribute as a row of seven columns of which one or two hold something.

mod build;
mod layout;

use std::sync::Arc;

use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;
use parquet::schema::types::{SchemaDescriptor, TypePtr};

pub(crate) use self::layout::{AttributeColumns, DedicatedLeaf, TraceColumns};
use crate::compress::Codec;
use crate::{BlockEncoding, DedicatedColumn};

/// The place of a leaf column among all.
pub(crate) type LeafId = usize;

/// How the values of a leaf column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As they are.
    Plain,
    /// As indexes into a dictionary of all that occur in the row group.
    Dictionary,
    /// As differences; of byte arrays, the differences of lengths.
    Delta,
}

/// A leaf column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    pub(crate) physical: Physical,
    pub(crate) encoding: Encoding,
    pub(crate) codec: Codec,
    /// Whether least and greatest value stand in the indexes and the footer; not for blobs.
    pub(crate) has_bounds: bool,
}

/// The columns of a format, with dedicated ones.
pub(crate) struct Schema {
    pub(crate) root: TypePtr,
    pub(crate) descriptor: Arc<SchemaDescriptor>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) columns: TraceColumns,
}

impl Schema {
    pub(crate) fn new(
        encoding: BlockEncoding,
        dedicated: &[DedicatedColumn],
    ) -> Result<Schema, ParquetError> {
        let mut builder = build::Builder::new(encoding);
        let (root, columns) = layout::trace(&mut builder, dedicated)?;
        let descriptor = Arc::new(SchemaDescriptor::new(root.clone()));
        Ok(Schema { root, descriptor, leaves: builder.leaves, columns })
    }
}

//! The file with the columns.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;

use super::{BlockOptions, ColumnBytes};
use crate::column::Column;
use crate::rows::{Trace, shred};
use crate::schema::{Schema, TraceColumns};

/// What was written.
pub(super) struct File {
    pub(super) bytes: u64,
    /// Indexes of pages, metadata, and what is around them.
    pub(super) footer_bytes: u64,
    /// The metadata alone, which is what Tempo calls the footer.
    pub(super) metadata_bytes: u64,
    /// The last trace of each row group.
    pub(super) last_ids: Vec<[u8; 16]>,
    pub(super) columns: Vec<ColumnBytes>,
    /// Texts that were cut.
    pub(super) cut_values: u64,
    /// What Tempo takes all traces for.
    pub(super) estimated_bytes: u64,
}

/// Writes `traces` to `output`, row group by row group.
pub(super) fn write(
    options: &BlockOptions,
    traces: BTreeMap<[u8; 16], Trace>,
    output: impl Write + Send,
) -> Result<File, ParquetError> {
    let schema = Schema::new(options.encoding, &options.dedicated_columns)?;
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_created_by(concat!("spanproof version ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(output, schema.root.clone(), Arc::new(properties))?;
    let mut columns: Vec<Column> = schema
        .leaves
        .iter()
        .zip(schema.descriptor.columns())
        .map(|(leaf, descriptor)| Column::new(*leaf, descriptor.clone()))
        .collect();
    let mut sums = column_names(&schema);
    let mut last_ids = Vec::new();
    let mut estimated_bytes = 0;
    let mut all_estimated_bytes = 0;
    let mut cut_values = 0;
    let mut traces = traces.into_iter().peekable();
    while let Some((id, trace)) = traces.next() {
        estimated_bytes += trace.estimated_bytes(options.max_attribute_bytes);
        cut_values += shred(&schema, &mut columns, &id, &trace, options.max_attribute_bytes);
        for column in &mut columns {
            column.end_row()?;
        }
        if estimated_bytes >= options.row_group_bytes || traces.peek().is_none() {
            let mut row_group = writer.next_row_group()?;
            for (column, sum) in columns.iter_mut().zip(&mut sums) {
                let chunk = column.end_chunk()?;
                sum.compressed_bytes += chunk.bytes.len() as u64;
                sum.uncompressed_bytes += chunk.uncompressed_bytes;
                sum.values += chunk.close.metadata.num_values().unsigned_abs();
                sum.pages += chunk.pages;
                let (distinct, indexes) = chunk.dictionary.unwrap_or_default();
                sum.distinct += distinct;
                sum.indexes += indexes;
                row_group.append_column(&chunk.bytes, chunk.close)?;
            }
            row_group.close()?;
            last_ids.push(id);
            all_estimated_bytes += estimated_bytes;
            estimated_bytes = 0;
        }
    }
    let before_footer = writer.bytes_written() as u64;
    let metadata = writer.finish()?;
    let bytes = writer.bytes_written() as u64;
    let pages_bytes: u64 = sums.iter().map(|column| column.compressed_bytes).sum();
    let metadata_bytes = bytes - end_of_indexes(&metadata).max(before_footer) - TAIL_BYTES;
    Ok(File {
        bytes,
        footer_bytes: bytes - pages_bytes,
        metadata_bytes,
        last_ids,
        columns: sums,
        cut_values,
        estimated_bytes: all_estimated_bytes,
    })
}

/// The length of the metadata, and the mark of the format.
const TAIL_BYTES: u64 = 8;

fn end_of_indexes(metadata: &ParquetMetaData) -> u64 {
    let chunks = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let ends = chunks.flat_map(|chunk| [chunk.column_index_range(), chunk.offset_index_range()]);
    ends.flatten().map(|range| range.end).max().unwrap_or(0)
}

fn column_names(schema: &Schema) -> Vec<ColumnBytes> {
    let mut columns: Vec<ColumnBytes> = schema
        .descriptor
        .columns()
        .iter()
        .map(|column| ColumnBytes {
            name: column.path().string(),
            attribute: None,
            compressed_bytes: 0,
            uncompressed_bytes: 0,
            values: 0,
            pages: 0,
            distinct: 0,
            indexes: 0,
        })
        .collect();
    let TraceColumns { resource, span, .. } = &schema.columns;
    for dedicated in resource.dedicated.iter().chain(&span.dedicated).chain(&span.events.dedicated)
    {
        columns[dedicated.id].attribute.clone_from(&dedicated.key);
    }
    columns
}

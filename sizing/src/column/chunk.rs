//! The pages of a column in a row group, and what the footer says of them.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding as Written, PageType, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use super::bounds::{self, Bounds};
use super::dictionary::Dictionary;
use super::header::{
    DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY, DataPageHeader, PLAIN, RLE_DICTIONARY, Sizes,
    dictionary_header,
};
use crate::compress::Codec;
use crate::encode::signed;
use crate::schema::{Encoding, Leaf};

/// A column of a row group as it stands in the file.
pub(crate) struct Chunk {
    pub(crate) bytes: Bytes,
    pub(crate) close: ColumnCloseResult,
    /// What its pages would take uncompressed.
    pub(crate) uncompressed_bytes: u64,
    /// How many data pages there are.
    pub(crate) pages: u64,
    /// How many distinct values its dictionary has, if it has one, and how many values point there.
    pub(crate) dictionary: Option<(u64, u64)>,
}

/// A page, encoded but not compressed.
pub(super) struct Page {
    pub(super) count: usize,
    pub(super) nulls: usize,
    pub(super) rows: usize,
    pub(super) repetitions: Vec<u8>,
    pub(super) definitions: Vec<u8>,
    pub(super) values: Vec<u8>,
    pub(super) byte_array_bytes: usize,
    pub(super) bounds: Option<Bounds>,
}

/// The data pages so far, and sums of them.
pub(super) struct Pages {
    bytes: Vec<u8>,
    compressed_sizes: Vec<usize>,
    uncompressed: usize,
    count: usize,
    nulls: usize,
    rows: usize,
    byte_array_bytes: usize,
    bounds: Option<Bounds>,
    repetitions: Option<LevelHistogram>,
    definitions: Option<LevelHistogram>,
    column_index: ColumnIndexBuilder,
    offset_index: OffsetIndexBuilder,
}

impl Pages {
    pub(super) fn new(column: &ColumnDescriptor) -> Self {
        Pages {
            bytes: Vec::new(),
            compressed_sizes: Vec::new(),
            uncompressed: 0,
            count: 0,
            nulls: 0,
            rows: 0,
            byte_array_bytes: 0,
            bounds: None,
            repetitions: LevelHistogram::try_new(column.max_rep_level()),
            definitions: LevelHistogram::try_new(column.max_def_level()),
            column_index: ColumnIndexBuilder::new(column.physical_type()),
            offset_index: OffsetIndexBuilder::new(),
        }
    }

    pub(super) fn push(
        &mut self,
        leaf: Leaf,
        page: Page,
        (repetitions, definitions): (&[u8], &[u8]),
    ) -> Result<(), ParquetError> {
        let levels = page.repetitions.len() + page.definitions.len();
        let uncompressed = levels + page.values.len();
        check_size(uncompressed)?;
        let values = leaf.codec.compress(page.values)?;
        let mut crc = crc32fast::Hasher::new();
        for part in [&page.repetitions, &page.definitions, &values] {
            crc.update(part);
        }
        let compressed = levels + values.len();
        let header = DataPageHeader {
            sizes: Sizes { uncompressed, compressed, crc: crc.finalize() },
            count: page.count,
            nulls: page.nulls,
            rows: page.rows,
            encoding: leaf.number(),
            definition_bytes: page.definitions.len(),
            repetition_bytes: page.repetitions.len(),
            is_compressed: leaf.codec.is_compressing(),
            bounds: page.bounds.as_ref(),
        }
        .encoded();
        for part in [&header, &page.repetitions, &page.definitions, &values] {
            self.bytes.extend_from_slice(part);
        }
        self.compressed_sizes.push(header.len() + compressed);
        self.uncompressed += header.len() + uncompressed;
        self.count += page.count;
        self.nulls += page.nulls;
        self.rows += page.rows;
        self.byte_array_bytes += page.byte_array_bytes;
        self.index(leaf, page.bounds.as_ref(), page.nulls);
        self.count_levels(repetitions, definitions);
        self.offset_index.append_row_count(signed(page.rows));
        if let Some(bounds) = page.bounds.filter(|_| leaf.has_bounds) {
            self.bounds = Some(match self.bounds.take() {
                Some(before) => before.merged(bounds),
                None => bounds,
            });
        }
        Ok(())
    }

    fn index(&mut self, leaf: Leaf, bounds: Option<&Bounds>, nulls: usize) {
        let (least, greatest) = match bounds {
            Some(bounds) if leaf.has_bounds => bounds.indexed(),
            _ => (Vec::new(), Vec::new()),
        };
        self.column_index.append(bounds.is_none(), least, greatest, signed(nulls), None);
    }

    fn count_levels(&mut self, repetitions: &[u8], definitions: &[u8]) {
        let counted = |sum: &mut Option<LevelHistogram>, levels: &[u8]| {
            let sum = sum.as_mut()?;
            let mut counts = vec![0; sum.len()];
            for level in levels {
                counts[usize::from(*level)] += 1;
            }
            let mut of_page = sum.clone();
            of_page.reset();
            for (level, count) in (0..).zip(counts) {
                of_page.increment_by(level, count);
            }
            sum.add(&of_page);
            Some(of_page)
        };
        let repetitions = counted(&mut self.repetitions, repetitions);
        let definitions = counted(&mut self.definitions, definitions);
        self.column_index.append_histograms(&repetitions, &definitions);
    }

    pub(super) fn finish(
        mut self,
        leaf: Leaf,
        column: &ColumnDescPtr,
        dictionary: Option<Dictionary>,
    ) -> Result<Chunk, ParquetError> {
        let mut bytes = Vec::new();
        let mut uncompressed = self.uncompressed;
        let mut encodings = vec![leaf.written()];
        let mut stats = Vec::new();
        let indexes = (self.count - self.nulls) as u64;
        let distinct = dictionary.as_ref().map(|dictionary| dictionary.len() as u64);
        if let Some(dictionary) = dictionary {
            let values = dictionary.encoded();
            let plain = values.len();
            check_size(plain)?;
            let values = leaf.codec.compress(values)?;
            let crc = crc32fast::hash(&values);
            let sizes = Sizes { uncompressed: plain, compressed: values.len(), crc };
            bytes = dictionary_header(sizes, dictionary.len());
            uncompressed += bytes.len() + plain;
            bytes.extend_from_slice(&values);
            encodings.push(Written::PLAIN);
            stats.push(encoding_stats(PageType::DICTIONARY_PAGE, Written::PLAIN, 1));
        }
        if column.max_def_level() > 0 {
            encodings.push(Written::RLE);
        }
        let pages = self.compressed_sizes.len();
        stats.push(encoding_stats(PageType::DATA_PAGE_V2, leaf.written(), pages));
        let first_page = bytes.len();
        let mut offset = first_page;
        for size in &self.compressed_sizes {
            self.offset_index
                .append_offset_and_size(signed(offset), i32::try_from(*size).unwrap_or(i32::MAX));
            offset += size;
        }
        bytes.append(&mut self.bytes);
        let nulls = self.nulls as u64;
        let statistics = match self.bounds {
            Some(bounds) => bounds.statistics(nulls),
            None => bounds::no_bounds(column.physical_type(), nulls),
        };
        let text = Some(signed(self.byte_array_bytes)).filter(|bytes| *bytes > 0);
        let metadata = ColumnChunkMetaData::builder(column.clone())
            .set_encodings(encodings)
            .set_page_encoding_stats(stats)
            .set_compression(leaf.compression())
            .set_num_values(signed(self.count))
            .set_total_compressed_size(signed(bytes.len()))
            .set_total_uncompressed_size(signed(uncompressed))
            .set_dictionary_page_offset(distinct.map(|_| 0))
            .set_data_page_offset(signed(first_page))
            .set_statistics(statistics)
            .set_unencoded_byte_array_data_bytes(text)
            .set_repetition_level_histogram(self.repetitions)
            .set_definition_level_histogram(self.definitions)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: Some(self.column_index.build()?),
            offset_index: Some(self.offset_index.build()),
        };
        Ok(Chunk {
            bytes: bytes.into(),
            close,
            uncompressed_bytes: uncompressed as u64,
            pages: pages as u64,
            dictionary: distinct.map(|distinct| (distinct, indexes)),
        })
    }
}

/// A page says its size as a number of 32 bits; the writer that is followed refuses larger ones too.
fn check_size(bytes: usize) -> Result<(), ParquetError> {
    match i32::try_from(bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(ParquetError::General(format!(
            "a page of {bytes} bytes is beyond the 2 GiB of the format; size fewer traces at once"
        ))),
    }
}

fn encoding_stats(page_type: PageType, encoding: Written, pages: usize) -> PageEncodingStats {
    PageEncodingStats { page_type, encoding, count: i32::try_from(pages).unwrap_or(i32::MAX) }
}

impl Leaf {
    fn written(self) -> Written {
        match (self.encoding, self.physical) {
            (Encoding::Plain, _) => Written::PLAIN,
            (Encoding::Dictionary, _) => Written::RLE_DICTIONARY,
            (Encoding::Delta, Physical::BYTE_ARRAY) => Written::DELTA_LENGTH_BYTE_ARRAY,
            (Encoding::Delta, _) => Written::DELTA_BINARY_PACKED,
        }
    }

    /// The number of its encoding in page headers.
    fn number(self) -> i64 {
        match (self.encoding, self.physical) {
            (Encoding::Plain, _) => PLAIN,
            (Encoding::Dictionary, _) => RLE_DICTIONARY,
            (Encoding::Delta, Physical::BYTE_ARRAY) => DELTA_LENGTH_BYTE_ARRAY,
            (Encoding::Delta, _) => DELTA_BINARY_PACKED,
        }
    }

    fn compression(self) -> Compression {
        match self.codec {
            Codec::Uncompressed => Compression::UNCOMPRESSED,
            Codec::Snappy => Compression::SNAPPY,
            Codec::Zstd => Compression::ZSTD(ZstdLevel::default()),
        }
    }
}

//! A column of a row group while rows come in: values with their levels, cut into pages.

mod bounds;
mod chunk;
mod dictionary;
mod header;
mod values;

use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescPtr;

pub(crate) use self::chunk::Chunk;
use self::chunk::{Page, Pages};
use self::dictionary::Dictionary;
use self::values::Values;
use crate::encode;
use crate::schema::{Encoding, Leaf};

/// A page ends with the row that brings it to this size in memory: 98 % of parquet-go's 256 KiB.
const PAGE_BYTES: usize = 256 * 1024 * 98 / 100;

/// What parquet-go counts for each row of a column with repetition levels.
const ROW_BYTES: usize = 8;

/// A column that takes in rows.
pub(crate) struct Column {
    leaf: Leaf,
    descriptor: ColumnDescPtr,
    max_definition: u8,
    max_repetition: u8,
    definitions: Vec<u8>,
    repetitions: Vec<u8>,
    values: Values,
    dictionary: Option<Dictionary>,
    rows: usize,
    pages: Pages,
}

impl Column {
    pub(crate) fn new(leaf: Leaf, descriptor: ColumnDescPtr) -> Self {
        let level = |level: i16| u8::try_from(level).unwrap_or(u8::MAX);
        let has_dictionary = leaf.encoding == Encoding::Dictionary;
        Column {
            leaf,
            max_definition: level(descriptor.max_def_level()),
            max_repetition: level(descriptor.max_rep_level()),
            pages: Pages::new(&descriptor),
            descriptor,
            definitions: Vec::new(),
            repetitions: Vec::new(),
            values: match leaf.physical {
                _ if has_dictionary => Values::Indexes(Vec::new()),
                Physical::BOOLEAN => Values::Bools(Vec::new()),
                Physical::INT32 => Values::Ints32(Vec::new()),
                Physical::INT64 => Values::Ints64(Vec::new()),
                Physical::DOUBLE => Values::Doubles(Vec::new()),
                _ => Values::bytes(),
            },
            dictionary: has_dictionary.then(Dictionary::default),
            rows: 0,
        }
    }

    /// Nothing is there, from level `definition` on.
    pub(crate) fn null(&mut self, repetition: u8, definition: u8) {
        self.repetitions.push(repetition);
        self.definitions.push(definition);
    }

    pub(crate) fn bytes(&mut self, repetition: u8, value: &[u8]) {
        self.there(repetition);
        match (&mut self.values, &mut self.dictionary) {
            (Values::Indexes(indexes), Some(dictionary)) => indexes.push(dictionary.index(value)),
            (values, _) => values.push_bytes(value),
        }
    }

    pub(crate) fn bool(&mut self, repetition: u8, value: bool) {
        self.there(repetition);
        if let Values::Bools(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(crate) fn int32(&mut self, repetition: u8, value: i32) {
        self.there(repetition);
        if let Values::Ints32(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(crate) fn int64(&mut self, repetition: u8, value: i64) {
        self.there(repetition);
        if let Values::Ints64(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(crate) fn double(&mut self, repetition: u8, value: f64) {
        self.there(repetition);
        if let Values::Doubles(values) = &mut self.values {
            values.push(value);
        }
    }

    fn there(&mut self, repetition: u8) {
        if self.max_repetition > 0 {
            self.repetitions.push(repetition);
            self.definitions.push(self.max_definition);
        }
    }

    /// A row is complete.
    pub(crate) fn end_row(&mut self) -> Result<(), ParquetError> {
        self.rows += 1;
        let levels = self.repetitions.len() + self.definitions.len();
        let rows = if self.max_repetition > 0 { ROW_BYTES * self.rows } else { 0 };
        if levels + rows + self.values.memory_bytes() >= PAGE_BYTES {
            self.end_page()
        } else {
            Ok(())
        }
    }

    fn end_page(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let there = self.values.count();
        let count = if self.max_repetition > 0 { self.definitions.len() } else { there };
        let bounds = self.values.bounds(self.dictionary.as_ref());
        let levels_of = |levels: &[u8], max: u8| match max {
            0 => Vec::new(),
            max => encode::levels(levels, max),
        };
        self.pages.push(
            self.leaf,
            Page {
                count,
                nulls: count - there,
                rows: self.rows,
                repetitions: levels_of(&self.repetitions, self.max_repetition),
                definitions: levels_of(&self.definitions, self.max_definition),
                values: self.values.encoded(self.leaf.encoding),
                byte_array_bytes: self.values.byte_array_bytes(),
                bounds,
            },
            (&self.repetitions, &self.definitions),
        )?;
        self.repetitions.clear();
        self.definitions.clear();
        self.values.clear();
        self.rows = 0;
        Ok(())
    }

    /// The column as it stands in the file, when the row group is complete; rows can come again.
    pub(crate) fn end_chunk(&mut self) -> Result<Chunk, ParquetError> {
        self.end_page()?;
        let dictionary = self.dictionary.as_mut().map(std::mem::take);
        let pages = std::mem::replace(&mut self.pages, Pages::new(&self.descriptor));
        pages.finish(self.leaf, &self.descriptor, dictionary)
    }
}

//! Reading the sizes of a block that is there.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::ops::Range;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use serde::Deserialize;
use spanproof_schemas::size::{BlockSize, ColumnSize, SIZE_VERSION, SizeReport};

/// The files of a block, wherever they are. A large file is read at its end only.
pub trait BlockFiles: Send + Sync {
    /// What a report and errors call the block: a path, or a URL.
    fn name(&self) -> String;

    /// How many bytes `file` has.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where there is no such file; any other if it cannot be told.
    fn bytes(&self, file: &str) -> io::Result<u64>;

    /// What stands at `range` of `file`, which is within it.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn read(&self, file: &str, range: Range<u64>) -> io::Result<Bytes>;
}

/// Why something cannot be read as a block.
#[derive(Debug, thiserror::Error)]
pub enum ReadBlockError {
    /// A file that every block has is not there.
    #[error(
        "`{block}` is no block of Tempo: it has no {file}; name the folder of one block, which is \
         below that of its tenant"
    )]
    Missing {
        /// What was named.
        block: String,
        /// The file.
        file: String,
    },
    /// A file is something else.
    #[error("`{block}/{file}` is not what it is in a block of Tempo: {why}")]
    Foreign {
        /// What was named.
        block: String,
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system, or the store, refused.
    #[error("cannot read `{block}/{file}`")]
    Io {
        /// What was named.
        block: String,
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
}

/// What is read of `meta.json`. Other versions have other fields beside.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    format: String,
    total_objects: u64,
    #[serde(default)]
    dedicated_columns: Vec<Dedicated>,
}

#[derive(Deserialize)]
struct Dedicated {
    #[serde(rename = "s", default)]
    scope: Option<String>,
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "t", default)]
    kind: Option<String>,
}

const META: &str = "meta.json";
/// Tempo's have a kilobyte.
const MOST_META_BYTES: u64 = 16 << 20;
const DATA: &str = "data.parquet";
const INDEX: &str = "index";
/// Formats whose columns are in a file of this kind.
const FORMATS: [&str; 4] = ["vParquet2", "vParquet3", "vParquet4", "vParquet5"];

/// What the files of a block take, and the columns of its file.
///
/// # Errors
///
/// If they are no block, or cannot be read.
pub fn read_block(files: &impl BlockFiles) -> Result<SizeReport, ReadBlockError> {
    let block = Named(files);
    let meta_bytes = block.bytes(META)?;
    if meta_bytes > MOST_META_BYTES {
        return Err(block.foreign(META, format!("it has {meta_bytes} bytes")));
    }
    let text = files.read(META, 0..meta_bytes).map_err(|source| block.refused(META, source))?;
    let facts: Meta =
        serde_json::from_slice(&text).map_err(|error| block.foreign(META, error.to_string()))?;
    if !FORMATS.contains(&facts.format.as_str()) {
        let known = FORMATS.join(", ");
        let why = format!("its format is `{}`; known are {known}", facts.format);
        return Err(block.foreign(META, why));
    }
    let data_parquet_bytes = block.bytes(DATA)?;
    let parquet = block.footer(data_parquet_bytes)?;
    let columns = columns(&parquet, &facts.dedicated_columns);
    let spans = columns
        .iter()
        .find(|column| column.name.replace(".list.element", "") == "rs.ss.Spans.SpanID");
    Ok(SizeReport {
        version: SIZE_VERSION,
        source: files.name(),
        traces: facts.total_objects,
        spans: spans.map_or(0, |column| column.values),
        otlp_bytes: None,
        block: BlockSize {
            encoding: facts.format,
            data_parquet_bytes,
            footer_bytes: data_parquet_bytes
                .saturating_sub(columns.iter().map(|column| column.bytes).sum()),
            bloom_bytes: block.bloom_bytes()?,
            index_bytes: block.bytes(INDEX)?,
            meta_bytes,
            row_groups: parquet.num_row_groups() as u64,
            columns,
        },
        limited: None,
    })
}

/// The files, with errors that name them.
struct Named<'a, F>(&'a F);

impl<F: BlockFiles> Named<'_, F> {
    fn bytes(&self, file: &str) -> Result<u64, ReadBlockError> {
        self.0.bytes(file).map_err(|source| self.refused(file, source))
    }

    fn footer(&self, bytes: u64) -> Result<ParquetMetaData, ReadBlockError> {
        let data = Data { files: self.0, bytes };
        ParquetMetaDataReader::new().parse_and_finish(&data).map_err(|error| match error {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(source) => self.refused(DATA, *source),
                Err(source) => self.foreign(DATA, source.to_string()),
            },
            other => self.foreign(DATA, other.to_string()),
        })
    }

    /// All shards: `bloom-0` and on.
    fn bloom_bytes(&self) -> Result<u64, ReadBlockError> {
        let mut bytes = self.bytes("bloom-0")?;
        for shard in 1_u64.. {
            let file = format!("bloom-{shard}");
            match self.0.bytes(&file) {
                Ok(more) => bytes += more,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(source) => return Err(self.refused(&file, source)),
            }
        }
        Ok(bytes)
    }

    fn foreign(&self, file: &str, why: String) -> ReadBlockError {
        ReadBlockError::Foreign { block: self.0.name(), file: file.to_owned(), why }
    }

    fn refused(&self, file: &str, source: io::Error) -> ReadBlockError {
        let (block, file) = (self.0.name(), file.to_owned());
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                ReadBlockError::Missing { block, file }
            }
            _ => ReadBlockError::Io { block, file, source },
        }
    }
}

/// The file of columns, of which the footer is read.
struct Data<'a, F> {
    files: &'a F,
    bytes: u64,
}

impl<F> Length for Data<'_, F> {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl<F: BlockFiles> ChunkReader for Data<'_, F> {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Cursor<Bytes>> {
        Ok(Cursor::new(self.files.read(DATA, start..self.bytes)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        Ok(self.files.read(DATA, start..start + length as u64)?)
    }
}

/// The columns over all row groups, in the order of the file.
fn columns(parquet: &ParquetMetaData, dedicated: &[Dedicated]) -> Vec<ColumnSize> {
    let attributes = attributes(dedicated);
    let schema = parquet.file_metadata().schema_descr();
    let mut columns: Vec<ColumnSize> = schema
        .columns()
        .iter()
        .map(|column| {
            let name = column.path().string();
            let attribute = attributes.get(&name.replace(".list.element", "")).cloned();
            ColumnSize { name, attribute, bytes: 0, uncompressed_bytes: 0, values: 0 }
        })
        .collect();
    for group in parquet.row_groups() {
        for (column, chunk) in columns.iter_mut().zip(group.columns()) {
            column.bytes += chunk.compressed_size().unsigned_abs();
            column.uncompressed_bytes += chunk.uncompressed_size().unsigned_abs();
            column.values += chunk.num_values().unsigned_abs();
        }
    }
    columns
}

/// Which attribute each dedicated column is for: they are numbered by scope and type.
fn attributes(dedicated: &[Dedicated]) -> BTreeMap<String, String> {
    let mut counts: BTreeMap<(String, &str), u32> = BTreeMap::new();
    let mut attributes = BTreeMap::new();
    for column in dedicated {
        let path = match column.scope.as_deref() {
            Some("resource") => "rs.Resource",
            Some("event") => "rs.ss.Spans.Events",
            _ => "rs.ss.Spans",
        };
        let kind = if column.kind.as_deref() == Some("int") { "Int" } else { "String" };
        let number = counts.entry((path.to_owned(), kind)).or_default();
        *number += 1;
        let path = format!("{path}.DedicatedAttributes.{kind}{number:02}");
        attributes.insert(path, column.name.clone());
    }
    attributes
}

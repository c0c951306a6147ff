//! Reading the sizes of a block that is there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::FileReader as _;
use parquet::file::serialized_reader::SerializedFileReader;
use serde::Deserialize;
use spanproof_schemas::size::{BlockSize, ColumnSize, SIZE_VERSION, SizeReport};

use super::BlockFolder;

/// Why a folder cannot be read as a block.
#[derive(Debug, thiserror::Error)]
pub enum ReadBlockError {
    /// A file that every block has is not there.
    #[error(
        "`{folder}` is no block of Tempo: it has no {file}; name the folder of one block, which is \
         below that of its tenant"
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// A file is something else.
    #[error("`{path}` is not what it is in a block of Tempo: {why}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system refused.
    #[error("cannot read `{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
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
const DATA: &str = "data.parquet";
const INDEX: &str = "index";
/// Formats whose columns are in a file of this kind.
const FORMATS: [&str; 4] = ["vParquet2", "vParquet3", "vParquet4", "vParquet5"];

impl BlockFolder {
    /// What the files of a block take, and the columns of its file.
    ///
    /// # Errors
    ///
    /// If the folder is no block, or cannot be read.
    pub fn read(&self) -> Result<SizeReport, ReadBlockError> {
        let meta = self.path.join(META);
        let text = fs::read(&meta).map_err(|source| self.refused(META, &meta, source))?;
        let foreign =
            |path: &Path, why: String| ReadBlockError::Foreign { path: path.to_owned(), why };
        let facts: Meta =
            serde_json::from_slice(&text).map_err(|error| foreign(&meta, error.to_string()))?;
        if !FORMATS.contains(&facts.format.as_str()) {
            let known = FORMATS.join(", ");
            let why = format!("its format is `{}`; known are {known}", facts.format);
            return Err(foreign(&meta, why));
        }
        let data = self.path.join(DATA);
        let file = File::open(&data).map_err(|source| self.refused(DATA, &data, source))?;
        let reader = SerializedFileReader::new(file)
            .map_err(|error: ParquetError| foreign(&data, error.to_string()))?;
        let parquet = reader.metadata();
        let columns = columns(parquet, &facts.dedicated_columns);
        let data_parquet_bytes = self.bytes(DATA)?;
        let spans = columns
            .iter()
            .find(|column| column.name.replace(".list.element", "") == "rs.ss.Spans.SpanID");
        Ok(SizeReport {
            version: SIZE_VERSION,
            source: self.path.display().to_string(),
            traces: facts.total_objects,
            spans: spans.map_or(0, |column| column.values),
            otlp_bytes: None,
            block: BlockSize {
                encoding: facts.format,
                data_parquet_bytes,
                footer_bytes: data_parquet_bytes
                    .saturating_sub(columns.iter().map(|column| column.bytes).sum()),
                bloom_bytes: self.bloom_bytes()?,
                index_bytes: self.bytes(INDEX)?,
                meta_bytes: text.len() as u64,
                row_groups: parquet.num_row_groups() as u64,
                columns,
            },
            limited: None,
        })
    }

    fn bytes(&self, file: &'static str) -> Result<u64, ReadBlockError> {
        let path = self.path.join(file);
        let metadata = fs::metadata(&path).map_err(|source| self.refused(file, &path, source))?;
        Ok(metadata.len())
    }

    /// All shards: `bloom-0` and on.
    fn bloom_bytes(&self) -> Result<u64, ReadBlockError> {
        let mut bytes = self.bytes("bloom-0")?;
        for shard in 1_u64.. {
            let path = self.path.join(format!("bloom-{shard}"));
            match fs::metadata(&path) {
                Ok(metadata) => bytes += metadata.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(source) => return Err(ReadBlockError::Io { path, source }),
            }
        }
        Ok(bytes)
    }

    fn refused(&self, file: &'static str, path: &Path, source: io::Error) -> ReadBlockError {
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                ReadBlockError::Missing { folder: self.path.clone(), file }
            }
            _ => ReadBlockError::Io { path: path.to_owned(), source },
        }
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

//! What stands beside the columns: the index of row groups and `meta.json`; and a block as a folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::{Block, BlockBuilder, BlockError, BlockOptions, bloom, file};
use crate::dedicated::DedicatedMeta;
use crate::rows::Trace;

/// What `meta.json` says.
pub(super) struct Facts {
    ids: Vec<[u8; 16]>,
    start_unix_nano: u64,
    end_unix_nano: u64,
    data_bytes: u64,
    footer_bytes: u64,
    last_ids: Vec<[u8; 16]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    format: &'a str,
    #[serde(rename = "blockID")]
    block_id: String,
    #[serde(rename = "tenantID")]
    tenant_id: &'a str,
    start_time: String,
    end_time: String,
    total_objects: u64,
    size: u64,
    compaction_level: u32,
    index_page_size: u32,
    total_records: u64,
    bloom_shards: u64,
    footer_size: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dedicated_columns: Vec<DedicatedMeta<'a>>,
    replication_factor: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    row_groups: Vec<String>,
}

/// The tenant of a Tempo that has only one.
const TENANT: &str = "single-tenant";

impl Facts {
    pub(super) fn new(traces: &BTreeMap<[u8; 16], Trace>) -> Self {
        let spans = || traces.values().flat_map(Trace::all_spans);
        Facts {
            ids: traces.keys().copied().collect(),
            start_unix_nano: spans().map(|span| span.start_time_unix_nano).min().unwrap_or(0),
            end_unix_nano: spans().map(|span| span.end_time_unix_nano).max().unwrap_or(0),
            data_bytes: 0,
            footer_bytes: 0,
            last_ids: Vec::new(),
        }
    }

    pub(super) fn add_file(&mut self, file: &file::File) {
        self.data_bytes = file.bytes;
        self.footer_bytes = file.metadata_bytes;
        self.last_ids.clone_from(&file.last_ids);
    }

    /// `meta.json`. The block's id follows from what is in it, so that the same input gives the same
    /// bytes.
    pub(super) fn json(&self, options: &BlockOptions) -> Vec<u8> {
        let meta = Meta {
            format: options.encoding.name(),
            block_id: block_id(&self.ids),
            tenant_id: TENANT,
            start_time: rfc3339(self.start_unix_nano),
            end_time: rfc3339(self.end_unix_nano),
            total_objects: self.ids.len() as u64,
            size: self.data_bytes,
            compaction_level: 0,
            index_page_size: 0,
            total_records: self.last_ids.len() as u64,
            bloom_shards: bloom::shards(self.ids.len() as u64),
            footer_size: self.footer_bytes,
            dedicated_columns: options.dedicated_columns.iter().map(Into::into).collect(),
            replication_factor: 1,
        };
        // Texts and numbers are always JSON.
        serde_json::to_vec(&meta).unwrap_or_default()
    }
}

/// The index: the last trace of each row group.
pub(super) fn index(last_ids: &[[u8; 16]]) -> Vec<u8> {
    let index = Index { row_groups: last_ids.iter().map(|id| STANDARD.encode(id)).collect() };
    // Texts are always JSON.
    serde_json::to_vec(&index).unwrap_or_default()
}

/// An id of the form that a random one has.
fn block_id(ids: &[[u8; 16]]) -> String {
    let sum = ids.iter().fold(0_u128, |sum, id| sum.rotate_left(7) ^ u128::from_be_bytes(*id));
    let random = (sum & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{random:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn rfc3339(unix_nano: u64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(unix_nano / 1_000_000_000);
    humantime::format_rfc3339_seconds(time).to_string()
}

/// A folder that is a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockFolder {
    pub(super) path: PathBuf,
}

impl BlockFolder {
    /// The block folder at `path`, which is made when a block is written.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        BlockFolder { path: path.to_owned() }
    }

    /// Computes the block of `builder` and keeps all its files.
    ///
    /// # Errors
    ///
    /// Those of [`BlockBuilder::finish`], and what the operating system says.
    pub fn write(&self, builder: BlockBuilder) -> Result<Block, BlockError> {
        let refused = |path: &Path| {
            let path = path.to_owned();
            move |source| BlockError::Write { path, source }
        };
        fs::create_dir_all(&self.path).map_err(refused(&self.path))?;
        let options = builder.options.clone();
        let data = self.path.join("data.parquet");
        let mut output = BufWriter::new(File::create(&data).map_err(refused(&data))?);
        let (block, facts) = builder.write(&mut output)?;
        output.flush().map_err(refused(&data))?;
        let mut files = vec![
            ("index".to_owned(), index(&facts.last_ids)),
            ("meta.json".to_owned(), facts.json(&options)),
        ];
        for (number, shard) in bloom::filters(&facts.ids).into_iter().enumerate() {
            files.push((format!("bloom-{number}"), shard));
        }
        for (name, bytes) in files {
            let path = self.path.join(name);
            fs::write(&path, bytes).map_err(refused(&path))?;
        }
        Ok(block)
    }
}

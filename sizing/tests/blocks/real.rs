//! Two blocks that a real Tempo wrote, computed from what it was sent.
//!
//! `fixtures/tempo/` has the inputs, and of the blocks what matters of them: the sizes of columns, and
//! a hash of all pages, so that a single bit that differs shows.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use sizing::{Block, BlockBuilder, BlockEncoding, BlockFolder, BlockOptions};

/// The file of a real block.
#[derive(Deserialize)]
struct Real {
    data_parquet_bytes: usize,
    footer_bytes: u64,
    meta_bytes: usize,
    pages_sha256: String,
    bloom_sha256: String,
    index: String,
    /// Name, bytes, and bytes before compression.
    columns: Vec<(String, u64, u64)>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tempo").join(name)
}

/// The requests that a real Tempo was sent: each behind its length.
pub(crate) fn requests(name: &str) -> Vec<ExportTraceServiceRequest> {
    let mut bytes = Vec::new();
    let file = File::open(folder(name).join("input.otlp.bin.gz")).unwrap();
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    let mut rest = bytes.as_slice();
    let mut requests = Vec::new();
    while let Some((length, body)) = rest.split_first_chunk::<4>() {
        let (body, next) = body.split_at(u32::from_le_bytes(*length) as usize);
        requests.push(ExportTraceServiceRequest::decode(body).unwrap());
        rest = next;
    }
    requests
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn assert_is_computed(name: &str) {
    let real = fs::read_to_string(folder(name).join("block.json")).unwrap();
    let real: Real = serde_json::from_str(&real).unwrap();
    let options =
        BlockOptions { max_attribute_bytes: None, ..BlockOptions::new(BlockEncoding::VParquet5) };
    let mut builder = BlockBuilder::new(options).unwrap();
    for request in requests(name) {
        builder.add(request);
    }
    let written = tempfile::tempdir().unwrap();
    let block: Block = BlockFolder::new(written.path()).write(builder).unwrap();

    let columns: Vec<(String, u64, u64)> = block
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.compressed_bytes, column.uncompressed_bytes))
        .collect();
    for (computed, real) in columns.iter().zip(&real.columns) {
        assert_eq!(computed, real);
    }
    assert_eq!(columns.len(), real.columns.len());
    let file = |file: &str| fs::read(written.path().join(file)).unwrap();
    let data = file("data.parquet");
    let pages = usize::try_from(columns.iter().map(|(_, bytes, _)| bytes).sum::<u64>()).unwrap();
    assert_eq!(sha256(&data[4..4 + pages]), real.pages_sha256, "a page differs");
    assert_eq!(data.len() as u64, block.data_parquet_bytes);
    // What differs is how the two libraries write footer and indexes.
    assert!(data.len().abs_diff(real.data_parquet_bytes) < 200, "{}", data.len());

    assert_eq!(sha256(&file("bloom-0")), real.bloom_sha256);
    assert_eq!(block.bloom_bytes, 102_424);
    assert_eq!(String::from_utf8(file("index")).unwrap(), real.index);
    let meta = file("meta.json");
    assert_eq!(block.meta_bytes, meta.len() as u64);
    assert!(meta.len().abs_diff(real.meta_bytes) < 100, "{}", meta.len());
    let meta: serde_json::Value = serde_json::from_slice(&meta).unwrap();
    assert_eq!(meta["size"], block.data_parquet_bytes);
    assert!(meta["footerSize"].as_u64().unwrap().abs_diff(real.footer_bytes) < 100, "{meta}");
    assert_eq!(meta["totalObjects"], 1_000);
}

#[test]
fn a_block_without_content_is_computed_to_the_bit() {
    assert_is_computed("a-1000");
}

#[test]
fn a_block_with_prompts_and_answers_is_computed_to_the_bit() {
    assert_is_computed("c-1000");
}

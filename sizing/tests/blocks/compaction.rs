//! What compaction does to bytes, beside what a real Tempo's did: eight blocks of one, two of which at a
//! time were brought together on three levels.

use std::time::Duration;

use sizing::forecast::{LoadShape, PolicySample, forecast};
use sizing::{Block, BlockBuilder, BlockEncoding, BlockOptions};
use spanproof_schemas::forecast::PolicyForecast;

use crate::real::requests;

/// As the real one was set up.
fn options() -> BlockOptions {
    BlockOptions { max_attribute_bytes: None, ..BlockOptions::new(BlockEncoding::VParquet5) }
}

/// The block of the first `traces` of the telemetry called `name`.
fn block(name: &str, traces: u64) -> Block {
    let mut builder =
        BlockBuilder::new(BlockOptions { max_live_traces: Some(traces), ..options() }).unwrap();
    for request in requests(name) {
        builder.add(request);
    }
    builder.finish().unwrap()
}

/// What is foretold of blocks of `traces`, eight of which come to an hour.
fn foretold(name: &str, traces: u32) -> PolicyForecast {
    let load = LoadShape {
        scenario: name.to_owned(),
        traces_per_day: f64::from(traces) * 8.0 * 24.0,
        peak_factor: 1.0,
        retention: LoadShape::RETENTION,
        replication: 1,
        block_cut: Duration::from_secs(3_600 / 8),
    };
    let bodies = requests(name).iter().map(prost::Message::encode_to_vec).collect();
    let sample = PolicySample { policy: "full".to_owned(), has_text: true, seeds: vec![bodies] };
    forecast(&load, &options(), &[], &[sample]).unwrap().policies.remove(0)
}

#[track_caller]
fn assert_near(computed: f64, real: f64, most: f64) {
    let off = computed / real - 1.0;
    assert!(off.abs() < most, "{computed} for a trace, and really {real}: {off:+.4}");
}

#[test]
fn each_level_of_compaction_takes_what_it_really_took() {
    // Traces of a block, and the bytes of `data.parquet` for each of them: of tiny blocks without
    // content, and of blocks with prompts and answers. The real ones had other traces of the same kind.
    for (name, traces, real) in [
        ("a-1000", 25, 1_808.0),
        ("a-1000", 50, 1_209.0),
        ("a-1000", 100, 913.0),
        ("a-1000", 200, 759.3),
        ("c-1000", 500, 3_150.7),
        ("c-1000", 1_000, 3_120.0),
    ] {
        let block = block(name, traces);
        assert_eq!(block.traces, traces);
        let bytes = u32::try_from(block.data_parquet_bytes).unwrap();
        assert_near(f64::from(bytes) / f64::from(u32::try_from(traces).unwrap()), real, 0.02);
    }
}

#[test]
fn what_is_foretold_of_compaction_is_what_it_really_did() {
    // Traces of each of eight blocks, and what a trace took with all files, before and after.
    for (name, traces, cut, stored) in [
        ("a-1000", 25, 5_936.0, 1_275.0),
        ("a-1000", 1_250, 677.8, 588.6),
        ("c-1000", 500, 3_357.0, 3_127.0),
    ] {
        let foretold = foretold(name, traces);
        assert_near(foretold.blocks.cut_bytes_per_trace, cut, 0.02);
        // The error is one that is stated, or of these being other traces of the kind.
        let stated = foretold.uncertainty.extrapolation;
        assert!(stated < 0.05, "{stated}");
        assert_near(foretold.stored_bytes_per_trace, stored, stated.max(0.01));
        // A line through the sample would be 3.6 % short of the second.
        assert_near(foretold.stored_bytes_per_trace, stored, 0.03);
        // Four at a time, where two were really.
        assert_eq!(foretold.blocks.compaction_levels, 2);
    }
}

//! What a sample foretells holds for more.

use sizing::forecast::{LoadShape, PolicySample, SampleError, forecast};
use sizing::{BlockBuilder, BlockEncoding, BlockOptions};

use crate::made::{attribute, request, span, text};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

/// Traces of two spans each, with what comes again and what does not.
fn traces(seed: u64, count: u64, words: usize) -> Vec<ExportTraceServiceRequest> {
    let mut state = seed | 1;
    let mut draw = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let traces = (0..count).map(|_| {
        let id = u128::from(draw(u64::MAX)) << 64 | u128::from(draw(u64::MAX));
        let prompt: Vec<String> = (0..words).map(|_| format!("word{}", draw(4_000))).collect();
        let model = format!("model-{}", draw(3));
        let attributes = vec![
            attribute("gen_ai.operation.name", text("chat")),
            attribute("gen_ai.request.model", text("anthropic.claude-3-haiku-20240307-v1:0")),
            attribute("gen_ai.usage.input_tokens", Value::IntValue(1_000)),
            attribute("gen_ai.usage.output_tokens", Value::IntValue(100)),
            attribute("model.variant", text(&model)),
            attribute("user", text(&format!("u-{}", draw(1 << 40)))),
            attribute("prompt", text(&prompt.join(" "))),
        ];
        let (root, child) = (draw(u64::MAX - 1) + 1, draw(u64::MAX - 1) + 1);
        let mut call = span(id, child, root, attributes);
        "chat".clone_into(&mut call.name);
        let mut server = span(id, root, 0, vec![]);
        "POST /".clone_into(&mut server.name);
        request("rag", vec![server, call])
    });
    traces.collect()
}

fn sample(words: usize, counts: &[u64]) -> PolicySample {
    let bodies = |(seed, count): (u64, &u64)| {
        traces(seed, *count, words).iter().map(prost::Message::encode_to_vec).collect()
    };
    PolicySample {
        policy: "full".to_owned(),
        has_text: words > 0,
        seeds: (7..).zip(counts).map(bodies).collect(),
    }
}

fn load(traces_per_day: f64) -> LoadShape {
    LoadShape {
        scenario: "rag".to_owned(),
        traces_per_day,
        peak_factor: 1.5,
        retention: LoadShape::RETENTION,
        replication: 1,
        block_cut: LoadShape::BLOCK_CUT,
    }
}

#[test]
fn a_thousand_traces_foretell_ten_thousand() {
    let options = BlockOptions::new(BlockEncoding::VParquet5);
    for words in [0, 60] {
        let mut builder = BlockBuilder::new(options.clone()).unwrap();
        for request in traces(99, 10_000, words) {
            builder.add(request);
        }
        let real = u32::try_from(builder.finish().unwrap().total_bytes()).unwrap();
        let real = f64::from(real) / 10_000.0;
        // A block of an hour has ten thousand traces.
        let foretold =
            forecast(&load(240_000.0), &options, &[], &[sample(words, &[1_000, 300])]).unwrap();
        let policy = &foretold.policies[0];
        let off = policy.stored_bytes_per_trace / real - 1.0;
        assert!(off.abs() < 0.03, "{words}: {} {real}", policy.stored_bytes_per_trace);
        let stated = policy.uncertainty.seeds + policy.uncertainty.extrapolation;
        assert!(stated < 0.06, "{stated}");
        assert!(off.abs() < stated.max(0.01), "{off} {stated}");
    }
}

#[test]
fn what_is_foretold_adds_up() {
    let options = BlockOptions::new(BlockEncoding::VParquet5);
    let dimensions = ["model.variant".to_owned()];
    let samples = [sample(0, &[200]), sample(900, &[200])];
    let foretold = forecast(&load(80_000.0), &options, &dimensions, &samples).unwrap();
    let [bare, full] = foretold.policies.as_slice() else { panic!("two policies") };
    assert!(full.stored_bytes_per_trace > bare.stored_bytes_per_trace);
    let day = full.stored_bytes_per_trace * 80_000.0;
    assert!((full.stored_bytes_per_day / day - 1.0).abs() < 1e-9);
    // An hour of what each level took in is still there: of small blocks, and thrice of large ones.
    let cut_day = full.blocks.cut_bytes_per_trace * 80_000.0;
    let kept = 14.0 * day + (cut_day + 3.0 * day) / 24.0;
    assert!((full.stored_bytes_at_retention / kept - 1.0).abs() < 1e-9);
    assert!(
        (full.ingest.peak_bytes_per_second / full.ingest.mean_bytes_per_second - 1.5).abs() < 1e-9
    );
    let range = full.uncertainty;
    assert!(range.least_bytes_at_retention < full.stored_bytes_at_retention);
    assert!(range.greatest_bytes_at_retention > full.stored_bytes_at_retention);
    // Blocks of half a minute, four at a time into one of an hour.
    assert_eq!((full.blocks.cut_per_day, full.blocks.compaction_levels), (2_880.0, 4));
    // The prompts are longer than Tempo lets them be.
    let hit: Vec<&str> = full
        .limits
        .iter()
        .filter(|limit| limit.is_hit)
        .map(|limit| limit.setting.as_str())
        .collect();
    assert!(hit.contains(&"max_attribute_bytes"), "{hit:?}");
    // A server span, and calls with three variants.
    assert_eq!((foretold.series.combinations, foretold.series.active_series), (4, 4 * 19));
    // Haiku: a quarter of a dollar for a million tokens in, 1.25 for as many out.
    let call = 1_000.0 * 0.25e-6 + 100.0 * 1.25e-6;
    assert!((foretold.bedrock.usd_per_day / (80_000.0 * call) - 1.0).abs() < 1e-9);
}

#[test]
fn blocks_are_compacted_four_at_a_time_until_an_hour_is_one() {
    let options = BlockOptions::new(BlockEncoding::VParquet5);
    let blocks = |load: LoadShape| {
        forecast(&load, &options, &[], &[sample(0, &[200])]).unwrap().policies[0].blocks
    };
    // A block is cut every 30 seconds, so there are 120 an hour: 4 × 4 × 4 × 2.
    assert_eq!(blocks(load(80_000.0)).compaction_levels, 4);
    // Three copies of each: 360.
    let thrice = LoadShape { replication: 3, ..load(80_000.0) };
    assert_eq!(blocks(thrice).compaction_levels, 5);
    // Two an hour, as Tempo 2 cuts them; and one, which stays as it is.
    let cut = |minutes: u64| LoadShape {
        block_cut: std::time::Duration::from_secs(60 * minutes),
        ..load(80_000.0)
    };
    assert_eq!(blocks(cut(30)).compaction_levels, 1);
    assert_eq!(blocks(cut(60)).compaction_levels, 0);
    // A trace an hour: each is a block, and nothing is brought together.
    let rare = blocks(load(24.0));
    assert_eq!((rare.compaction_levels, rare.cut_per_day, rare.traces_per_cut), (0, 24.0, 1.0));
}

#[test]
fn a_sample_without_traces_foretells_nothing() {
    let options = BlockOptions::new(BlockEncoding::VParquet5);
    for sample in [sample(0, &[]), sample(0, &[0])] {
        let error = forecast(&load(1.0), &options, &[], &[sample]).unwrap_err();
        assert!(matches!(error, SampleError::Empty | SampleError::Block(_)), "{error}");
    }
    let foreign = PolicySample { seeds: vec![vec![vec![0x0a, 9, 0]]], ..sample(0, &[]) };
    let error = forecast(&load(1.0), &options, &[], &[foreign]).unwrap_err();
    assert!(matches!(error, SampleError::NotOtlp(_)), "{error}");
}

//! Judging beside decoding: both from the same encoded batches, on one thread.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};
use conformance_core::{Judge, Settings};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::Comparison;
use super::telemetry::{BATCH, batch};

/// Enough for a second or so on each side.
const BATCHES: u64 = 400;

pub(super) fn compare(runs: usize) -> Result<Comparison> {
    let encoded: Vec<Vec<u8>> = (0..BATCHES).map(|number| batch(number).encode_to_vec()).collect();
    let spans = f64::from(u32::try_from(encoded.len() * BATCH)?);
    let mut comparison = Comparison::new("check", "spans/s");
    for _ in 0..runs {
        let started = Instant::now();
        for bytes in &encoded {
            black_box(ExportTraceServiceRequest::decode(bytes.as_slice())?);
        }
        comparison.ceiling.push(spans / started.elapsed().as_secs_f64());

        let started = Instant::now();
        let mut judge = Judge::new(Settings::default());
        for bytes in &encoded {
            judge.traces(&ExportTraceServiceRequest::decode(bytes.as_slice())?);
        }
        let judgement = judge.finish();
        comparison.ours.push(spans / started.elapsed().as_secs_f64());
        ensure!(
            judgement.telemetry.gen_ai_spans == encoded.len() as u64 * BATCH as u64,
            "the judge did not see every span as a GenAI client span: {:?}",
            judgement.telemetry
        );
    }
    "one thread, decode included, all rules, 20 attributes".clone_into(&mut comparison.notes);
    Ok(comparison)
}

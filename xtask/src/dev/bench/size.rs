//! A day of traces made and sized as one block, as `spanproof size --capture` computes it.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use anyhow::Result;
use loadgen::otlp::Limits;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use sizing::{BlockBuilder, BlockEncoding, BlockOptions};

use super::median;
use super::synthetic::{DAY, MIDNIGHT, rag};

/// How long it may take.
const ASKED: Duration = Duration::from_secs(10);

/// Makes and sizes the day `runs` times, and tells how long that took.
pub(super) fn measure(runs: usize) -> Result<()> {
    let mut seconds = Vec::new();
    let mut told = String::new();
    for _ in 0..runs {
        let began = Instant::now();
        let mut builder = BlockBuilder::new(BlockOptions::new(BlockEncoding::default()))?;
        for request in rag(DAY)?.requests(Limits::default(), MIDNIGHT) {
            builder.add(ExportTraceServiceRequest::decode(request.body.as_slice())?);
        }
        let block = builder.finish()?;
        seconds.push(began.elapsed().as_secs_f64());
        told = format!(
            "{} spans without content, made and sized: {} bytes",
            block.spans,
            block.total_bytes()
        );
    }
    let asked = ASKED.as_secs();
    writeln!(io::stdout(), "size      {:.2} s   {asked} s asked   {told}", median(&mut seconds))?;
    Ok(())
}

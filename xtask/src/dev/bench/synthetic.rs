//! Synthetic spans beside a bare tonic client that sends the same spans, made beforehand.
//!
//! Server and client have one thread each. The bare client encodes what it has, and decides
//! nothing; ours makes every span anew, and keeps books.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use loadgen::otlp::{Exporter, OtlpConfig};
use loadgen::synthetic::{Batch, Dialogue, Limits, Traces};
use loadgen::{AtRate, Plan, PlanConfig, Scenario, Shard, Timing};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message as _;
use tokio::runtime::Builder;

use super::Comparison;
use super::receive::{bare_server, server_runtime};

/// A day of traces of four spans.
const DAY: u64 = 80_000;

/// Traces sent in one measurement; the bare client holds all of them in memory.
const TRACES: u64 = 30_000;

/// Exports under way at once.
const IN_FLIGHT: usize = 2;

/// Some Monday.
const MIDNIGHT: u64 = 1_767_571_200_000_000_000;

pub(super) fn compare(runs: usize) -> Result<Comparison> {
    let mut comparison = Comparison::new("synthetic", "spans/s");
    let runtime = server_runtime()?;
    let counted = Arc::new(AtomicU64::new(0));
    let address = runtime.block_on(bare_server(Arc::clone(&counted)))?;
    let traces = rag(TRACES)?;
    let mut sent = 0;
    for _ in 0..runs {
        let (spans, rate) = bare_client(address, &traces)?;
        comparison.ceiling.push(rate);
        sent += spans;
        let (spans, rate) = ours(address, &traces)?;
        comparison.ours.push(rate);
        sent += spans;
    }
    let received = counted.load(Ordering::Relaxed);
    ensure!(received == sent, "the bare server has {received} of {sent} spans");
    let day = rag(DAY)?;
    let began = Instant::now();
    let spans: u64 = day.requests(Limits::default(), MIDNIGHT).map(|request| request.spans).sum();
    comparison.notes = format!(
        "rag without content, gRPC, {IN_FLIGHT} exports in flight; {spans} spans made in {:.2} s",
        began.elapsed().as_secs_f64()
    );
    Ok(comparison)
}

fn rag(calls: u64) -> Result<Traces> {
    let scenario = Scenario::named("rag")?;
    let plan = Plan::new(PlanConfig {
        capabilities: Traces::capabilities(&scenario),
        scenario,
        seed: 1,
        timing: Timing::AtRate(AtRate::even("80000/day".parse()?, Duration::from_hours(24))),
        most_calls: Some(calls),
        shard: Shard::WHOLE,
    })?;
    Ok(Traces::new(plan, Dialogue::default()))
}

fn bare_client(address: SocketAddr, traces: &Traces) -> Result<(u64, f64)> {
    let mut made = Vec::new();
    let mut spans = 0;
    for request in traces.requests(Limits::default(), MIDNIGHT) {
        spans += request.spans;
        made.push(ExportTraceServiceRequest::decode(&*request.body)?);
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let channel =
            tonic::transport::Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        let requests = Arc::new(std::sync::Mutex::new(made));
        let began = Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let mut client = TraceServiceClient::new(channel.clone());
            let requests = Arc::clone(&requests);
            senders.spawn(async move {
                loop {
                    let next = requests.lock().map_or(None, |mut requests| requests.pop());
                    let Some(request) = next else { return anyhow::Ok(()) };
                    client.export(request).await?;
                }
            });
        }
        while let Some(ended) = senders.join_next().await {
            ended??;
        }
        Ok((spans, rate(spans, began)?))
    })
}

fn ours(address: SocketAddr, traces: &Traces) -> Result<(u64, f64)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let began = Instant::now();
        let exporter = Exporter::start(&OtlpConfig::new(format!("http://{address}")))?;
        let mut generator = traces.generator();
        let mut batch = Batch::new(Limits::default());
        let mut full = Vec::new();
        for planned in traces.plan().planned() {
            let at = u64::try_from(planned.at.as_nanos())?;
            generator.add(planned, MIDNIGHT + at, &mut batch, &mut |request| full.push(request));
            for request in full.drain(..) {
                exporter.send(request).await;
            }
        }
        if let Some(request) = generator.rest(&mut batch) {
            exporter.send(request).await;
        }
        let (books, errors) = exporter.finish().await;
        ensure!(books.exported == books.created, "{books:?} {errors:?}");
        Ok((books.created, rate(books.created, began)?))
    })
}

fn rate(spans: u64, began: Instant) -> Result<f64> {
    Ok(f64::from(u32::try_from(spans)?) / began.elapsed().as_secs_f64())
}

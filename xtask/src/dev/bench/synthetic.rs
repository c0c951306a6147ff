//! Synthetic spans beside a bare tonic client that sends the same requests, encoded beforehand.
//!
//! The server has one thread. Either client has one that sends and one for what is to be sent, as
//! `spanproof load` has: the bare client's only waits. It sends bytes that it has; ours makes every
//! span anew, through the run that `spanproof load` makes: pacer, limit of open traces, times and
//! books.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::{Buf as _, BufMut as _, Bytes};
use loadgen::otlp::{Exporter, Limits, OtlpConfig};
use loadgen::synthetic::{self, Dialogue, Sending, Timestamps, Traces};
use loadgen::{AtRate, LoadConfig, Plan, PlanConfig, Scenario, Shard, Timing};
use spanproof_schemas::speed::Speed;
use tokio::runtime::{Builder, Runtime};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic::{Request, Status};

use super::Comparison;
use super::receive::{bare_server, server_runtime};

/// A day of traces of four spans.
pub(super) const DAY: u64 = 80_000;

/// Traces sent in one measurement; the bare client holds all of them in memory.
const TRACES: u64 = 30_000;

/// Exports under way at once.
const IN_FLIGHT: usize = 2;

/// Some Monday.
pub(super) const MIDNIGHT: u64 = 1_767_571_200_000_000_000;

const METHOD: PathAndQuery =
    PathAndQuery::from_static("/opentelemetry.proto.collector.trace.v1.TraceService/Export");

pub(super) fn compare(runs: usize) -> Result<Comparison> {
    let mut comparison = Comparison::new("synthetic", "spans/s");
    let runtime = server_runtime()?;
    let counted = Arc::new(AtomicU64::new(0));
    let address = runtime.block_on(bare_server(Arc::clone(&counted)))?;
    let traces = Arc::new(rag(TRACES)?);
    let mut sent = 0;
    for _ in 0..runs {
        let (spans, rate) = bare_client(address, &traces)?;
        comparison.ceiling.push(rate);
        sent += spans;
        let (spans, rate) = ours(address, Arc::clone(&traces))?;
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

/// So many traces of `rag` without content.
pub(super) fn rag(calls: u64) -> Result<Traces> {
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
        made.push(Bytes::from(request.body));
    }
    let runtime = client_runtime()?;
    runtime.block_on(async {
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        let requests = Arc::new(std::sync::Mutex::new(made.into_iter()));
        let began = Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let mut client = Grpc::new(channel.clone());
            let requests = Arc::clone(&requests);
            senders.spawn(async move {
                loop {
                    let next = requests.lock().map_or(None, |mut requests| requests.next());
                    let Some(request) = next else { return anyhow::Ok(()) };
                    client.ready().await?;
                    client.unary(Request::new(request), METHOD, Bare).await?;
                }
            });
        }
        while let Some(ended) = senders.join_next().await {
            ended??;
        }
        Ok((spans, rate(spans, began)?))
    })
}

fn ours(address: SocketAddr, traces: Arc<Traces>) -> Result<(u64, f64)> {
    let runtime = client_runtime()?;
    runtime.block_on(async {
        let began = Instant::now();
        let exporter = Exporter::start(&OtlpConfig::new(format!("http://{address}")))?;
        let sending =
            Sending { timestamps: Timestamps::Virtual(MIDNIGHT), limits: Limits::default() };
        let config = LoadConfig::synthetic(Speed::Max);
        let outcome = synthetic::run(config, sending, traces, exporter, |_| ()).await;
        let books = outcome.accounting.context("synthetic traces have books")?;
        ensure!(books.exported == books.created, "{books:?} {:?}", outcome.broken);
        Ok((books.created, rate(books.created, began)?))
    })
}

fn client_runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}

fn rate(spans: u64, began: Instant) -> Result<f64> {
    Ok(f64::from(u32::try_from(spans)?) / began.elapsed().as_secs_f64())
}

/// The codec of a client that neither encodes what it sends nor decodes what it is answered.
#[derive(Clone, Copy, Debug)]
struct Bare;

impl Codec for Bare {
    type Encode = Bytes;
    type Decode = ();
    type Encoder = Bare;
    type Decoder = Bare;

    fn encoder(&mut self) -> Bare {
        Bare
    }

    fn decoder(&mut self) -> Bare {
        Bare
    }
}

impl Encoder for Bare {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(item.len());
        out.put(item);
        Ok(())
    }
}

impl Decoder for Bare {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, answer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        answer.advance(answer.remaining());
        Ok(Some(()))
    }
}

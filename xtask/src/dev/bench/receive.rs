//! The OTLP receiver beside a bare tonic server that decodes and counts.
//!
//! Each server has one worker thread; the driver, with two exports in flight on one connection,
//! has the other core.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use super::Comparison;
use super::telemetry::{BATCH, batch};

/// Batches sent in one measurement.
const BATCHES: usize = 1_200;
/// Different batches, sent in turn.
const DIFFERENT: u64 = 64;
const IN_FLIGHT: usize = 2;

pub(super) fn compare(runs: usize) -> Result<Comparison> {
    let folder = tempfile::tempdir()?;
    let batches: Arc<Vec<ExportTraceServiceRequest>> =
        Arc::new((0..DIFFERENT).map(batch).collect());
    let bare_runtime = server_runtime()?;
    let counted = Arc::new(AtomicU64::new(0));
    let bare = bare_runtime.block_on(bare_server(Arc::clone(&counted)))?;
    let receiver_runtime = server_runtime()?;
    let receiver = receiver_runtime.block_on(async {
        let config = conformance::receiver::Config::default();
        let capture = conformance::capture::Writer::create(&folder.path().join("capture.otlp"))?;
        anyhow::Ok(conformance::receiver::Receiver::start(config, capture).await?)
    })?;
    let mut comparison = Comparison::new("receive", "spans/s");
    for _ in 0..runs {
        comparison.ceiling.push(spans_per_second(bare, &batches)?);
        let ours = receiver.grpc_address().context("the receiver takes no gRPC")?;
        comparison.ours.push(spans_per_second(ours, &batches)?);
    }
    let counts = receiver_runtime.block_on(receiver.shutdown())?;
    let sent = (runs * BATCHES * BATCH) as u64;
    ensure!(counts.spans == sent, "received {} of {sent} spans", counts.spans);
    ensure!(counted.load(Ordering::Relaxed) == sent, "the bare server lost spans");
    comparison.notes = format!(
        "gRPC, batches of {BATCH}, {IN_FLIGHT} exports in flight, one server thread, capture file on"
    );
    Ok(comparison)
}

pub(super) fn server_runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}

struct Counting(Arc<AtomicU64>);

#[tonic::async_trait]
impl TraceService for Counting {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans: usize = request
            .get_ref()
            .resource_spans
            .iter()
            .flat_map(|resource| &resource.scope_spans)
            .map(|scope| scope.spans.len())
            .sum();
        self.0.fetch_add(spans as u64, Ordering::Relaxed);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

pub(super) async fn bare_server(counted: Arc<AtomicU64>) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // As tonic's own listener has it. Without it the end of each answer waits for the client's delayed
    // acknowledgement, 40 ms, and that would be all there is to measure.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(
        tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(Counting(counted)))
            .serve_with_incoming(incoming),
    );
    Ok(address)
}

fn spans_per_second(
    address: SocketAddr,
    batches: &Arc<Vec<ExportTraceServiceRequest>>,
) -> Result<f64> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let channel =
            tonic::transport::Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        let next = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let mut client = TraceServiceClient::new(channel.clone());
            let (next, batches) = (Arc::clone(&next), Arc::clone(batches));
            senders.spawn(async move {
                loop {
                    let number = usize::try_from(next.fetch_add(1, Ordering::Relaxed))?;
                    if number >= BATCHES {
                        return anyhow::Ok(());
                    }
                    client.export(batches[number % batches.len()].clone()).await?;
                }
            });
        }
        while let Some(ended) = senders.join_next().await {
            ended??;
        }
        let spans = f64::from(u32::try_from(BATCHES * BATCH)?);
        Ok(spans / started.elapsed().as_secs_f64())
    })
}

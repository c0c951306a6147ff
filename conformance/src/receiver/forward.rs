//! Passes on what a receiver is sent to another one, and the other's answers back.

use bytes::Bytes;
use http::uri::PathAndQuery;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::grpc::Raw;
use super::listen::StartError;
use crate::capture::Signal;

/// A receiver of OTLP/gRPC behind ours.
pub(super) struct Forward {
    channel: Channel,
}

impl Forward {
    /// To the receiver at `address`. Connects with the first request.
    pub(super) fn to(address: &str) -> Result<Forward, StartError> {
        let unfit = |why: String| StartError::Forward { address: address.to_owned(), why };
        if !address.starts_with("http://") {
            return Err(unfit("only http is spoken".to_owned()));
        }
        let endpoint =
            Endpoint::from_shared(address.to_owned()).map_err(|error| unfit(error.to_string()))?;
        Ok(Forward { channel: endpoint.connect_lazy() })
    }

    /// Sends a request on; how many spans of it were rejected, or the status that refuses it.
    pub(super) async fn send(&self, signal: Signal, body: Bytes) -> Result<u64, Box<Status>> {
        let path = PathAndQuery::from_static(match signal {
            Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        });
        let mut client = Grpc::new(self.channel.clone());
        let sent = async {
            client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            client.unary(Request::new(body), path, Raw).await
        };
        let answer = sent.await.map_err(|status| Box::new(passed_on(status)))?.into_inner();
        if signal != Signal::Traces {
            return Ok(0);
        }
        // It has taken the request; what cannot be read of its answer is no rejection.
        let partial = ExportTraceServiceResponse::decode(answer).ok();
        let rejected = partial.and_then(|answer| answer.partial_success);
        Ok(rejected.map_or(0, |partial| u64::try_from(partial.rejected_spans).unwrap_or(0)))
    }
}

/// The status for the exporter: the other receiver's own, or that it cannot be reached, which is
/// worth another attempt.
fn passed_on(status: Status) -> Status {
    match std::error::Error::source(&status) {
        None => status,
        Some(source) => {
            let why = format!("the receiver behind this one does not answer: {source}");
            Status::unavailable(why)
        }
    }
}

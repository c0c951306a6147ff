//! OTLP/gRPC. Messages stay bytes up to the capture, so a request that is taken whole is written
//! as it came.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes};
use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tonic::Status;
use tonic::codec::{
    Codec, CompressionEncoding, DecodeBuf, Decoder, EnabledCompressionEncodings, EncodeBuf, Encoder,
};
use tonic::server::{Grpc, UnaryService};

use super::answer::{self, Encoding};
use super::intake::{BUSY, Intake, Refusal};
use crate::capture::Signal;

#[derive(Clone)]
pub(super) struct Service {
    pub(super) intake: Arc<Intake>,
    pub(super) max_bytes: usize,
}

pub(super) async fn answer(
    service: Service,
    request: Request<Incoming>,
) -> Response<tonic::body::Body> {
    let is_grpc = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if !is_grpc {
        service.intake.refused();
        return not_grpc();
    }
    let Some(signal) = signal_of_path(request.uri().path()) else {
        service.intake.refused();
        let path = request.uri().path();
        return Status::unimplemented(format!("{path} is not an OTLP service")).into_http();
    };
    let intake = Arc::clone(&service.intake);
    let _turn = match intake.turn().await {
        Ok(turn) => turn,
        Err(refusal) => return status(refusal).into_http(),
    };
    let mut gzip = EnabledCompressionEncodings::default();
    gzip.enable(CompressionEncoding::Gzip);
    let export = ExportService { intake: service.intake, signal };
    Grpc::new(Raw)
        .apply_compression_config(gzip, EnabledCompressionEncodings::default())
        .apply_max_message_size_config(Some(service.max_bytes), None)
        .unary(export, request)
        .await
}

fn signal_of_path(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        _ => None,
    }
}

/// For exporters that speak HTTP to the port of gRPC, the commonest mistake there is.
fn not_grpc() -> Response<tonic::body::Body> {
    let text = "this port takes OTLP/gRPC; OTLP/HTTP has a port of its own\n";
    let mut response = Response::new(tonic::body::Body::new(http_body_util::Full::from(text)));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
    response
}

/// `Export` of one signal's service.
struct ExportService {
    intake: Arc<Intake>,
    signal: Signal,
}

impl UnaryService<Bytes> for ExportService {
    type Response = Bytes;
    type Future =
        Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send + 'static>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (intake, signal) = (Arc::clone(&self.intake), self.signal);
        Box::pin(async move {
            match intake.protobuf(signal, request.into_inner()).await {
                Ok(taken) => {
                    let response = answer::response(signal, taken, Encoding::Protobuf);
                    Ok(tonic::Response::new(response.into()))
                }
                Err(refusal) => Err(status(refusal)),
            }
        })
    }
}

fn status(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Undecodable(why) => Status::invalid_argument(why),
        Refusal::Busy => Status::unavailable(BUSY),
        Refusal::Broken(why) => Status::internal(why),
        Refusal::Behind(status) => *status,
    }
}

/// Messages as the bytes that they are.
pub(super) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

//! OTLP/gRPC as a client sees it: partial success, errors, limits.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::io;
use std::time::Duration;

use conformance::capture::{Format, Writer};
use conformance::receiver::{Config, Receiver};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tonic::Code;
use tonic::codec::CompressionEncoding;

fn span(name: &str, trace_id: u8) -> Span {
    Span {
        name: name.to_owned(),
        trace_id: vec![trace_id; 16],
        span_id: vec![1; 8],
        ..Span::default()
    }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

async fn start(config: Config) -> (Receiver, String) {
    let capture = Writer::new(io::sink(), Format::Otlp).unwrap();
    let receiver = Receiver::start(config, capture).await.unwrap();
    let endpoint = format!("http://{}", receiver.grpc_address().unwrap());
    (receiver, endpoint)
}

#[tokio::test]
async fn success_is_empty_and_partial_success_counts() {
    let (receiver, endpoint) = start(Config::default()).await;
    let mut client = TraceServiceClient::connect(endpoint.clone()).await.unwrap();
    let whole = client.export(request(vec![span("a", 1)])).await.unwrap().into_inner();
    assert_eq!(whole.partial_success, None);
    let part = client.export(request(vec![span("a", 1), span("b", 0)])).await.unwrap();
    let partial_success = part.into_inner().partial_success.unwrap();
    assert_eq!(partial_success.rejected_spans, 1);
    assert!(partial_success.error_message.contains("trace id"));

    let mut logs = LogsServiceClient::connect(endpoint).await.unwrap();
    logs.export(ExportLogsServiceRequest::default()).await.unwrap();
    let counts = receiver.shutdown().await.unwrap();
    assert_eq!((counts.requests, counts.spans, counts.rejected_spans), (3, 2, 1));
}

#[tokio::test]
async fn what_is_no_request_is_an_invalid_argument() {
    let (receiver, endpoint) = start(Config::default()).await;
    // Spans sent as if they were log records: the same outer shape, other fields within.
    let channel = tonic::transport::Endpoint::new(endpoint).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export".parse().unwrap();
    let codec = tonic_prost::ProstCodec::<ExportTraceServiceRequest, ()>::default();
    let message = tonic::Request::new(request(vec![span("a", 1)]));
    let status = client.unary(message, path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");

    client.ready().await.unwrap();
    let path = "/opentelemetry.proto.collector.logs.v1.LogsService/Import".parse().unwrap();
    let codec = tonic_prost::ProstCodec::<ExportTraceServiceRequest, ()>::default();
    let message = tonic::Request::new(request(Vec::new()));
    let status = client.unary(message, path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status}");
    assert_eq!(receiver.shutdown().await.unwrap().refused_requests, 2);
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_zipped_or_not() {
    let config = Config { max_message_bytes: 10_000, ..Config::default() };
    let (receiver, endpoint) = start(config).await;
    let large = request(vec![span(&"x".repeat(20_000), 1)]);
    let mut plain = TraceServiceClient::connect(endpoint.clone()).await.unwrap();
    let status = plain.export(large.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    let mut zipped = TraceServiceClient::connect(endpoint)
        .await
        .unwrap()
        .send_compressed(CompressionEncoding::Gzip);
    let status = zipped.export(large).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    zipped.export(request(vec![span("small", 1)])).await.unwrap();
    assert_eq!(receiver.shutdown().await.unwrap().requests, 1);
}

/// A capture that takes nothing for as long as the test holds the sender.
struct Stuck(std::sync::mpsc::Receiver<()>);

impl io::Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_full_queue_is_unavailable() {
    let (release, stuck) = std::sync::mpsc::channel();
    let capture = Writer::new(Stuck(stuck), Format::Otlp).unwrap();
    let config = Config { queue_bytes: 1, queue_wait: Duration::ZERO, ..Config::default() };
    let receiver = Receiver::start(config, capture).await.unwrap();
    let endpoint = format!("http://{}", receiver.grpc_address().unwrap());
    let mut client = TraceServiceClient::connect(endpoint).await.unwrap();
    let status = loop {
        if let Err(status) = client.export(request(vec![span("a", 1)])).await {
            break status;
        }
    };
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    drop(release);
    receiver.shutdown().await.unwrap();
}

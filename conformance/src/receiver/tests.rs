//! The receiver by its own protocol; real exporters are in `tests/exporters.rs`.

use std::io::{self, Write as _};
use std::path::Path;

use ::http::{Method, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::net::TcpStream;

use super::answer::RpcStatus;
use super::*;
use crate::capture::{Export, Format, read};
use crate::json;

mod pressure;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// A request with one good span and one span for each of `bad`, as trace id and span id.
fn traces(bad: &[(&str, &str)]) -> String {
    let good = ("000102030405060708090a0b0c0d0e0f", "0001020304050607");
    let spans: Vec<String> = std::iter::once(&good)
        .chain(bad)
        .map(|(trace, span)| format!(r#"{{"traceId":"{trace}","spanId":"{span}","name":"s"}}"#))
        .collect();
    let spans = spans.join(",");
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#)
}

fn protobuf(text: &str) -> Vec<u8> {
    json::decode_export(text.as_bytes()).unwrap().encode()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

struct Running {
    receiver: Receiver,
    folder: tempfile::TempDir,
}

impl Running {
    async fn start(config: Config) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let capture = Writer::create(&folder.path().join("capture.otlp")).unwrap();
        Running { receiver: Receiver::start(config, capture).await.unwrap(), folder }
    }

    /// Shuts down, and returns what was counted and what the capture holds.
    async fn finish(self) -> (Counts, Vec<Export>) {
        let counts = self.receiver.shutdown().await.unwrap();
        let mut exports = Vec::new();
        read(&self.folder.path().join("capture.otlp"), &mut |export| exports.push(export)).unwrap();
        (counts, exports)
    }

    async fn post(&self, path: &str, media_type: &str, body: &[u8]) -> Response<Bytes> {
        self.send(request(Method::POST, path, &[("content-type", media_type)], body)).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        send(self.receiver.http_address().unwrap(), request).await
    }
}

fn request(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("host", "test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()
}

/// Sends over HTTP/1.1, or HTTP/2 without negotiation when the request says so.
async fn send(to: SocketAddr, request: Request<Full<Bytes>>) -> Response<Bytes> {
    let stream = TokioIo::new(TcpStream::connect(to).await.unwrap());
    let response = if request.version() == Version::HTTP_2 {
        let executor = TokioExecutor::new();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(executor, stream).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    };
    let (head, body) = response.into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

fn media_type(response: &Response<Bytes>) -> &str {
    response.headers()[header::CONTENT_TYPE].to_str().unwrap()
}

#[tokio::test]
async fn every_signal_in_every_encoding_is_answered_in_kind_and_captured() {
    let running = Running::start(Config::default()).await;
    let bodies = [
        ("/v1/traces", traces(&[])),
        ("/v1/metrics", r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","sum":{"dataPoints":[{"asInt":"1"},{"asInt":"2"}]}}]}]}]}"#.to_owned()),
        ("/v1/logs", r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1"}]}]}]}"#.to_owned()),
    ];
    let mut sent = Vec::new();
    for (path, text) in &bodies {
        let export = json::decode_export(text.as_bytes()).unwrap();
        for (media, body, empty) in
            [(PROTOBUF, export.encode(), &b""[..]), (JSON, text.clone().into_bytes(), b"{}")]
        {
            for zipped in [false, true] {
                let body = if zipped { gzip(&body) } else { body.clone() };
                let charset = format!("{media}; charset=utf-8");
                let mut headers = vec![("content-type", charset.as_str())];
                if zipped {
                    headers.push(("content-encoding", "gzip"));
                }
                let mut request = request(Method::POST, path, &headers, &body);
                if zipped {
                    *request.version_mut() = Version::HTTP_2;
                    *request.uri_mut() = format!("http://test{path}").parse().unwrap();
                    request.headers_mut().remove("host");
                }
                let response = running.send(request).await;
                assert_eq!(response.status(), StatusCode::OK);
                assert_eq!(media_type(&response), media);
                assert_eq!(&response.body()[..], empty);
                sent.push(export.clone());
            }
        }
    }
    assert_eq!(running.receiver.counts().spans, 4);
    let (counts, captured) = running.finish().await;
    assert_eq!(captured, sent);
    let bytes = captured.iter().map(|export| export.encode().len() as u64).sum();
    let expected = Counts {
        requests: 12,
        bytes,
        spans: 4,
        metric_points: 8,
        log_records: 4,
        ..Counts::default()
    };
    assert_eq!(counts, expected);
}

#[tokio::test]
async fn spans_without_valid_ids_are_rejected_and_the_rest_kept() {
    let running = Running::start(Config::default()).await;
    let text = traces(&[
        ("", "0001020304050607"),
        ("00000000000000000000000000000000", "0001020304050607"),
        ("000102030405060708090a0b0c0d0e0f", "0000000000000000"),
        ("000102030405060708090a0b0c0d0e0f", "00010203040506"),
    ]);
    let response = running.post("/v1/traces", PROTOBUF, &protobuf(&text)).await;
    let decoded = ExportTraceServiceResponse::decode(response.body().clone()).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(decoded.partial_success.unwrap().rejected_spans, 4);

    let response = running.post("/v1/traces", JSON, text.as_bytes()).await;
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    insta::assert_snapshot!(text, @r#"{"partialSuccess":{"errorMessage":"spans without a valid trace id (16 bytes, not all zero) or span id (8 bytes, not all zero)","rejectedSpans":"4"}}"#);

    let (counts, captured) = running.finish().await;
    let good = json::decode_export(traces(&[]).as_bytes()).unwrap();
    assert_eq!(captured, [good.clone(), good]);
    assert_eq!((counts.spans, counts.rejected_spans), (2, 8));
}

#[tokio::test]
async fn what_cannot_be_decoded_is_a_bad_request_in_the_encoding_of_the_request() {
    let running = Running::start(Config::default()).await;
    let response = running.post("/v1/traces", PROTOBUF, b"\x0a\x05abc").await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(media_type(&response), PROTOBUF);
    let status = RpcStatus::decode(response.body().clone()).unwrap();
    assert_eq!(status.code, 3);
    insta::assert_snapshot!(status.message, @"not an export request in protobuf: failed to decode Protobuf message: ExportTraceServiceRequest.resource_spans: buffer underflow");

    let response = running.post("/v1/logs", JSON, br#"{"resourceLogs":5}"#).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(media_type(&response), JSON);
    insta::assert_snapshot!(String::from_utf8_lossy(response.body()), @r#"{"code":3,"message":"not an export request in OTLP/JSON: invalid type: integer `5`, expected a list (line 1, column 17)"}"#);

    let headers = [("content-type", JSON), ("content-encoding", "gzip")];
    let not_gzip = request(Method::POST, "/v1/logs", &headers, b"{}");
    assert_eq!(running.send(not_gzip).await.status(), StatusCode::BAD_REQUEST);
    let (counts, captured) = running.finish().await;
    assert_eq!(captured, []);
    assert_eq!((counts.requests, counts.refused_requests), (0, 3));
}

#[tokio::test]
async fn what_is_not_otlp_http_is_refused_by_its_status() {
    let running = Running::start(Config::default()).await;
    let send = async |method, path, headers: &[(&str, &str)]| {
        running.send(request(method, path, headers, b"{}")).await
    };
    let json = [("content-type", JSON)];
    assert_eq!(send(Method::POST, "/v1/spans", &json).await.status(), StatusCode::NOT_FOUND);
    let wrong_method = send(Method::GET, "/v1/traces", &json).await;
    assert_eq!(wrong_method.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong_method.headers()[header::ALLOW], "POST");
    for headers in [&[][..], &[("content-type", "text/json")]] {
        let response = send(Method::POST, "/v1/traces", headers).await;
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let zstd = [("content-type", JSON), ("content-encoding", "zstd")];
    let response = send(Method::POST, "/v1/traces", &zstd).await;
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(running.finish().await.0.refused_requests, 5);
}

#[tokio::test]
async fn a_probe_without_telemetry_is_answered_and_leaves_nothing_in_the_capture() {
    let running = Running::start(Config::default()).await;
    let probe = running.post("/v1/traces", "application/x-protobuf", b"").await;
    assert_eq!(probe.status(), 200);
    assert_eq!(running.post("/v1/metrics", "application/json", b"{}").await.status(), 200);
    let (counts, exports) = running.finish().await;
    assert_eq!(counts.requests, 2);
    assert_eq!(exports, []);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let capture = Writer::new(io::sink(), Format::Otlp).unwrap();
    let config = Config { http: Some(address), ..Config::default() };
    let error = Receiver::start(config, capture).await.err().unwrap().to_string();
    let error = error.replace(&address.to_string(), "ADDRESS");
    insta::assert_snapshot!(error, @"cannot listen for OTLP/HTTP on ADDRESS: Address already in use (os error 98); choose another port, or 0 for a free one");
}

#[tokio::test]
async fn http_sent_to_the_port_of_grpc_is_told_so() {
    let running = Running::start(Config::default()).await;
    let to = running.receiver.grpc_address().unwrap();
    let headers = [("content-type", PROTOBUF)];
    let response = send(to, request(Method::POST, "/v1/traces", &headers, b"")).await;
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    insta::assert_snapshot!(String::from_utf8_lossy(response.body()), @"this port takes OTLP/gRPC; OTLP/HTTP has a port of its own");
}

#[tokio::test]
async fn shutdown_ends_while_a_client_keeps_its_connection() {
    let running = Running::start(Config::default()).await;
    let _idle = TcpStream::connect(running.receiver.http_address().unwrap()).await.unwrap();
    running.post("/v1/traces", JSON, traces(&[]).as_bytes()).await;
    assert_eq!(running.finish().await.1.len(), 1);
}

#[test]
fn a_folder_is_no_capture() {
    assert!(Writer::create(Path::new(".")).is_err());
}

//! What the receiver does when there is too much: of a request, of requests, or on the disk.

use std::io::{self, Write};
use std::sync::mpsc;

use tokio::io::AsyncWriteExt as _;

use super::*;

#[tokio::test]
async fn requests_over_the_limit_are_too_large_zipped_or_not() {
    let running = Running::start(Config { max_message_bytes: 1000, ..Config::default() }).await;
    let large = format!("{}{}", traces(&[]), " ".repeat(2000));
    let response = running.post("/v1/traces", JSON, large.as_bytes()).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let zipped = gzip(large.as_bytes());
    assert!(zipped.len() < 1000);
    let headers = [("content-type", JSON), ("content-encoding", "gzip")];
    let response = running.send(request(Method::POST, "/v1/traces", &headers, &zipped)).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let fits = running.post("/v1/traces", JSON, traces(&[]).as_bytes()).await;
    assert_eq!(fits.status(), StatusCode::OK);
    assert_eq!(running.finish().await.1.len(), 1);
}

/// A capture that takes nothing until it is let go.
struct Stuck(mpsc::Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An error means that the test let go of it for good.
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_full_queue_tells_exporters_to_try_again() {
    let (release, stuck) = mpsc::channel();
    let capture = Writer::new(Stuck(stuck), Format::Otlp).unwrap();
    let config = Config { queue_bytes: 1, queue_wait: Duration::ZERO, ..Config::default() };
    let receiver = Receiver::start(config, capture).await.unwrap();
    let to = receiver.http_address().unwrap();
    let post = || {
        let headers = [("content-type", JSON)];
        send(to, request(Method::POST, "/v1/traces", &headers, traces(&[]).as_bytes()))
    };
    // Once the writer is stuck in a request, another one finds no room.
    let refused = loop {
        let response = post().await;
        if response.status() != StatusCode::OK {
            break response;
        }
    };
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
    drop(release);
    while post().await.status() != StatusCode::OK {}
    receiver.shutdown().await.unwrap();
}

#[tokio::test]
async fn requests_beyond_those_under_way_are_told_to_try_again() {
    let running = Running::start(Config {
        max_concurrent_requests: 1,
        queue_wait: Duration::ZERO,
        ..Config::default()
    })
    .await;
    let address = running.receiver.http_address().unwrap();
    let mut unfinished = TcpStream::connect(address).await.unwrap();
    let head = "POST /v1/traces HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n";
    unfinished.write_all(head.as_bytes()).await.unwrap();
    let post = || running.post("/v1/traces", JSON, b"{}");
    // As soon as the unfinished request has its turn.
    while post().await.status() != StatusCode::SERVICE_UNAVAILABLE {}
    drop(unfinished);
    while post().await.status() != StatusCode::OK {}
    running.finish().await;
}

/// A capture on a full disk.
struct FullDisk;

impl Write for FullDisk {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_capture_that_cannot_be_written_fails_requests_and_shutdown() {
    let capture = Writer::new(FullDisk, Format::Otlp).unwrap();
    let receiver = Receiver::start(Config::default(), capture).await.unwrap();
    let to = receiver.http_address().unwrap();
    let refused = loop {
        let headers = [("content-type", JSON)];
        let body = traces(&[]);
        let response =
            send(to, request(Method::POST, "/v1/traces", &headers, body.as_bytes())).await;
        if response.status() != StatusCode::OK {
            break response;
        }
    };
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let error = receiver.shutdown().await.unwrap_err().to_string();
    assert!(error.starts_with("cannot write the capture: no storage space"), "{error}");
}

//! What connections do: pipelines, expectations, slow and broken requests, HTTP/2 at its edges.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use bytes::Bytes;
use client::{HAIKU, Mock, NOVA, hello};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use spanproof_schemas::speed::Speed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn connect(mock: &Mock) -> TcpStream {
    TcpStream::connect(mock.server.address()).await.unwrap()
}

fn head(segment: &str, length: usize, more: &str) -> String {
    format!(
        "POST /model/{HAIKU}/{segment} HTTP/1.1\r\nhost: mock\r\ncontent-length: {length}\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_on_one_connection() {
    let mock = Mock::start(Speed::Max);
    let mut stream = connect(&mock).await;
    let body = hello();
    let one = head("converse", body.len(), "") + &body;
    let last = head("converse", body.len(), "connection: close\r\n") + &body;
    stream.write_all((one.repeat(4) + &last).as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 5);
    let exchanges = mock.exchanges().await;
    assert_eq!(exchanges.len(), 5);
    let mut rest = answers.as_str();
    for exchange in exchanges {
        assert!(exchange.delivered);
        rest = rest.split_once(&format!("x-amzn-requestid: {}", exchange.request_id)).unwrap().1;
    }
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it() {
    let mock = Mock::start(Speed::Max);
    let mut stream = connect(&mock).await;
    let body = hello();
    let more = "expect: 100-continue\r\nconnection: close\r\n";
    stream.write_all(head("converse", body.len(), more).as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(mock.exchange().await.delivered);
}

#[tokio::test]
async fn a_body_that_trickles_in_is_read_to_its_end() {
    let mock = Mock::start(Speed::Max);
    let mut stream = connect(&mock).await;
    let body = hello();
    stream
        .write_all(head("converse", body.len(), "connection: close\r\n").as_bytes())
        .await
        .unwrap();
    for byte in body.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(mock.exchange().await.content.unwrap().prompt, "How deep is the harbour?");
}

#[tokio::test]
async fn a_request_that_breaks_off_is_recorded_as_not_delivered() {
    let mock = Mock::start(Speed::Max);
    let mut stream = connect(&mock).await;
    let body = hello();
    let request = head("converse", body.len(), "") + &body[..body.len() / 2];
    stream.write_all(request.as_bytes()).await.unwrap();
    drop(stream);
    while mock.ledger.exchanges().is_empty() {
        tokio::task::yield_now().await;
    }
    let exchange = mock.exchange().await;
    assert!(!exchange.delivered, "{exchange:?}");
    assert_eq!(exchange.usage.total_tokens(), 0);
}

#[tokio::test]
async fn other_methods_and_repeated_headers_do_no_harm() {
    let mock = Mock::start(Speed::Max);
    let path = format!("/model/{HAIKU}/converse");
    for method in ["GET", "HEAD", "PUT", "OPTIONS", "NONSENSE"] {
        let mut stream = connect(&mock).await;
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 Not Found"), "{answer}");
        assert_eq!(method == "HEAD", answer.ends_with("\r\n\r\n"), "{answer}");
    }
    let headers = [
        ("amz-sdk-request", "attempt=1; max=3"),
        ("amz-sdk-request", "attempt=99999999999999999999"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("traceparent", "nonsense"),
        ("content-type", "a/b"),
        ("content-type", "c/d"),
    ];
    assert_eq!(mock.post(&path, &headers, &hello()).await.status, 200);
    let exchange = mock.exchange().await;
    assert_eq!((exchange.attempt, exchange.delivered), (Some(1), true));
}

#[tokio::test]
async fn ids_that_do_not_decode_are_recorded_as_well_as_can_be() {
    let mock = Mock::start(Speed::Max);
    for id in ["%", "%4", "%zz", "%ff%fe", "a%00b", "%F0%9F%92%A9", "%2e%2e", "a%252Fb"] {
        let answered = mock.post(&format!("/model/{id}/converse"), &[], &hello()).await;
        assert_eq!(answered.status, 400, "{id}");
        assert_eq!(answered.json()["message"], "The provided model identifier is invalid.");
    }
    let ids: Vec<String> =
        mock.exchanges().await.into_iter().map(|exchange| exchange.model_id).collect();
    assert_eq!(ids, ["%", "%4", "%zz", "\u{fffd}\u{fffd}", "a\0b", "\u{1f4a9}", "..", "a%2Fb"]);
}

#[tokio::test]
async fn streams_of_one_http2_connection_are_served_side_by_side() {
    let mock = Mock::start(Speed::Times(50.0));
    let (sender, connection) = http2::handshake::<_, _, Full<Bytes>>(
        TokioExecutor::new(),
        TokioIo::new(connect(&mock).await),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..300 {
        let (mut sender, endpoint) = (sender.clone(), mock.server.endpoint());
        calls.spawn(async move {
            let body = hello().replace("harbour", &format!("harbour number {call}"));
            let segment = if call % 2 == 0 { "converse" } else { "converse-stream" };
            let request = Request::post(format!("{endpoint}/model/{NOVA}/{segment}"))
                .body(Full::from(body))
                .unwrap();
            let response = sender.send_request(request).await.unwrap();
            let id = response.headers()["x-amzn-requestid"].to_str().unwrap().to_owned();
            (id, response.into_body().collect().await.unwrap().to_bytes())
        });
    }
    let mut ids: Vec<String> = calls.join_all().await.into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    let exchanges = mock.exchanges().await;
    assert!(exchanges.iter().all(|exchange| exchange.delivered));
    let mut recorded: Vec<String> =
        exchanges.into_iter().map(|exchange| exchange.request_id).collect();
    recorded.sort_unstable();
    assert_eq!(ids, recorded);
}

/// One frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A POST to `path` as HPACK, every header literal.
fn header_block(path: &str) -> Vec<u8> {
    let mut block = vec![0x83, 0x86];
    for (index, value) in [(0x04, path), (0x01, "mock")] {
        block.extend([index, u8::try_from(value.len()).unwrap()]);
        block.extend(value.as_bytes());
    }
    block
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// The SDK for JavaScript says goodbye right after each request, and reads on.
#[tokio::test]
async fn a_goaway_after_the_request_does_not_cut_its_stream() {
    let mock = Mock::start(Speed::Times(20.0));
    let mut stream = connect(&mock).await;
    let mut sent = PREFACE.to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[]));
    sent.extend(frame(HEADERS, 0x4, 1, &header_block(&format!("/model/{HAIKU}/converse-stream"))));
    sent.extend(frame(DATA, 0x1, 1, hello().as_bytes()));
    sent.extend(frame(GOAWAY, 0, 0, &[0; 8]));
    stream.write_all(&sent).await.unwrap();
    let mut received = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == DATA {
            received.extend(payload);
            if head[4] & 1 == 1 {
                break;
            }
        }
    }
    drop(stream);
    let text = String::from_utf8_lossy(&received);
    assert!(text.contains("messageStop") && text.contains("metadata"), "{text}");
    let exchange = mock.exchange().await;
    assert!(exchange.delivered);
    assert!(exchange.chunks.unwrap().count > 4);
}

#[tokio::test]
async fn a_stream_that_the_client_resets_is_recorded_as_not_delivered() {
    let mock = Mock::start(Speed::Times(0.01));
    let mut stream = connect(&mock).await;
    let mut sent = PREFACE.to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[]));
    sent.extend(frame(HEADERS, 0x4, 1, &header_block(&format!("/model/{HAIKU}/converse"))));
    sent.extend(frame(DATA, 0x1, 1, hello().as_bytes()));
    stream.write_all(&sent).await.unwrap();
    // A reset that comes with its request would take it back before anyone saw it.
    stream.read_exact(&mut [0; 9]).await.unwrap();
    stream.write_all(&frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes())).await.unwrap();
    while mock.ledger.exchanges().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(stream);
    assert!(!mock.exchange().await.delivered);
}

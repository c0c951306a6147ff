//! A bare HTTP client for the mock, and the decoding of what it answers.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use aws_smithy_eventstream::frame::read_message_from;
use bytes::{Buf, Bytes};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mock_bedrock::{Config, InMemory, Server};
use spanproof_schemas::ledger::Exchange;
use spanproof_schemas::speed::Speed;
use tokio::net::TcpStream;

pub(crate) const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1%3A0";
pub(crate) const NOVA: &str = "amazon.nova-lite-v1%3A0";
pub(crate) const TITAN: &str = "amazon.titan-embed-text-v2%3A0";

/// A server with its ledger.
pub(crate) struct Mock {
    pub(crate) server: Server,
    pub(crate) ledger: InMemory,
}

impl Mock {
    pub(crate) fn start(speed: Speed) -> Self {
        Mock::with(Config { seed: 7, speed, keep_content: true, ..Config::default() })
    }

    pub(crate) fn with(config: Config) -> Self {
        let ledger = InMemory::default();
        let server = Server::start(config, ledger.clone()).unwrap();
        Mock { server, ledger }
    }

    /// Posts `body` to `path` over HTTP/1.1 and reads the whole answer.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        read(self.send(path, headers, body).await).await
    }

    /// Posts `body` to `path` over HTTP/1.1.
    pub(crate) async fn send(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(self.request(path, headers, body)).await.unwrap()
    }

    /// Sends a request without a body and reads the whole answer.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answered {
        self.send_with(method, path, "").await
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send_with(&self, method: &str, path: &str, body: &str) -> Answered {
        read(self.open(method, path, body).await).await
    }

    /// Sends a request.
    pub(crate) async fn open(&self, method: &str, path: &str, body: &str) -> Response<Incoming> {
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header("host", "mock");
        sender
            .send_request(request.body(Full::<Bytes>::from(body.to_owned())).unwrap())
            .await
            .unwrap()
    }

    /// Posts `body` to `path` over HTTP/2 without negotiation, and leaves as soon as the request is
    /// sent, as clients do that use a connection once.
    pub(crate) async fn post_h2(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answered {
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let response = sender.send_request(self.request(path, headers, body)).await.unwrap();
        drop(sender);
        read(response).await
    }

    /// Gets `path` over HTTP/1.1.
    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answered {
        let mut request = self.request(path, headers, "");
        *request.method_mut() = Method::GET;
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        read(sender.send_request(request).await.unwrap()).await
    }

    fn request(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
        let mut request = Request::post(format!("{}{path}", self.server.endpoint()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.header("host", "mock").body(Full::from(body.to_owned())).unwrap()
    }

    /// Stops the server and returns the ledger's exchanges.
    pub(crate) async fn exchanges(self) -> Vec<Exchange> {
        self.server.shutdown().await.unwrap();
        self.ledger.exchanges()
    }

    /// Stops the server and returns the only exchange of its ledger.
    pub(crate) async fn exchange(self) -> Exchange {
        let mut exchanges = self.exchanges().await;
        assert_eq!(exchanges.len(), 1, "{exchanges:?}");
        exchanges.remove(0)
    }
}

/// An answer, read to its end or to where it broke.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body ended as HTTP says it should.
    pub(crate) is_whole: bool,
}

impl Answered {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The frames of an event stream.
    pub(crate) fn frames(&self) -> Vec<EventFrame> {
        let mut rest = self.body.clone();
        let mut frames = Vec::new();
        while rest.has_remaining() {
            let message = read_message_from(&mut rest).unwrap();
            let headers = message
                .headers()
                .iter()
                .map(|header| {
                    let value = header.value().as_string().unwrap().as_str().to_owned();
                    (header.name().as_str().to_owned(), value)
                })
                .collect();
            frames.push(EventFrame { headers, payload: message.payload().clone() });
        }
        frames
    }
}

/// One frame, decoded by the SDK's own decoder.
pub(crate) struct EventFrame {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) payload: Bytes,
}

impl EventFrame {
    /// The event's or the exception's name.
    pub(crate) fn name(&self) -> &str {
        &self.headers[0].1
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.payload).unwrap()
    }

    /// The native chunk within.
    pub(crate) fn chunk(&self) -> String {
        use base64::Engine as _;
        let json = self.json();
        let bytes = json["bytes"].as_str().unwrap();
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(bytes).unwrap()).unwrap()
    }
}

pub(crate) async fn read(response: Response<Incoming>) -> Answered {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    let is_whole = loop {
        match body.frame().await {
            None => break true,
            Some(Ok(frame)) => bytes.extend(frame.into_data().unwrap()),
            Some(Err(_)) => break false,
        }
    };
    Answered { status: head.status, headers: head.headers, body: bytes.into(), is_whole }
}

/// A Converse body with one short user message.
pub(crate) fn hello() -> String {
    r#"{"messages":[{"role":"user","content":[{"text":"How deep is the harbour?"}]}]}"#.to_owned()
}

//! `InvokeModelWithBidirectionalStream` over HTTP/2: events go both ways at once.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use client::Mock;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mock_bedrock::event_stream::Decoder;
use serde_json::{Value, json};
use spanproof_schemas::speed::Speed;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// A request body that the test writes while it reads the answer.
struct Said(mpsc::UnboundedReceiver<Bytes>);

impl Body for Said {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|said| said.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// A conversation in progress.
struct Talk {
    say: mpsc::UnboundedSender<Bytes>,
    answer: Incoming,
    decoder: Decoder,
    status: u16,
}

impl Talk {
    async fn begin(mock: &Mock, model: &str) -> Talk {
        let stream = TcpStream::connect(mock.server.address()).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (say, said) = mpsc::unbounded_channel();
        let path = format!("/model/{model}/invoke-with-bidirectional-stream");
        let request =
            Request::post(format!("{}{path}", mock.server.endpoint())).body(Said(said)).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = response.status().as_u16();
        Talk { say, answer: response.into_body(), decoder: Decoder::default(), status }
    }

    /// Says an event, signed as the SDKs do it when `signed`: wrapped in a frame of its own.
    fn say(&self, event: &Value, signed: bool) {
        let bytes = STANDARD.encode(json!({ "event": event }).to_string());
        let text = |value: &str| HeaderValue::String(value.to_owned().into());
        let message = Message::new(json!({ "bytes": bytes }).to_string().into_bytes())
            .add_header(Header::new(":event-type", text("chunk")))
            .add_header(Header::new(":message-type", text("event")));
        let mut frame = Vec::new();
        write_message_to(&message, &mut frame).unwrap();
        if signed {
            let signature = HeaderValue::ByteArray(Bytes::from_static(&[0; 32]));
            let signed = Message::new(frame).add_header(Header::new(":chunk-signature", signature));
            frame = Vec::new();
            write_message_to(&signed, &mut frame).unwrap();
        }
        self.say.send(frame.into()).unwrap();
    }

    /// The next event, or nothing at the end.
    async fn hear(&mut self) -> Option<Value> {
        loop {
            if let Some(frame) = self.decoder.take().unwrap() {
                let payload: Value = serde_json::from_slice(&frame.payload).unwrap();
                let Some(bytes) = payload["bytes"].as_str() else { return Some(payload) };
                let json: Value = serde_json::from_slice(&STANDARD.decode(bytes).unwrap()).unwrap();
                return Some(json["event"].clone());
            }
            let frame = self.answer.frame().await?.unwrap();
            self.decoder.push(&frame.into_data().unwrap());
        }
    }

    /// Says a turn of text, and reads to the usage that ends its answer.
    async fn turn(&mut self, text: &str, signed: bool) -> Value {
        let content = json!({"promptName": "p", "contentName": text});
        let with = |more: Value| {
            let mut all = content.clone();
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        let start = with(json!({"type": "TEXT", "role": "USER"}));
        self.say(&json!({ "contentStart": start }), signed);
        self.say(&json!({"textInput": with(json!({ "content": text }))}), signed);
        self.say(&json!({ "contentEnd": content }), signed);
        loop {
            let event = self.hear().await.unwrap();
            if let Some(usage) = event.get("usageEvent") {
                return usage.clone();
            }
        }
    }
}

#[tokio::test]
async fn each_turn_is_answered_while_the_request_goes_on() {
    for (speed, signed) in [(Speed::Max, false), (Speed::Times(5_000.0), true)] {
        let mock = Mock::start(speed);
        let mut talk = Talk::begin(&mock, "amazon.nova-sonic-v1%3A0").await;
        assert_eq!(talk.status, 200);
        talk.say(&json!({"sessionStart": {"inferenceConfiguration": {"maxTokens": 40}}}), signed);
        talk.say(&json!({"promptStart": {"promptName": "p"}}), signed);
        let first = talk.turn("How deep is it?", signed).await;
        let second = talk.turn("And how wide?", signed).await;
        assert!(second["totalTokens"].as_u64() > first["totalTokens"].as_u64());
        talk.say(&json!({"promptEnd": {"promptName": "p"}}), signed);
        talk.say(&json!({"sessionEnd": {}}), signed);
        let end = talk.hear().await.unwrap();
        assert_eq!(end["completionEnd"]["stopReason"], "END_TURN");
        assert_eq!(talk.hear().await, None);
        let exchange = mock.exchange().await;
        assert!(exchange.delivered);
        assert_eq!(exchange.stop_reason.as_deref(), Some("END_TURN"));
        assert_eq!(Some(exchange.usage.output_tokens), second["totalOutputTokens"].as_u64());
        let content = exchange.content.unwrap();
        assert_eq!(content.prompt, "How deep is it?\nAnd how wide?");
        assert!(exchange.markers.iter().all(|marker| content.completion.contains(marker)));
    }
}

#[tokio::test]
async fn a_session_that_the_client_leaves_is_recorded_as_not_delivered() {
    let mock = Mock::start(Speed::Max);
    let mut talk = Talk::begin(&mock, "amazon.nova-sonic-v1%3A0").await;
    talk.say(&json!({"promptStart": {"promptName": "p"}}), false);
    talk.turn("How deep is it?", false).await;
    drop(talk);
    let exchange = mock.exchange().await;
    assert!(!exchange.delivered && exchange.usage.output_tokens > 0);
}

#[tokio::test]
async fn what_cannot_be_understood_ends_the_stream_with_an_exception() {
    let mock = Mock::start(Speed::Max);
    let mut talk = Talk::begin(&mock, "amazon.nova-sonic-v1%3A0").await;
    talk.say(&json!({"contentEnd": {"promptName": "p", "contentName": "c"}}), false);
    let exception = talk.hear().await.unwrap();
    insta::assert_snapshot!(exception, @r#"{"message":"there is no open content `c`: send contentStart first"}"#);
    assert_eq!(talk.hear().await, None);
    let exchange = mock.exchange().await;
    assert_eq!(exchange.exception.as_deref(), Some("validationException"));
    assert!(!exchange.delivered);
}

#[tokio::test]
async fn other_models_do_not_converse() {
    let mock = Mock::start(Speed::Max);
    let talk = Talk::begin(&mock, client::NOVA).await;
    assert_eq!(talk.status, 400);
    assert_eq!(mock.exchange().await.status, 400);
}

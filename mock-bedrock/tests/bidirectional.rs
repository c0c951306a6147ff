//! `InvokeModelWithBidirectionalStream` over HTTP/2: events go both ways at once.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::event_stream::sign_message;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
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
use mock_bedrock::{AccessKey, Auth, Config, Handler, InMemory, Keys};
use serde_json::{Value, json};
use spanproof_schemas::speed::Speed;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const PATH: &str = "/model/amazon.nova-sonic-v1%3A0/invoke-with-bidirectional-stream";

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
        Talk::open(mock, model, &[]).await
    }

    /// A conversation whose request has `headers`.
    async fn open(mock: &Mock, model: &str, headers: &[(String, String)]) -> Talk {
        let stream = TcpStream::connect(mock.server.address()).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (say, said) = mpsc::unbounded_channel();
        let path = format!("/model/{model}/invoke-with-bidirectional-stream");
        let mut request = Request::post(format!("{}{path}", mock.server.endpoint()));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = sender.send_request(request.body(Said(said)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        Talk { say, answer: response.into_body(), decoder: Decoder::default(), status }
    }

    /// Says an event, wrapped in a frame of its own when `signed`, with a signature that is none.
    fn say(&self, event: &Value, signed: bool) {
        let message = message(event);
        if !signed {
            return self.send(&message);
        }
        let signature = HeaderValue::ByteArray(Bytes::from_static(&[0; 32]));
        let envelope = Message::new(encoded(&message));
        self.send(&envelope.add_header(Header::new(":chunk-signature", signature)));
    }

    fn send(&self, message: &Message) {
        self.say.send(encoded(message).into()).unwrap();
    }

    /// Begins a prompt, and asks something.
    fn ask(&self) {
        for event in question() {
            self.say(&event, false);
        }
    }

    /// The names of what is left of the answer, and how it ended.
    async fn rest(mut self) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            match self.decoder.take() {
                Ok(Some(frame)) => heard.push(told(&frame)),
                Ok(None) => match self.answer.frame().await {
                    Some(Ok(frame)) => self.decoder.push(&frame.into_data().unwrap()),
                    Some(Err(_)) => {
                        let is_whole = self.decoder.finish().is_ok();
                        heard.push(if is_whole { "(cut)" } else { "(cut in a frame)" }.to_owned());
                        return heard;
                    }
                    None => return heard,
                },
                Err(_) => {
                    heard.push("(broken)".to_owned());
                    return heard;
                }
            }
        }
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

/// A session in which one thing is asked.
fn question() -> [Value; 6] {
    [
        json!({"promptStart": {"promptName": "p"}}),
        json!({"contentStart": {
            "promptName": "p", "contentName": "c", "type": "TEXT", "role": "USER",
        }}),
        json!({"textInput": {"promptName": "p", "contentName": "c", "content": "How deep?"}}),
        json!({"contentEnd": {"promptName": "p", "contentName": "c"}}),
        json!({"promptEnd": {"promptName": "p"}}),
        json!({"sessionEnd": {}}),
    ]
}

fn message(event: &Value) -> Message {
    let bytes = STANDARD.encode(json!({ "event": event }).to_string());
    let text = |value: &str| HeaderValue::String(value.to_owned().into());
    Message::new(json!({ "bytes": bytes }).to_string().into_bytes())
        .add_header(Header::new(":event-type", text("chunk")))
        .add_header(Header::new(":message-type", text("event")))
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut frame = Vec::new();
    write_message_to(message, &mut frame).unwrap();
    frame
}

/// What a frame tells: the name of the event within, or that of the frame.
fn told(frame: &mock_bedrock::event_stream::Frame) -> String {
    let named = |name: &str| frame.header(name)?.as_text().map(str::to_owned);
    let json = || {
        let payload: Value = serde_json::from_slice(&frame.payload).ok()?;
        let bytes = STANDARD.decode(payload["bytes"].as_str()?).ok()?;
        let event: Value = serde_json::from_slice(&bytes).ok()?;
        event["event"].as_object()?.keys().next().cloned()
    };
    json()
        .or_else(|| named(":event-type"))
        .or_else(|| named(":exception-type"))
        .or_else(|| named(":error-code"))
        .unwrap()
}

#[tokio::test]
async fn faults_that_damage_a_stream_damage_this_one() {
    let mut seen = Vec::new();
    for fault in [
        "",
        "cut",
        "cut:between-frames",
        "stream:throttlingException",
        "stream:error",
        "bad-crc",
        "unknown-event",
        "no-message-stop",
        "no-metadata",
        "stall=5s",
        "slow-first-byte=5s",
    ] {
        let mock = Mock::start(Speed::Times(1_000.0));
        let header = ("x-spanproof-fault".to_owned(), fault.to_owned());
        let headers = if fault.is_empty() { &[][..] } else { &[header] };
        let talk = Talk::open(&mock, "amazon.nova-sonic-v1%3A0", headers).await;
        talk.ask();
        let heard = talk.rest().await.join(" ");
        let exchange = mock.exchange().await;
        assert_eq!(exchange.fault.unwrap_or_default(), fault);
        seen.push(format!(
            "{fault}\n  {heard}\n  delivered {}, stop reason {:?}, exception {:?}",
            exchange.delivered, exchange.stop_reason, exchange.exception
        ));
    }
    insta::assert_snapshot!(seen.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_answer_pauses_in_its_middle() {
    let mut took = Vec::new();
    // At the speed that waits for nothing else, too.
    for (speed, fault) in [Speed::REAL, Speed::Max]
        .into_iter()
        .flat_map(|speed| [None, Some("stall=100s")].map(|fault| (speed, fault)))
    {
        let config = Config { seed: 7, speed, ..Config::default() };
        let handler = Handler::new(config, InMemory::default()).unwrap();
        let said: Vec<u8> = question().iter().flat_map(|event| encoded(&message(event))).collect();
        let mut request = Request::post(PATH);
        if let Some(fault) = fault {
            request = request.header("x-spanproof-fault", fault);
        }
        let began = tokio::time::Instant::now();
        handler.answer(request.body(said.into()).unwrap()).await;
        took.push(began.elapsed());
    }
    for pair in took.chunks(2) {
        assert!(pair[1] >= pair[0] + Duration::from_secs(99), "{took:?}");
    }
}

/// The headers of a signed request to open a conversation, and its signature.
fn signed(mock: &Mock, secret: &str) -> (Vec<(String, String)>, String) {
    let identity = Credentials::new("AKIAGOOD", secret, None, None, "tests").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("bedrock")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let body = SignableBody::Precomputed("STREAMING-AWS4-HMAC-SHA256-EVENTS".to_owned());
    let uri = format!("{}{PATH}", mock.server.endpoint());
    let hash = ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-EVENTS");
    let request = SignableRequest::new("POST", &uri, [hash].into_iter(), body).unwrap();
    let (instructions, signature) = sign(request, &parameters).unwrap().into_parts();
    let (headers, _) = instructions.into_parts();
    let signed = headers.iter().map(|it| (it.name().to_owned(), it.value().to_owned()));
    let all = signed.chain([(hash.0.to_owned(), hash.1.to_owned())]).collect();
    (all, signature)
}

/// What is heard when the request is signed by the right secret, and its events by `secret`.
async fn heard_of_signed(secret: Option<&str>) -> (Vec<String>, Option<String>) {
    let keys = Keys { access: vec![AccessKey::new("AKIAGOOD", "se/cr+et")], bearer: Vec::new() };
    let auth = Auth::Verify(keys);
    let mock = Mock::with(Config { speed: Speed::Max, auth, ..Config::default() });
    let (headers, mut last) = signed(&mock, "se/cr+et");
    let talk = Talk::open(&mock, "amazon.nova-sonic-v1%3A0", &headers).await;
    assert_eq!(talk.status, 200);
    match secret {
        None => talk.ask(),
        Some(secret) => {
            let identity = Credentials::new("AKIAGOOD", secret, None, None, "tests").into();
            let parameters = v4::SigningParams::builder()
                .identity(&identity)
                .region("us-east-1")
                .name("bedrock")
                .time(SystemTime::now())
                .settings(())
                .build()
                .unwrap();
            for event in question() {
                let message = message(&event);
                let (message, signature) =
                    sign_message(&message, &last, &parameters).unwrap().into_parts();
                last = signature;
                talk.send(&message);
            }
        }
    }
    let heard = talk.rest().await;
    (heard, mock.exchange().await.exception)
}

#[tokio::test]
async fn the_signature_of_each_event_is_verified() {
    let (heard, exception) = heard_of_signed(Some("se/cr+et")).await;
    assert_eq!(heard.last().unwrap(), "completionEnd");
    assert_eq!(exception, None);
    // An event by another secret, and one that is not signed at all.
    for secret in [Some("another"), None] {
        let (heard, exception) = heard_of_signed(secret).await;
        assert_eq!(heard, ["InvalidSignatureException"]);
        assert_eq!(exception.as_deref(), Some("InvalidSignatureException"));
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

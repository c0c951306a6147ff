//! Faults over real connections: what the client sees of each, and what the ledger says of it.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use bytes::Bytes;
use client::{Answered, HAIKU, Mock, NOVA, hello};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mock_bedrock::event_stream::Decoder;
use serde_json::json;
use spanproof_schemas::ledger::Exchange;
use spanproof_schemas::speed::Speed;
use tokio::net::TcpStream;

const CONVERSE: &str = "converse";
const CONVERSE_STREAM: &str = "converse-stream";
const INVOKE: &str = "invoke";
const INVOKE_STREAM: &str = "invoke-with-response-stream";

fn path(model: &str, segment: &str) -> String {
    format!("/model/{model}/{segment}")
}

/// A body that the operation takes for Claude.
fn body(segment: &str) -> String {
    if segment.starts_with("invoke") {
        json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 300,
            "messages": [{"role": "user", "content": "How deep is the harbour?"}],
        })
        .to_string()
    } else {
        hello()
    }
}

/// What the client gets when it asks for `fault`, and what the ledger says.
async fn struck(fault: &str, segment: &str) -> (Answered, Exchange) {
    let mock = Mock::start(Speed::Max);
    let headers = [("x-spanproof-fault", fault)];
    let answered = mock.post(&path(HAIKU, segment), &headers, &body(segment)).await;
    let exchange = mock.exchange().await;
    (answered, exchange)
}

#[tokio::test]
async fn every_exception_has_its_status_type_and_text() {
    let mut seen = Vec::new();
    for fault in [
        "ThrottlingException",
        "ThrottlingException:requests",
        "ThrottlingException:tokens-per-day",
        "ValidationException",
        "AccessDeniedException",
        "ResourceNotFoundException",
        "ModelTimeoutException",
        "ModelErrorException",
        "ModelStreamErrorException",
        "ModelNotReadyException",
        "InternalServerException",
        "ServiceUnavailableException",
        "ServiceQuotaExceededException",
        "UnrecognizedClientException",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "untyped:429",
    ] {
        let (answered, exchange) = struck(fault, INVOKE_STREAM).await;
        assert_eq!(exchange.fault.as_deref(), Some(fault));
        assert_eq!(exchange.status, answered.status.as_u16());
        assert_eq!((exchange.usage.total_tokens(), exchange.stop_reason), (0, None));
        assert!(exchange.delivered);
        let error_type = answered.header("x-amzn-errortype");
        let named = error_type.map(|kind| kind.split(':').next().unwrap());
        assert_eq!(exchange.exception.as_deref(), named);
        let text = String::from_utf8(answered.body.to_vec()).unwrap();
        let error_type = error_type.unwrap_or("untyped");
        seen.push(format!("{} {error_type}\n    {text}", answered.status.as_u16()));
    }
    insta::assert_snapshot!(seen.join("\n"));
}

#[tokio::test]
async fn an_exception_that_the_operation_does_not_declare_is_refused() {
    for (fault, segment) in [
        ("ConflictException", CONVERSE),
        ("ServiceQuotaExceededException", CONVERSE),
        ("ModelStreamErrorException", INVOKE),
        ("stream:modelTimeoutException", CONVERSE_STREAM),
    ] {
        let (answered, exchange) = struck(fault, segment).await;
        assert_eq!(answered.status, 400);
        let message = answered.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("x-spanproof-fault: `{fault}`")), "{message}");
        assert_eq!((exchange.fault, exchange.status), (None, 400));
    }
}

#[tokio::test]
async fn metadata_asks_for_faults_where_headers_cannot() {
    let mock = Mock::start(Speed::Max);
    let metadata = r#"{"spanproof-fault":"ModelErrorException@1","spanproof-test":"one"}"#;
    let converse = hello().replacen('{', &format!(r#"{{"requestMetadata":{metadata},"#), 1);
    let header = ("x-amzn-bedrock-request-metadata", metadata);
    for attempt in ["attempt=1; max=3", "attempt=2; max=3"] {
        let attempt = ("amz-sdk-request", attempt);
        let status = if attempt.1.starts_with("attempt=1") { 424 } else { 200 };
        let answered = mock.post(&path(HAIKU, CONVERSE), &[attempt], &converse).await;
        assert_eq!(answered.status, status);
        let invoked = mock.post(&path(HAIKU, INVOKE), &[attempt, header], &body(INVOKE)).await;
        assert_eq!(invoked.status, status);
    }
    let refused = [("x-spanproof-fault", "ThrottlingException")];
    let answered = mock.post(&path(HAIKU, CONVERSE), &refused, &converse).await;
    assert_eq!(answered.status, 429, "a header goes before metadata");
    for exchange in mock.exchanges().await {
        assert_eq!(exchange.test_id.as_deref(), Some("one"));
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_ends_cleanly() {
    for (segment, last) in [(CONVERSE_STREAM, "contentBlockStop"), (INVOKE_STREAM, "chunk")] {
        let (answered, exchange) = struck("no-message-stop", segment).await;
        assert!(answered.is_whole);
        let frames = answered.frames();
        assert_eq!(frames.last().unwrap().name(), last);
        if last == "chunk" {
            assert!(frames.last().unwrap().chunk().contains("content_block_stop"));
        }
        assert_eq!((exchange.delivered, exchange.stop_reason), (false, None));
        assert!(exchange.usage.output_tokens > 0);
    }
}

#[tokio::test]
async fn without_metadata_everything_else_is_there() {
    let (answered, exchange) = struck("no-metadata", CONVERSE_STREAM).await;
    assert_eq!(answered.frames().last().unwrap().name(), "messageStop");
    assert!(exchange.stop_reason.is_some() && !exchange.delivered);
    let (answered, _) = struck("no-metadata", INVOKE_STREAM).await;
    assert_eq!(answered.frames().last().unwrap().chunk(), r#"{"type":"message_stop"}"#);
}

#[tokio::test]
async fn one_frame_of_a_stream_has_a_wrong_checksum() {
    for segment in [CONVERSE_STREAM, INVOKE_STREAM] {
        let (answered, exchange) = struck("bad-crc", segment).await;
        assert!(answered.is_whole);
        let mut decoder = Decoder::default();
        decoder.push(&answered.body);
        let mut good = 0;
        let error = loop {
            match decoder.take() {
                Ok(frame) => good += u32::from(frame.is_some()),
                Err(error) => break error.to_string(),
            }
        };
        assert!(good > 2 && error.contains("checksum"), "{good} {error}");
        assert_eq!((exchange.delivered, exchange.stop_reason), (false, None));
    }
}

#[tokio::test]
async fn an_event_that_nobody_knows_comes_in_between() {
    let (answered, exchange) = struck("unknown-event", CONVERSE_STREAM).await;
    let frames = answered.frames();
    let at = frames.iter().position(|frame| frame.name() == "spanproofUnknownEvent").unwrap();
    assert!(at > 0 && at + 1 < frames.len());
    assert_eq!(frames.last().unwrap().name(), "metadata");
    assert!(exchange.delivered && exchange.stop_reason.is_some());
    assert_eq!(exchange.chunks.unwrap().count as usize, frames.len());
}

#[tokio::test]
async fn an_error_frame_ends_the_stream() {
    let (answered, exchange) = struck("stream:error", CONVERSE_STREAM).await;
    let frames = answered.frames();
    let last = &frames.last().unwrap().headers;
    let value = |name: &str| &last.iter().find(|(known, _)| known == name).unwrap().1;
    assert_eq!(
        (value(":message-type"), value(":error-code")),
        (&"error".to_owned(), &"InternalFailure".to_owned())
    );
    assert_eq!(exchange.exception.as_deref(), Some("InternalFailure"));
    assert!(!exchange.delivered);
}

#[tokio::test]
async fn exceptions_in_streams_tell_what_the_model_said() {
    let (answered, exchange) = struck("stream:modelStreamErrorException", INVOKE_STREAM).await;
    let frames = answered.frames();
    let payload = frames.last().unwrap().json();
    assert_eq!(payload["originalStatusCode"], 500);
    assert!(payload["originalMessage"].is_string());
    assert_eq!(exchange.exception.as_deref(), Some("modelStreamErrorException"));
    let (_, exchange) = struck("stream:modelTimeoutException", INVOKE_STREAM).await;
    assert_eq!(exchange.exception.as_deref(), Some("modelTimeoutException"));
}

/// Two requests over one connection of HTTP/2, the first with `fault`.
async fn over_h2(fault: &str, segment: &str) -> (Option<Answered>, u16, Vec<Exchange>) {
    let mock = Mock::start(Speed::Max);
    let stream = TcpStream::connect(mock.server.address()).await.unwrap();
    let (mut sender, connection) =
        http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = |fault: Option<&str>| {
        let mut request =
            Request::post(format!("{}{}", mock.server.endpoint(), path(HAIKU, segment)));
        if let Some(fault) = fault {
            request = request.header("x-spanproof-fault", fault);
        }
        request.body(Full::from(body(segment))).unwrap()
    };
    let first = match sender.send_request(request(Some(fault))).await {
        Ok(response) => Some(client::read(response).await),
        Err(_) => None,
    };
    let second = sender.send_request(request(None)).await.unwrap();
    let status = second.status().as_u16();
    second.into_body().collect().await.unwrap();
    drop(sender);
    (first, status, mock.exchanges().await)
}

#[tokio::test]
async fn over_http2_a_cut_resets_one_stream_and_leaves_the_connection() {
    for (fault, segment) in [
        ("cut", CONVERSE),
        ("cut", CONVERSE_STREAM),
        ("cut:between-frames", CONVERSE_STREAM),
        ("cut:before-headers", CONVERSE),
        ("cut:before-headers", INVOKE_STREAM),
    ] {
        let (first, status, exchanges) = over_h2(fault, segment).await;
        let is_silent = fault == "cut:before-headers";
        assert_eq!(first.is_none(), is_silent, "{fault}");
        if let Some(first) = first {
            assert!(!first.is_whole && !first.body.is_empty(), "{fault} {segment}");
        }
        assert_eq!(status, 200);
        let struck = &exchanges[0];
        assert_eq!(struck.fault.as_deref(), Some(fault));
        assert!(!struck.delivered && exchanges[1].delivered);
        assert_eq!(struck.status, if is_silent { 0 } else { 200 });
        assert_eq!(struck.usage.total_tokens() == 0, is_silent);
    }
}

#[tokio::test]
async fn a_cut_before_the_headers_leaves_nothing() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mock = Mock::start(Speed::Max);
    let mut stream = TcpStream::connect(mock.server.address()).await.unwrap();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: mock\r\nx-spanproof-fault: cut:before-headers\r\ncontent-length: {}\r\n\r\n{}",
        path(HAIKU, CONVERSE),
        hello().len(),
        hello()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    assert!(received.is_empty(), "{received:?}");
    let exchange = mock.exchange().await;
    assert_eq!((exchange.status, exchange.delivered), (0, false));
    assert_eq!((exchange.stop_reason, exchange.usage.total_tokens()), (None, 0));
}

#[tokio::test]
async fn a_cut_between_frames_leaves_whole_frames() {
    let (answered, exchange) = struck("cut:between-frames", CONVERSE_STREAM).await;
    assert!(!answered.is_whole);
    let frames = answered.frames();
    assert!(frames.len() > 2 && frames.iter().all(|frame| frame.name() != "messageStop"));
    assert_eq!((exchange.delivered, exchange.stop_reason), (false, None));
}

#[tokio::test]
async fn delays_are_simulated_time_and_real_time_where_none_passes() {
    // A simulated hour lasts a tenth of a second.
    let hour_in_a_moment = Speed::Times(36_000.0);
    let moment = std::time::Duration::from_millis(100);
    for (speed, fault, segment) in [
        (hour_in_a_moment, "slow-first-byte=1h", CONVERSE),
        (hour_in_a_moment, "slow-first-byte=1h", CONVERSE_STREAM),
        (hour_in_a_moment, "stall=1h", CONVERSE_STREAM),
        // Where nothing else is waited for, what a fault asks for is.
        (Speed::Max, "slow-first-byte=100ms", CONVERSE),
        (Speed::Max, "slow-first-byte=100ms", CONVERSE_STREAM),
        (Speed::Max, "stall=100ms", CONVERSE_STREAM),
    ] {
        let mock = Mock::start(speed);
        let post = async |fault| {
            let headers = [("x-spanproof-fault", fault)];
            mock.post(&path(HAIKU, segment), &headers, &body(segment)).await
        };
        // A fault of another attempt is none.
        let plain = post("cut@9").await;
        let began = std::time::Instant::now();
        let late = post(fault).await;
        // It may take longer, and never less.
        assert!(began.elapsed() >= moment, "{fault} {segment}");
        assert_eq!(plain.body, late.body);
        for exchange in mock.exchanges().await {
            assert!(exchange.delivered);
        }
    }
}

/// A request with a tool, and at most so many tokens.
fn with_tool(segment: &str, max_tokens: u64) -> String {
    let schema = json!({"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]});
    if segment.starts_with("invoke") {
        return json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": "How deep is the harbour?"}],
            "tools": [{"name": "depth", "input_schema": schema}],
        })
        .to_string();
    }
    json!({
        "messages": [{"role": "user", "content": [{"text": "How deep is the harbour?"}]}],
        "inferenceConfig": {"maxTokens": max_tokens},
        "toolConfig": {"tools": [{"toolSpec": {"name": "depth", "inputSchema": {"json": schema}}}]},
    })
    .to_string()
}

#[tokio::test]
async fn answers_end_for_the_reason_that_a_fault_gives() {
    let mut seen = Vec::new();
    for reason in [
        "max_tokens",
        "content_filtered",
        "guardrail_intervened",
        "malformed_model_output",
        "malformed_tool_use",
        "model_context_window_exceeded",
    ] {
        let mock = Mock::start(Speed::Max);
        let fault = format!("stop:{reason}");
        let headers = [("x-spanproof-fault", fault.as_str())];
        for model in [HAIKU, NOVA] {
            let answered =
                mock.post(&path(model, CONVERSE), &headers, &with_tool(CONVERSE, 40)).await.json();
            assert_eq!(answered["stopReason"], reason);
            let streamed =
                mock.post(&path(model, CONVERSE_STREAM), &headers, &with_tool(CONVERSE, 40)).await;
            let frames = streamed.frames();
            let stop = frames.iter().find(|frame| frame.name() == "messageStop").unwrap().json();
            assert_eq!(stop["stopReason"], reason);
            let content = &answered["output"]["message"]["content"];
            if model == HAIKU {
                seen.push(format!(
                    "{reason}: {}",
                    content[0]["text"].as_str().map_or_else(
                        || content[0]["toolUse"]["input"].to_string(),
                        ToOwned::to_owned,
                    )
                ));
            }
            assert_eq!(content.as_array().unwrap().len(), 1);
            let output = answered["usage"]["outputTokens"].as_u64().unwrap();
            assert!(output <= 40);
            assert_eq!(output == 40, reason == "max_tokens", "{reason} {output}");
        }
        let native = mock.post(&path(HAIKU, INVOKE), &headers, &with_tool(INVOKE, 40)).await;
        let word = native.json()["stop_reason"].as_str().unwrap().to_owned();
        for (number, exchange) in mock.exchanges().await.into_iter().enumerate() {
            assert_eq!(exchange.fault.as_ref(), Some(&fault));
            let said = if number == 4 { &word } else { reason };
            assert_eq!(exchange.stop_reason.as_deref(), Some(said));
            assert!(exchange.delivered && exchange.usage.output_tokens > 0);
        }
    }
    insta::assert_snapshot!(seen.join("\n"));
}

#[tokio::test]
async fn a_malformed_tool_use_needs_a_tool() {
    let (answered, exchange) = struck("stop:malformed_tool_use", CONVERSE).await;
    assert_eq!((answered.status.as_u16(), exchange.fault), (400, None));
    assert!(answered.json()["message"].as_str().unwrap().contains("offers a tool"));
}

#[tokio::test]
async fn a_stop_reason_that_nobody_knows_changes_nothing_else() {
    let (answered, exchange) = struck("unknown-stop-reason", CONVERSE).await;
    let (plain, _) = struck("unknown-stop-reason@9", CONVERSE).await;
    let (mut answered, mut plain) = (answered.json(), plain.json());
    assert_eq!(exchange.stop_reason.as_deref(), answered["stopReason"].as_str());
    for body in [&mut answered, &mut plain] {
        body["stopReason"] = json!(null);
    }
    assert_eq!(answered, plain);
    assert!(exchange.delivered);
}

#[tokio::test]
async fn server_sent_events_break_too() {
    let message = |stream: bool| {
        json!({
            "model": "anthropic.claude-3-haiku-20240307-v1:0",
            "max_tokens": 200,
            "stream": stream,
            "messages": [{"role": "user", "content": "How deep is the harbour?"}],
        })
        .to_string()
    };
    let mock = Mock::start(Speed::Max);
    let post = async |fault: &str, stream: bool| {
        let headers = [("x-spanproof-fault", fault), ("anthropic-version", "2023-06-01")];
        let answered = mock.post("/anthropic/v1/messages", &headers, &message(stream)).await;
        (answered.status.as_u16(), String::from_utf8(answered.body.to_vec()).unwrap())
    };
    let (status, body) = post("stream:throttlingException", true).await;
    assert_eq!(status, 200);
    assert!(body.ends_with("\nevent: error\n\n") && body.contains(r#""type":"error""#), "{body}");
    let (_, body) = post("no-message-stop", true).await;
    assert!(body.contains("content_block_stop") && !body.contains("message_delta"));
    let (_, body) = post("unknown-event", true).await;
    assert!(body.contains("event: spanproofUnknownEvent") && body.contains("message_stop"));
    assert_eq!(post("bad-crc", true).await.0, 400);
    assert_eq!(post("stream:throttlingException", false).await.0, 400);
    assert_eq!(post("ServiceUnavailableException", false).await.0, 503);
}

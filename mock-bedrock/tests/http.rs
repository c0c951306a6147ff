//! The mock over real connections: both protocols, faults, clients that leave, bad input.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use std::time::Duration;

use client::{HAIKU, Mock, NOVA, hello};
use http_body_util::BodyExt as _;
use mock_bedrock::{Config, InMemory, JsonLines, LedgerSink as _, Server, StartError};
use spanproof_schemas::ledger::{Operation, Record, TraceContext};
use spanproof_schemas::speed::Speed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn path(model: &str, segment: &str) -> String {
    format!("/model/{model}/{segment}")
}

#[tokio::test]
async fn both_protocols_serve_the_same_bytes_on_one_port() {
    let mock = Mock::start(Speed::Max);
    for segment in ["converse", "converse-stream"] {
        let h1 = mock.post(&path(HAIKU, segment), &[], &hello()).await;
        let h2 = mock.post_h2(&path(HAIKU, segment), &[], &hello()).await;
        assert_eq!(h1.body, h2.body);
        assert!(h1.is_whole && h2.is_whole);
        assert_ne!(h1.header("x-amzn-requestid"), h2.header("x-amzn-requestid"));
    }
    let exchanges = mock.exchanges().await;
    assert!(exchanges.iter().all(|exchange| exchange.delivered));
    assert_eq!(
        exchanges.iter().map(|exchange| exchange.sequence).collect::<Vec<_>>(),
        [0, 1, 2, 3]
    );
}

#[tokio::test]
async fn the_ledger_says_what_the_client_saw() {
    let mock = Mock::start(Speed::Max);
    let headers = [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("amz-sdk-invocation-id", "6b1e9a34-5b1d-4b0e-9d0a-111111111111"),
        ("amz-sdk-request", "attempt=2; max=3"),
    ];
    let answered = mock.post(&path(HAIKU, "converse"), &headers, &hello()).await;
    let body = answered.json();
    let exchange = mock.exchange().await;
    assert_eq!(exchange.operation, Operation::Converse);
    assert_eq!(exchange.model_id, "anthropic.claude-3-haiku-20240307-v1:0");
    assert_eq!(
        exchange.trace_context,
        Some(TraceContext {
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            span_id: "b7ad6b7169203331".to_owned(),
            sampled: true,
        })
    );
    assert_eq!(exchange.attempt, Some(2));
    assert_eq!(exchange.invocation_id.as_deref(), Some(headers[1].1));
    assert_eq!(answered.header("x-amzn-requestid"), Some(exchange.request_id.as_str()));
    assert_eq!(body["usage"]["inputTokens"], exchange.usage.input_tokens);
    assert_eq!(body["usage"]["outputTokens"], exchange.usage.output_tokens);
    assert_eq!(body["usage"]["totalTokens"], exchange.usage.total_tokens());
    assert_eq!(body["stopReason"].as_str(), exchange.stop_reason.as_deref());
    let content = exchange.content.unwrap();
    assert_eq!(body["output"]["message"]["content"][0]["text"], content.completion);
    assert_eq!(content.prompt, "How deep is the harbour?");
    assert_eq!(exchange.markers.len(), 1);
    assert!(content.completion.contains(&exchange.markers[0]));
}

#[tokio::test]
async fn prompt_markers_are_found_wherever_they_are() {
    let stem =
        spanproof_schemas::ledger::marker_stem(spanproof_schemas::ledger::MarkerKind::Prompt, 7);
    let mock = Mock::start(Speed::Max);
    let body =
        hello().replace("harbour", &format!("harbour \\\"{stem}A1\\\" or {stem}B2, {stem}A1"));
    mock.post(&path(HAIKU, "converse"), &[], &body).await;
    let exchange = mock.exchange().await;
    assert_eq!(exchange.markers[..2], [format!("{stem}A1"), format!("{stem}B2")]);
    assert!(exchange.markers[2..].iter().all(|marker| !marker.starts_with(&stem)));
}

#[tokio::test]
async fn a_second_use_of_a_prefix_is_read_from_the_cache() {
    let mock = Mock::start(Speed::Max);
    let model = "us.anthropic.claude-3-7-sonnet-20250219-v1%3A0";
    let body = format!(
        r#"{{"system":[{{"text":"{}"}},{{"cachePoint":{{"type":"default"}}}}],"messages":[{{"role":"user","content":[{{"text":"Hi"}}]}}]}}"#,
        "long ago ".repeat(600)
    );
    let written = mock.post(&path(model, "converse"), &[], &body).await.json();
    let read = mock.post(&path(model, "converse-stream"), &[], &body).await;
    let read = read.frames().last().unwrap().json();
    let tokens = written["usage"]["cacheWriteInputTokens"].as_u64().unwrap();
    assert!(tokens > 1_024, "{written}");
    assert_eq!(written["usage"]["cacheReadInputTokens"], 0);
    assert_eq!(read["usage"]["cacheReadInputTokens"], tokens);
    assert_eq!(read["usage"]["cacheReadInputTokenCount"], tokens);
    assert_eq!(read["usage"]["cacheWriteInputTokens"], 0);
    for exchange in mock.exchanges().await {
        assert_eq!(exchange.usage.all_input_tokens(), tokens + exchange.usage.input_tokens);
    }
}

#[tokio::test]
async fn every_head_fault_is_an_exception_and_is_recorded_with_its_prompt() {
    for (fault, status) in [
        ("ThrottlingException", 429),
        ("ValidationException", 400),
        ("AccessDeniedException", 403),
        ("ResourceNotFoundException", 404),
        ("ModelTimeoutException", 408),
        ("ModelErrorException", 424),
        ("InternalServerException", 500),
        ("ServiceUnavailableException", 503),
        ("ModelNotReadyException", 429),
    ] {
        let mock = Mock::start(Speed::Max);
        let headers = [("x-spanproof-fault", fault)];
        let answered = mock.post(&path(HAIKU, "converse-stream"), &headers, &hello()).await;
        assert_eq!(answered.status, status);
        let error_type = answered.header("x-amzn-errortype").unwrap();
        assert_eq!(
            error_type,
            format!("{fault}:http://internal.amazon.com/coral/com.amazon.bedrock/")
        );
        assert!(answered.json()["message"].is_string());
        let exchange = mock.exchange().await;
        assert_eq!(exchange.status, status);
        assert_eq!(exchange.exception.as_deref(), Some(fault));
        assert_eq!(exchange.fault.as_deref(), Some(fault));
        assert!(exchange.delivered);
        assert_eq!(exchange.usage.total_tokens(), 0);
        assert_eq!(exchange.content.unwrap().prompt, "How deep is the harbour?");
    }
}

#[tokio::test]
async fn a_first_attempt_fault_lets_the_retry_through() {
    let mock = Mock::start(Speed::Max);
    let fault = ("x-spanproof-fault", "ThrottlingException@1");
    let first = [fault, ("amz-sdk-request", "attempt=1; max=3")];
    let second = [fault, ("amz-sdk-request", "attempt=2; max=3")];
    assert_eq!(mock.post(&path(HAIKU, "converse"), &first, &hello()).await.status, 429);
    assert_eq!(mock.post(&path(HAIKU, "converse"), &second, &hello()).await.status, 200);
    // The SDK of Anthropic counts its retries in a header of its own.
    for (count, status) in [("0", 429), ("1", 200), ("nonsense", 429)] {
        let headers = [fault, ("x-stainless-retry-count", count)];
        let answered = mock.post(&path(HAIKU, "converse"), &headers, &hello()).await;
        assert_eq!(answered.status, status, "{count}");
    }
    let exchanges = mock.exchanges().await;
    assert_eq!(exchanges[0].fault.as_deref(), Some("ThrottlingException"));
    assert_eq!(exchanges[1].fault, None);
}

#[tokio::test]
async fn the_throttled_body_is_byte_exact() {
    let mock = Mock::start(Speed::Max);
    let headers = [("x-spanproof-fault", "ThrottlingException")];
    let answered = mock.post(&path(HAIKU, "converse"), &headers, &hello()).await;
    assert_eq!(answered.body, r#"{"message":"Too many tokens, please wait before trying again."}"#);
    assert_eq!(answered.header("content-length"), Some("63"));
}

#[tokio::test]
async fn an_exception_in_a_stream_follows_a_few_events() {
    for name in [
        "throttlingException",
        "modelStreamErrorException",
        "internalServerException",
        "validationException",
        "serviceUnavailableException",
    ] {
        let mock = Mock::start(Speed::Max);
        let fault = format!("stream:{name}");
        let headers = [("x-spanproof-fault", fault.as_str())];
        let answered = mock.post(&path(HAIKU, "converse-stream"), &headers, &hello()).await;
        assert!(answered.is_whole);
        let frames = answered.frames();
        let last = frames.last().unwrap();
        assert_eq!(
            last.headers,
            [
                (":exception-type".to_owned(), name.to_owned()),
                (":content-type".to_owned(), "application/json".to_owned()),
                (":message-type".to_owned(), "exception".to_owned()),
            ]
        );
        assert!(last.json()["message"].is_string());
        assert!(frames[..frames.len() - 1].iter().any(|frame| frame.name() == "contentBlockDelta"));
        let exchange = mock.exchange().await;
        assert_eq!((exchange.status, exchange.delivered), (200, false));
        assert_eq!(exchange.exception.as_deref(), Some(name));
        assert_eq!(exchange.chunks.unwrap().count as usize, frames.len());
        assert_eq!(exchange.stop_reason, None);
    }
}

#[tokio::test]
async fn a_cut_drops_the_connection_in_the_middle() {
    for segment in ["converse", "converse-stream"] {
        let mock = Mock::start(Speed::Max);
        let headers = [("x-spanproof-fault", "cut")];
        let h1 = mock.post(&path(HAIKU, segment), &headers, &hello()).await;
        let h2 = mock.post_h2(&path(HAIKU, segment), &headers, &hello()).await;
        for answered in [&h1, &h2] {
            assert!(!answered.is_whole, "{segment}");
            assert!(!answered.body.is_empty(), "{segment}");
        }
        assert_eq!(h1.body, h2.body);
        if segment == "converse-stream" {
            // In the middle of a frame: HTTP/2 clients take anything else for an end.
            let mut rest = h1.body.clone();
            while aws_smithy_eventstream::frame::read_message_from(&mut rest).is_ok() {}
            assert!(!rest.is_empty());
        }
        for exchange in mock.exchanges().await {
            assert_eq!(exchange.fault.as_deref(), Some("cut"));
            assert!(!exchange.delivered);
        }
    }
}

#[tokio::test]
async fn without_metadata_a_stream_tells_no_usage() {
    for (segment, body, last) in [
        ("converse-stream", hello(), "messageStop"),
        ("invoke-with-response-stream", claude_hello(), "chunk"),
    ] {
        let mock = Mock::start(Speed::Max);
        let headers = [("x-spanproof-fault", "no-metadata")];
        let answered = mock.post(&path(HAIKU, segment), &headers, &body).await;
        let frames = answered.frames();
        assert_eq!(frames.last().unwrap().name(), last);
        if last == "chunk" {
            assert_eq!(frames.last().unwrap().chunk(), r#"{"type":"message_stop"}"#);
        }
        assert!(!mock.exchange().await.delivered);
    }
}

fn claude_hello() -> String {
    r#"{"anthropic_version":"x","max_tokens":64,"messages":[{"role":"user","content":"Hi"}]}"#
        .to_owned()
}

#[tokio::test]
async fn a_client_that_leaves_is_recorded_as_not_delivered() {
    // Slow enough that the client is gone long before the answer is over.
    let mock = Mock::start(Speed::Times(0.01));
    let stream = tokio::net::TcpStream::connect(mock.server.address()).await.unwrap();
    let mut stream = stream;
    let body = hello();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: mock\r\ncontent-length: {}\r\n\r\n{body}",
        path(HAIKU, "converse"),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    while mock.ledger.exchanges().is_empty() {
        stream.shutdown().await.ok();
        tokio::task::yield_now().await;
    }
    let exchange = mock.exchange().await;
    assert!(!exchange.delivered);
    assert_eq!(exchange.status, 0);
    assert_eq!(exchange.usage.total_tokens(), 0);
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_is_charged_for_what_it_got() {
    let mock = Mock::start(Speed::Times(2.0));
    let response = mock.send(&path(NOVA, "converse-stream"), &[], &hello()).await;
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    while mock.ledger.exchanges().is_empty() {
        tokio::task::yield_now().await;
    }
    let exchange = mock.exchange().await;
    assert!(!exchange.delivered);
    assert_eq!(exchange.status, 200);
    assert!(exchange.usage.input_tokens > 0);
    assert!(exchange.chunks.unwrap().count >= 1);
    let whole = Mock::start(Speed::Max);
    whole.post(&path(NOVA, "converse-stream"), &[], &hello()).await;
    assert!(exchange.usage.output_tokens < whole.exchange().await.usage.output_tokens);
}

/// At every speed, for it is to show whether the client is still there.
#[tokio::test]
async fn the_last_frame_of_a_stream_is_held_back_where_that_is_asked_for() {
    let whole = Mock::start(Speed::Max);
    let answer = whole.post(&path(NOVA, "converse-stream"), &[], &hello()).await.body;
    let frames = whole.exchange().await.chunks.unwrap().count;
    // A frame begins with its length.
    let mut last = &answer[..];
    while let Some(length) = last.first_chunk().map(|length| u32::from_be_bytes(*length) as usize)
        && length < last.len()
    {
        last = &last[length..];
    }

    let last_frame_delay = Duration::from_hours(1);
    let mock =
        Mock::with(Config { seed: 7, speed: Speed::Max, last_frame_delay, ..Config::default() });
    let response = mock.send(&path(NOVA, "converse-stream"), &[], &hello()).await;
    let mut body = response.into_body();
    let mut read = 0;
    while read < answer.len() - last.len() {
        read += body.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    assert_eq!(read, answer.len() - last.len());
    drop(body);
    while mock.ledger.exchanges().is_empty() {
        tokio::task::yield_now().await;
    }
    let exchange = mock.exchange().await;
    assert!(!exchange.delivered);
    assert_eq!(exchange.chunks.unwrap().count + 1, frames);
}

#[tokio::test]
async fn bad_input_gets_the_service_s_own_words() {
    let mock = Mock::start(Speed::Max);
    let long = format!(r#"{{"messages":[],"x":"{}"}}"#, "a".repeat(25_000_000));
    let mut seen = Vec::new();
    for (model, segment, body) in [
        (HAIKU, "converse", "{"),
        (HAIKU, "converse", "[]"),
        (HAIKU, "converse", "\u{0}"),
        (HAIKU, "converse", r#"{"messages":[]}"#),
        (HAIKU, "converse", r#"{"messages":[{"role":"assistant","content":[{"text":"a"}]}]}"#),
        (HAIKU, "converse", r#"{"messages":[{"role":"user","content":[]}]}"#),
        (HAIKU, "converse", r#"{"messages":[{"role":"user","content":[{"text":" "}]}]}"#),
        (
            HAIKU,
            "converse",
            r#"{"messages":[{"role":"user","content":[{"text":"a"}]}],"inferenceConfig":{"maxTokens":5000}}"#,
        ),
        (
            HAIKU,
            "converse",
            r#"{"messages":[{"role":"user","content":[{"text":"a"}]}],"inferenceConfig":{"maxTokens":0}}"#,
        ),
        (HAIKU, "converse", long.as_str()),
        (HAIKU, "invoke", r#"{"anthropic_version":"x","messages":[]}"#),
        (HAIKU, "invoke", r#"{"anthropic_version":"x","max_tokens":9,"messages":[]}"#),
        ("nope", "converse", "{}"),
        ("us.nope", "converse", "{}"),
        ("anthropic.claude-3-7-sonnet-20250219-v1%3A0", "converse", "{}"),
        ("arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fnope", "converse", "{}"),
        ("%ff", "converse", "{}"),
        (HAIKU, "guess", "{}"),
    ] {
        let answered = mock.post(&path(model, segment), &[], body).await;
        assert!(answered.is_whole);
        let error_type = answered.header("x-amzn-errortype").unwrap().to_owned();
        let message = answered.json()["message"].as_str().unwrap().to_owned();
        seen.push(format!(
            "{} {}: {message}",
            answered.status.as_u16(),
            error_type.split(':').next().unwrap()
        ));
    }
    mock.server.shutdown().await.unwrap();
    insta::assert_snapshot!(seen.join("\n"));
}

#[tokio::test]
async fn what_is_not_http_does_no_harm() {
    let mock = Mock::start(Speed::Max);
    for bytes in
        [&b"\x16\x03\x01\x02\x00"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense", b"GET\r\n\r\n"]
    {
        let mut stream = tokio::net::TcpStream::connect(mock.server.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A reset is as good an answer as any.
        let _ = stream.read_to_end(&mut answer).await;
    }
    assert_eq!(mock.post(&path(HAIKU, "converse"), &[], &hello()).await.status, 200);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let mock = Mock::start(Speed::Max);
    let config = Config { listen: mock.server.address(), ..Config::default() };
    let error = Server::start(config, InMemory::default()).unwrap_err();
    assert!(matches!(error, StartError::PortInUse(address) if address == mock.server.address()));
    assert!(error.to_string().contains(&mock.server.address().to_string()));
}

#[tokio::test]
async fn a_speed_that_is_no_speed_is_refused() {
    for times in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = Config { speed: Speed::Times(times), ..Config::default() };
        assert!(matches!(Server::start(config, InMemory::default()), Err(StartError::Config(_))));
    }
}

#[tokio::test]
async fn the_ledger_file_has_every_record() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.jsonl");
    let config = Config { speed: Speed::Max, ..Config::default() };
    let server = Server::start(config, JsonLines::create(&file).unwrap()).unwrap();
    let mock = Mock { server, ledger: InMemory::default() };
    for _ in 0..50 {
        mock.post(&path(HAIKU, "converse"), &[], &hello()).await;
    }
    mock.server.shutdown().await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let records: Vec<Record> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(matches!(records[0], Record::Run(_)));
    assert_eq!(records.len(), 51);
}

#[test]
fn a_ledger_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = JsonLines::create(folder.path().join("none").join("ledger.jsonl")).unwrap_err();
    assert!(error.to_string().contains("ledger.jsonl"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_by_the_flush() {
    let sink = JsonLines::create("/dev/full").unwrap();
    for _ in 0..3 {
        sink.record(&Record::Exchange(Box::default()));
    }
    let told = sink.flush().unwrap_err().to_string();
    assert!(told.contains("/dev/full lacks 3 of 3 records"), "{told}");
}

#[tokio::test]
async fn headers_come_in_the_order_of_the_service() {
    let mock = Mock::start(Speed::Max);
    let model = "us.anthropic.claude-3-7-sonnet-20250219-v1%3A0";
    let mut seen = Vec::new();
    for (segment, body) in [
        ("invoke", claude_hello()),
        ("invoke-with-response-stream", claude_hello()),
        ("converse", hello()),
    ] {
        let answered = mock.post(&path(model, segment), &[], &body).await;
        let names: Vec<&str> = answered.headers.keys().map(http::HeaderName::as_str).collect();
        seen.push(format!("{segment}: {}", names.join(" ")));
    }
    insta::assert_snapshot!(seen.join("\n"));
}

#[tokio::test]
async fn the_order_of_members_in_documents_makes_no_difference() {
    let body = |schema: &str, input: &str| {
        format!(
            r#"{{"messages":[{{"role":"user","content":[{{"text":"Hi"}}]}},{{"role":"assistant","content":[{{"toolUse":{{"toolUseId":"a","name":"t","input":{input}}}}}]}},{{"role":"user","content":[{{"text":"So?"}}]}}],"toolConfig":{{"tools":[{{"toolSpec":{{"name":"t","inputSchema":{{"json":{schema}}}}}}}]}}}}"#
        )
    };
    let mock = Mock::start(Speed::Max);
    let one = body(r#"{"type":"object","required":["a"]}"#, r#"{"b":1,"c":{"d":2,"e":3}}"#);
    let other = body(r#"{"required":["a"],"type":"object"}"#, r#"{"c":{"e":3,"d":2},"b":1}"#);
    let one = mock.post(&path(HAIKU, "converse"), &[], &one).await;
    let other = mock.post(&path(HAIKU, "converse"), &[], &other).await;
    assert_eq!(one.status, 200);
    assert_eq!(one.body, other.body);
}

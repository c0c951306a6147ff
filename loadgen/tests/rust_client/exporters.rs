//! Receivers that refuse, throttle or hang: losses are told, and nothing hangs.

use std::time::Duration;

use loadgen::rust_client::{ExportOptions, OtlpProtocol};
use loadgen::{Client as _, ClientError, ClientErrorKind, RustClient, RustClientConfig};
use mock_bedrock::{InMemory, Server};
use spanproof_schemas::semconv::Version;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::worker::Call;
use spanproof_schemas::worker::Operation;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Makes five calls whose telemetry goes to `receiver`, and finishes.
async fn finish_against(receiver: &MockServer, timeout: Duration) -> Result<(), ClientError> {
    let config = mock_bedrock::Config { speed: Speed::Max, ..mock_bedrock::Config::default() };
    let mock = Server::start(config, InMemory::default()).unwrap();
    let config = RustClientConfig {
        bedrock_endpoint: mock.endpoint(),
        otlp_endpoint: receiver.uri(),
        semconv: Version::LATEST,
        content: false,
        speed: Speed::Max,
    };
    let options = ExportOptions { protocol: OtlpProtocol::HttpProtobuf, timeout };
    let client = RustClient::start_exporting(config, options).unwrap();
    for call in 0..5 {
        let done = client.call(Call {
            call,
            operation: Operation::InvokeModel,
            model_id: "amazon.titan-embed-text-v2:0".to_owned(),
            request: serde_json::json!({ "inputText": "Hello" }),
            headers: vec![],
        });
        assert_eq!(done.await.unwrap().error, None);
    }
    client.finish().await
}

async fn receiver(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_carries_both_signals_as_protobuf() {
    let server = MockServer::start().await;
    for signal in ["/v1/traces", "/v1/metrics"] {
        Mock::given(path(signal))
            .and(header("content-type", "application/x-protobuf"))
            .respond_with(ResponseTemplate::new(200))
            .expect(1..)
            .mount(&server)
            .await;
    }
    assert_eq!(finish_against(&server, Duration::from_secs(10)).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_refuses_is_told_as_a_loss() {
    for status in [400, 500] {
        let server = receiver(ResponseTemplate::new(status)).await;
        let error = finish_against(&server, Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(error.kind, ClientErrorKind::TelemetryLost);
        assert!(error.message.contains("5 of 5 spans could not be exported"), "{error}");
        assert!(error.message.contains("metrics could not be exported"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_throttles_for_a_moment_gets_everything() {
    for status in [429, 503] {
        let server = MockServer::start().await;
        let busy = ResponseTemplate::new(status).insert_header("retry-after", "0");
        Mock::given(method("POST")).respond_with(busy).up_to_n_times(1).mount(&server).await;
        Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        assert_eq!(finish_against(&server, Duration::from_secs(10)).await, Ok(()), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_throttles_for_good_is_told_as_a_loss() {
    let server = receiver(ResponseTemplate::new(503).insert_header("retry-after", "3600")).await;
    let error = finish_against(&server, Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(error.kind, ClientErrorKind::TelemetryLost);
    assert!(error.message.contains("5 of 5 spans"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_hangs_is_left_after_the_timeout() {
    let server = receiver(ResponseTemplate::new(200).set_delay(Duration::from_hours(1))).await;
    let error = finish_against(&server, Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(error.kind, ClientErrorKind::TelemetryLost);
    assert!(error.message.contains("5 of 5 spans"), "{error}");
}

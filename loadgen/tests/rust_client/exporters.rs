//! Receivers that refuse, throttle or hang: losses are told, and nothing hangs.

use std::time::Duration;

use loadgen::delivery::Retrying;
use loadgen::otlp::OtlpProtocol;
use loadgen::rust_client::ExportOptions;
use loadgen::{Client as _, ClientError, ClientErrorKind, Clock, RustClient, RustClientConfig};
use mock_bedrock::{InMemory, Server};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use spanproof_schemas::semconv::Version;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::worker::Call;
use spanproof_schemas::worker::Operation;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::collector::Collector;

/// Makes five calls whose telemetry goes to `receiver`, and finishes.
async fn finish_against(receiver: &MockServer, timeout: Duration) -> Result<(), ClientError> {
    finished_against(&receiver.uri(), OtlpProtocol::HttpProtobuf, timeout).await.1
}

/// The same, with the client, for its books.
async fn finished_against(
    receiver: &str,
    protocol: OtlpProtocol,
    timeout: Duration,
) -> (RustClient, Result<(), ClientError>) {
    let mock = mock();
    let retrying = Retrying { attempt: timeout, whole: timeout, ..Retrying::default() };
    let options = ExportOptions { protocol, retrying };
    let client = client(&mock, receiver, false, options);
    make_calls(&client, 5).await;
    let finished = client.finish().await;
    (client, finished)
}

/// Makes so many calls, which end well.
async fn make_calls(client: &RustClient, calls: u64) {
    for call in 0..calls {
        let done = client.call(Call {
            call,
            operation: Operation::InvokeModel,
            model_id: "amazon.titan-embed-text-v2:0".to_owned(),
            request: serde_json::json!({ "inputText": "Hello" }),
            headers: vec![],
        });
        assert_eq!(done.await.unwrap().error, None);
    }
}

fn mock() -> Server {
    let config = mock_bedrock::Config { speed: Speed::Max, ..mock_bedrock::Config::default() };
    Server::start(config, InMemory::default()).unwrap()
}

fn client(mock: &Server, receiver: &str, content: bool, options: ExportOptions) -> RustClient {
    let config = RustClientConfig {
        bedrock_endpoint: mock.endpoint(),
        otlp_endpoint: receiver.to_owned(),
        semconv: Version::LATEST,
        content,
        speed: Speed::Max,
        clock: Clock::system(),
    };
    RustClient::start_exporting(config, options).unwrap()
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_say_what_became_of_each_span_whatever_the_receiver_does() {
    let partial = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 2,
            error_message: "too long".to_owned(),
        }),
    };
    let (forever, soon) = (Duration::from_hours(1), Duration::from_millis(300));
    let answer = ResponseTemplate::new;
    for (name, answer, timeout, [exported, rejected, failed]) in [
        ("takes", answer(200), forever, [5, 0, 0]),
        ("takes in part", answer(200).set_body_bytes(partial.encode_to_vec()), forever, [3, 2, 0]),
        ("answers what is no OTLP", answer(200).set_body_string("thanks"), forever, [5, 0, 0]),
        ("refuses", answer(400), forever, [0, 5, 0]),
        ("throttles", answer(429).insert_header("retry-after", "7200"), forever, [0, 0, 5]),
        ("hangs", answer(200).set_delay(forever), soon, [0, 0, 5]),
    ] {
        let server = receiver(answer).await;
        let (client, _) =
            finished_against(&server.uri(), OtlpProtocol::HttpProtobuf, timeout).await;
        let books = client.accounting().unwrap();
        assert_eq!(
            [books.created, books.exported, books.rejected, books.failed, books.dropped],
            [5, exported, rejected, failed, 0],
            "{name}"
        );
        assert_eq!(books.imbalance(), 0, "{name}");
        assert_eq!(books.unanswered > 0, name == "hangs", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_dies_and_comes_back_has_each_span_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let collector = Collector::default();
    let comes_back = collector.clone();
    tokio::spawn(async move {
        // Dies with the first connections, each at another point, and then comes back.
        for bytes in [0, 1, 200] {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut taken = vec![0; bytes];
            let _ = connection.read_exact(&mut taken).await;
        }
        comes_back.serve(listener).await;
    });
    let forever = Duration::from_mins(10);
    let (client, finished) = finished_against(&uri, OtlpProtocol::Grpc, forever).await;
    assert_eq!(finished, Ok(()));
    let books = client.accounting().unwrap();
    assert_eq!((books.created, books.exported, books.imbalance()), (5, 5, 0));
    assert!(books.retried > 0, "{books:?}");
    assert_eq!(collector.spans().len(), 5);
    assert_eq!(books.mismatch(5), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_that_a_receiver_asks_for_over_grpc_is_kept_and_what_it_left_is_told() {
    let (collector, address) = Collector::start().await;
    collector.answer_first(Status::with_error_details(
        tonic::Code::ResourceExhausted,
        "slow down",
        ErrorDetails::with_retry_info(Some(Duration::from_millis(1))),
    ));
    let uri = format!("http://{address}");
    let forever = Duration::from_mins(10);
    let (client, finished) = finished_against(&uri, OtlpProtocol::Grpc, forever).await;
    assert_eq!(finished, Ok(()));
    let books = client.accounting().unwrap();
    assert_eq!((books.exported, books.retried, books.unanswered), (5, 5, 0));

    // Without a delay it is for good.
    collector.answer_first(Status::resource_exhausted("the quota of the day is used up"));
    let (client, finished) = finished_against(&uri, OtlpProtocol::Grpc, forever).await;
    let said = finished.unwrap_err().to_string();
    assert!(said.contains("5 rejected") && said.contains("quota of the day"), "{said}");
    assert_eq!(client.accounting().unwrap().rejected, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_that_are_large_together_leave_in_several_requests() {
    // A receiver of gRPC takes four mebibytes at a time, unless it is told otherwise.
    let (collector, address) = Collector::start().await;
    let mock = mock();
    let options = ExportOptions::default();
    let client = client(&mock, &format!("http://{address}"), true, options);
    let calls: u64 = 6;
    for call in 0..calls {
        let text = "word ".repeat(300_000);
        let messages = serde_json::json!([{ "role": "user", "content": [{ "text": text }] }]);
        let done = client.call(Call {
            call,
            operation: Operation::Converse,
            model_id: "amazon.nova-lite-v1:0".to_owned(),
            request: serde_json::json!({ "messages": messages }),
            headers: vec![],
        });
        done.await.unwrap();
    }
    assert_eq!(client.finish().await, Ok(()));
    let books = client.accounting().unwrap();
    assert_eq!((books.created, books.exported, books.unanswered), (calls, calls, 0));
    let sizes: Vec<usize> = collector.spans().iter().map(|(span, _)| span.encoded_len()).collect();
    assert!(sizes.iter().sum::<usize>() > 8 << 20, "more than two requests hold: {sizes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_is_in_the_books_as_dropped() {
    let server = receiver(ResponseTemplate::new(200).set_delay(Duration::from_hours(1))).await;
    let mock = mock();
    let forever = Duration::from_hours(1);
    let retrying = Retrying { attempt: forever, whole: forever, ..Retrying::default() };
    let options = ExportOptions { protocol: OtlpProtocol::HttpProtobuf, retrying };
    let client = client(&mock, &server.uri(), false, options);
    make_calls(&client, 3).await;
    client.abandon().await;
    let books = client.accounting().unwrap();
    assert_eq!((books.created, books.dropped, books.imbalance()), (3, 3, 0));
}

//! What becomes of spans, whatever the receiver does.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use loadgen::accounting::Accounting;
use loadgen::delivery::Retrying;
use loadgen::otlp::{Compression, Exporter, Header, OtlpConfig, OtlpProtocol};

use super::receiver::{Receiver, Temper};
use super::{PROTOCOLS, config, exported, requests, send};
use tokio_util::sync::CancellationToken;

/// The books of a receiver of these tempers, and what it has.
async fn books(protocol: OtlpProtocol, tempers: &[Temper]) -> (Accounting, Vec<String>, u64) {
    let receiver = Receiver::start(protocol, tempers, 0).await;
    let (books, errors) = exported(&config(receiver.endpoint.clone(), protocol)).await;
    assert_eq!(books.mismatch(receiver.spans()), None);
    (books, errors, receiver.spans())
}

const ALL: Accounting = Accounting {
    created: 40,
    exported: 40,
    rejected: 0,
    dropped: 0,
    failed: 0,
    retried: 0,
    unanswered: 0,
};

#[tokio::test]
async fn a_receiver_that_takes_everything_has_everything() {
    for protocol in PROTOCOLS {
        assert_eq!(books(protocol, &[]).await, (ALL, vec![], 40));
    }
}

#[tokio::test]
async fn a_receiver_that_throttles_or_restarts_is_asked_again() {
    for protocol in PROTOCOLS {
        for temper in [Temper::Throttles, Temper::Unavailable] {
            let told = books(protocol, &[temper, temper, Temper::Takes, temper]).await;
            assert_eq!(told, (Accounting { retried: 30, ..ALL }, vec![], 40), "{temper:?}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_rejected_and_told() {
    for (protocol, why) in PROTOCOLS.into_iter().zip(["InvalidArgument: no", "400 Bad Request"]) {
        let told = books(protocol, &[Temper::Takes, Temper::Refuses]).await;
        let wanted = Accounting { exported: 30, rejected: 10, ..ALL };
        assert_eq!(told, (wanted, vec![why.to_owned()], 30));
    }
}

#[tokio::test]
async fn the_rest_of_a_partial_success_is_rejected() {
    for protocol in PROTOCOLS {
        let told = books(protocol, &[Temper::TakesAllBut(3)]).await;
        let wanted = Accounting { exported: 37, rejected: 3, ..ALL };
        assert_eq!(told, (wanted, vec!["too long".to_owned()], 37));
    }
}

#[tokio::test]
async fn what_is_never_answered_has_failed() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(protocol, &[Temper::Hangs; 100], 0).await;
        let retrying = Retrying {
            attempt: Duration::from_millis(5),
            whole: Duration::from_millis(5),
            ..super::QUICK
        };
        let config = OtlpConfig { retrying, ..config(receiver.endpoint.clone(), protocol) };
        let (books, errors) = exported(&config).await;
        assert_eq!((books.failed, books.exported, receiver.spans()), (40, 0, 0));
        assert!(errors[0].starts_with("no answer within"), "{errors:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_up_and_comes_back_has_everything() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(protocol, &[], 3).await;
        let (books, _) = exported(&config(receiver.endpoint.clone(), protocol)).await;
        assert_eq!((books.exported, receiver.spans()), (40, 40), "{books:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_was_given_up_and_comes_back_has_what_comes_after() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(protocol, &[Temper::Hangs; 4], 0).await;
        let moment = Duration::from_millis(5);
        let retrying = Retrying { attempt: moment, whole: moment, ..super::QUICK };
        let config = OtlpConfig { retrying, ..config(receiver.endpoint.clone(), protocol) };
        let exporter = Exporter::start(&config).unwrap();
        // However long a machine takes: a request is tried now and then, until one is taken.
        while exporter.books().read().exported == 0 {
            for request in requests() {
                send(&exporter, request).await;
            }
            tokio::task::yield_now().await;
        }
        let before = exporter.books().read();
        assert!(before.failed >= 30, "three requests at least were tried in vain: {before:?}");
        let (books, _) = exporter.finish(&CancellationToken::new()).await;
        assert_eq!((books.imbalance(), books.mismatch(receiver.spans())), (0, None), "{books:?}");
    }
}

#[tokio::test]
async fn nobody_there_fails_everything_and_is_told() {
    for protocol in PROTOCOLS {
        let gone = Receiver::start(protocol, &[], 0).await.endpoint.clone();
        let retrying = Retrying { whole: Duration::ZERO, ..super::QUICK };
        let (books, errors) = exported(&OtlpConfig { retrying, ..config(gone, protocol) }).await;
        // After three requests it is given up.
        assert_eq!((books.failed + books.dropped, books.exported), (40, 0));
        assert!(books.failed >= 30, "{books:?}");
        assert_eq!(errors[0].matches("refused").count(), 1, "{errors:?}");
        assert_eq!(errors.len(), 1, "what is said again and again is told once: {errors:?}");
    }
}

#[tokio::test]
async fn what_is_given_up_is_dropped() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(protocol, &[Temper::Hangs; 100], 0).await;
        let exporter = Exporter::start(&config(receiver.endpoint.clone(), protocol)).unwrap();
        for request in requests().into_iter().take(2) {
            send(&exporter, request).await;
        }
        let abandon = CancellationToken::new();
        abandon.cancel();
        let (books, _) = exporter.finish(&abandon).await;
        assert_eq!((books.created, books.dropped, books.imbalance()), (20, 20, 0));
    }
}

#[tokio::test]
async fn compression_headers_and_tenant_reach_the_receiver() {
    for protocol in PROTOCOLS {
        for (compression, word) in [(Compression::Gzip, "gzip"), (Compression::Zstd, "zstd")] {
            let receiver = Receiver::start(protocol, &[], 0).await;
            let headers = vec![
                Header::tenant("acme").unwrap(),
                "authorization=Bearer secret".parse().unwrap(),
            ];
            let config =
                OtlpConfig { compression, headers, ..config(receiver.endpoint.clone(), protocol) };
            let (books, errors) = exported(&config).await;
            assert_eq!((books, errors), (ALL, vec![]));
            assert_eq!(receiver.header("x-scope-orgid"), ["acme"; 4]);
            assert_eq!(receiver.header("authorization"), ["Bearer secret"; 4]);
            let name = match protocol {
                OtlpProtocol::Grpc => "grpc-encoding",
                OtlpProtocol::HttpProtobuf => "content-encoding",
            };
            assert_eq!(receiver.header(name), [word; 4]);
        }
    }
}

#[tokio::test]
async fn several_connections_share_the_work_and_lose_nothing() {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start(protocol, &[], 0).await;
        let config = OtlpConfig { connections: 3, ..config(receiver.endpoint.clone(), protocol) };
        let exporter = Exporter::start(&config).unwrap();
        for _ in 0..20 {
            for request in requests() {
                send(&exporter, request).await;
            }
        }
        let (books, _) = exporter.finish(&CancellationToken::new()).await;
        assert_eq!((books.exported, receiver.spans()), (800, 800));
        assert!((1..=3).contains(&receiver.connections()));
    }
}

#[tokio::test]
async fn requests_that_hang_on_some_connections_leave_by_the_others() {
    for (protocol, exports) in PROTOCOLS.into_iter().zip([2, 1]) {
        // Two connections have all that they can have under way, and get no answer.
        let hanging = vec![Temper::Hangs; 2 * exports];
        let receiver = Receiver::start(protocol, &hanging, 0).await;
        let config = OtlpConfig { connections: 3, ..config(receiver.endpoint.clone(), protocol) };
        let exporter = Exporter::start(&config).unwrap();
        let more = requests().into_iter().chain(requests());
        for request in more.take(hanging.len() + 1) {
            send(&exporter, request).await;
        }
        while exporter.books().read().exported == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!((receiver.spans(), receiver.connections()), (10, 3));
        let abandon = CancellationToken::new();
        abandon.cancel();
        let (books, _) = exporter.finish(&abandon).await;
        assert_eq!((books.exported, books.imbalance()), (10, 0), "{books:?}");
    }
}

#[tokio::test]
async fn a_status_that_comes_after_an_answer_of_grpc_is_heeded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(|request: Request<Incoming>| async move {
            request.into_body().collect().await?;
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("3"));
            trailers.insert("grpc-message", HeaderValue::from_static("too late"));
            // An empty message comes first, as if all had been taken.
            let message = Full::new(Bytes::from_static(&[0; 5]));
            let body = message.with_trailers(async move { Some(Ok(trailers)) });
            let response = Response::builder().header("content-type", "application/grpc");
            Ok::<_, hyper::Error>(response.body(body).unwrap())
        });
        let serving = http2::Builder::new(TokioExecutor::new());
        drop(serving.serve_connection(TokioIo::new(stream), service).await);
    });
    let (books, errors) = exported(&config(endpoint, OtlpProtocol::Grpc)).await;
    assert_eq!((books.exported, books.rejected), (0, 40), "{books:?}");
    assert_eq!(errors, ["InvalidArgument: too late"]);
}

#[test]
fn an_endpoint_that_is_none_is_told() {
    for endpoint in
        ["", "localhost:4317", "ftp://a", "http://", "http://a:b", "http://a:b@c", "https://"]
    {
        let error =
            Exporter::start(&OtlpConfig::new(endpoint)).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.contains("is no URL of a receiver"), "{endpoint}: {error}");
    }
}

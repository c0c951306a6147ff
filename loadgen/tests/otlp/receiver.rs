//! A receiver that answers as it is told, over gRPC and HTTP alike.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use loadgen::otlp::OtlpProtocol;

/// What a receiver does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Temper {
    Takes,
    /// Takes all but so many spans.
    TakesAllBut(i64),
    /// Wants to be asked again, at once.
    Throttles,
    /// Is not there for a while.
    Unavailable,
    Refuses,
    /// Never answers.
    Hangs,
}

/// A receiver; dropping it ends it.
pub(crate) struct Receiver {
    pub(crate) endpoint: String,
    seen: Arc<Seen>,
    serving: tokio::task::JoinHandle<()>,
}

/// What came.
#[derive(Default)]
struct Seen {
    /// What is done with the next requests; after the last of them, all are taken.
    tempers: Mutex<VecDeque<Temper>>,
    spans: Mutex<u64>,
    headers: Mutex<Vec<http::HeaderMap>>,
    connections: Mutex<u64>,
}

impl Receiver {
    /// Starts one that is of these tempers in turn. It hangs up on the first `dropped` connections.
    pub(crate) async fn start(
        protocol: OtlpProtocol,
        tempers: &[Temper],
        dropped: u64,
    ) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        seen.tempers.lock().unwrap().extend(tempers);
        let shared = Arc::clone(&seen);
        let serving = tokio::spawn(async move {
            let mut left = dropped;
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if left > 0 {
                    left -= 1;
                    continue;
                }
                tokio::spawn(serve(protocol, stream, Arc::clone(&shared)));
            }
        });
        Receiver { endpoint, seen, serving }
    }

    pub(crate) fn spans(&self) -> u64 {
        *self.seen.spans.lock().unwrap()
    }

    pub(crate) fn connections(&self) -> u64 {
        *self.seen.connections.lock().unwrap()
    }

    /// The values of a header in all requests.
    pub(crate) fn header(&self, name: &str) -> Vec<String> {
        let headers = self.seen.headers.lock().unwrap();
        let values = headers.iter().filter_map(|headers| headers.get(name));
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Serves one connection to its end, taking everything.
pub(crate) async fn serve_all<S>(protocol: OtlpProtocol, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    serve(protocol, stream, Arc::new(Seen::default())).await;
}

async fn serve<S>(protocol: OtlpProtocol, stream: S, seen: Arc<Seen>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    *seen.connections.lock().unwrap() += 1;
    let io = TokioIo::new(stream);
    let ended = match protocol {
        OtlpProtocol::Grpc => {
            let service = TraceServiceServer::new(Grpc(seen))
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd);
            let service = hyper_util::service::TowerToHyperService::new(service);
            hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new())
                .serve_connection(io, service)
                .await
        }
        OtlpProtocol::HttpProtobuf => {
            let service = service_fn(move |request| http_answer(Arc::clone(&seen), request));
            hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
        }
    };
    // Whether the client said goodbye is its own affair.
    drop(ended);
}

impl Seen {
    fn next(&self, headers: &http::HeaderMap) -> Temper {
        self.headers.lock().unwrap().push(headers.clone());
        self.tempers.lock().unwrap().pop_front().unwrap_or(Temper::Takes)
    }

    /// Takes a request but for some spans.
    fn takes(&self, request: &ExportTraceServiceRequest, but: i64) -> ExportTraceServiceResponse {
        let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        let spans: usize = scopes.map(|scope| scope.spans.len()).sum();
        *self.spans.lock().unwrap() += spans as u64 - but.cast_unsigned();
        let partial =
            ExportTracePartialSuccess { rejected_spans: but, error_message: "too long".to_owned() };
        ExportTraceServiceResponse { partial_success: (but > 0).then_some(partial) }
    }
}

struct Grpc(Arc<Seen>);

#[tonic::async_trait]
impl TraceService for Grpc {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        let at_once = ErrorDetails::with_retry_info(Some(Duration::ZERO));
        let but = match self.0.next(&request.metadata().clone().into_headers()) {
            Temper::Takes => 0,
            Temper::TakesAllBut(but) => but,
            Temper::Throttles => {
                let code = Code::ResourceExhausted;
                return Err(Status::with_error_details(code, "slower", at_once));
            }
            Temper::Unavailable => return Err(Status::unavailable("restarting")),
            Temper::Refuses => return Err(Status::invalid_argument("no")),
            Temper::Hangs => std::future::pending().await,
        };
        Ok(tonic::Response::new(self.0.takes(request.get_ref(), but)))
    }
}

async fn http_answer(
    seen: Arc<Seen>,
    request: Request<Incoming>,
) -> Result<Response<Full<bytes::Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let status = |status: u16| {
        let response = Response::builder().status(status).header("retry-after", "0");
        response.body(Full::default()).unwrap()
    };
    if head.uri.path() != "/v1/traces" {
        return Ok(status(404));
    }
    let but = match seen.next(&head.headers) {
        Temper::Takes => 0,
        Temper::TakesAllBut(but) => but,
        Temper::Throttles => return Ok(status(429)),
        Temper::Unavailable => return Ok(status(503)),
        Temper::Refuses => return Ok(status(400)),
        Temper::Hangs => std::future::pending().await,
    };
    let plain = match head.headers.get("content-encoding").map(http::HeaderValue::as_bytes) {
        None => body.to_vec(),
        Some(b"gzip") => {
            let mut plain = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*body), &mut plain)
                .unwrap();
            plain
        }
        Some(b"zstd") => zstd::decode_all(&*body).unwrap(),
        Some(other) => panic!("{other:?}"),
    };
    let request = ExportTraceServiceRequest::decode(&*plain).unwrap();
    let body = seen.takes(&request, but).encode_to_vec();
    let response = Response::builder().header("content-type", "application/x-protobuf");
    Ok(response.body(Full::from(body)).unwrap())
}

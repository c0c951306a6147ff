//! OTLP over gRPC. Requests are framed here, since tonic's codecs copy what they send, and the
//! exporter has it as it is to be sent.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};
use ::http::{Method, Request, StatusCode, Uri, Version};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Limited};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower_service::Service as _;

use super::compression::Compression;
use super::connect::Connector;
use super::http::told;
use super::{Address, OtlpConfig, start_error};
use crate::client::ClientError;
use crate::delivery::Answer;

const METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// How much a receiver may answer without our say.
const WINDOW_BYTES: u32 = 8 << 20;

/// What stands before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// The most that is read of a response. A partial success has a sentence.
const MOST_RESPONSE_BYTES: usize = 1 << 20;

/// A connection, which is made again when it breaks.
#[derive(Clone)]
pub(super) struct Connection {
    channel: Channel,
    headers: HeaderMap,
    is_compressed: bool,
}

impl Connection {
    pub(super) fn new(
        address: &Address,
        connector: Connector,
        config: &OtlpConfig,
    ) -> Result<Connection, ClientError> {
        let unusable =
            |error: &dyn std::error::Error| start_error(format!("{}: {error}", config.endpoint));
        let authority = address.authority();
        let origin = format!("{}://{authority}", address.scheme());
        // The connector encrypts, if need be; tonic only has to name the origin.
        let endpoint = Endpoint::from_shared(format!("http://{authority}"))
            .map_err(|error| unusable(&error))?
            .origin(origin.parse().map_err(|error| unusable(&error))?)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        if let Some(word) = config.compression.word() {
            let name = HeaderName::from_static("grpc-encoding");
            headers.insert(name, HeaderValue::from_static(word));
        }
        for header in &config.headers {
            headers.insert(header.name.clone(), header.value.clone());
        }
        let is_compressed = config.compression != Compression::None;
        let channel = endpoint.connect_with_connector_lazy(connector);
        Ok(Connection { channel, headers, is_compressed })
    }

    pub(super) async fn export(self, body: Bytes) -> Answer {
        match self.exchange(body).await {
            Ok(answer) => answer,
            Err(error) => Answer::Unanswered(told(&*error)),
        }
    }

    async fn exchange(
        mut self,
        body: Bytes,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let mut prefix = BytesMut::with_capacity(PREFIX_BYTES);
        prefix.put_u8(u8::from(self.is_compressed));
        prefix.put_u32(u32::try_from(body.len())?);
        let message = Framed { prefix: prefix.freeze(), body };
        let mut request = Request::new(tonic::body::Body::new(message));
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = Uri::from_static(METHOD);
        *request.headers_mut() = self.headers;
        poll_fn(|context| self.channel.poll_ready(context)).await?;
        let (head, body) = self.channel.call(request).await?.into_parts();
        // A status that stands before everything else stands alone.
        if let Some(status) = Status::from_header_map(&head.headers)
            && status.code() != Code::Ok
        {
            return Ok(Answer::of_grpc(&status));
        }
        if head.status != StatusCode::OK {
            return Ok(Answer::of_http(head.status, &head.headers));
        }
        let body = Limited::new(body, MOST_RESPONSE_BYTES).collect().await?;
        let status = body.trailers().and_then(Status::from_header_map);
        match status.filter(|status| status.code() != Code::Ok) {
            Some(status) => Ok(Answer::of_grpc(&status)),
            None => Ok(Answer::taken(partial_success(body.to_bytes()))),
        }
    }
}

/// How many spans the receiver did not take, and why. It has said that it took the others; what else
/// it says may be no OTLP.
fn partial_success(mut answer: Bytes) -> Option<(i64, String)> {
    answer.advance(PREFIX_BYTES.min(answer.len()));
    let response = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
    response.partial_success.map(|partial| (partial.rejected_spans, partial.error_message))
}

/// A message with what stands before it, each sent as it is.
struct Framed {
    prefix: Bytes,
    body: Bytes,
}

impl Body for Framed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let prefix = std::mem::take(&mut self.prefix);
        let next = if prefix.is_empty() { std::mem::take(&mut self.body) } else { prefix };
        Poll::Ready((!next.is_empty()).then(|| Ok(Frame::data(next))))
    }

    fn is_end_stream(&self) -> bool {
        self.prefix.is_empty() && self.body.is_empty()
    }
}

//! OTLP over HTTP, in protobuf.

use std::sync::Arc;

use ::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use ::http::{Method, Request, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::sync::Mutex;

use super::connect::Connector;
use super::{Address, OtlpConfig, start_error};
use crate::client::ClientError;
use crate::delivery::Answer;

const PROTOBUF: &str = "application/x-protobuf";

/// The most that is read of a response. A partial success has a sentence.
const MOST_RESPONSE_BYTES: usize = 1 << 20;

/// A connection, which is made again when it breaks.
#[derive(Clone)]
pub(super) struct Connection {
    connector: Connector,
    target: Uri,
    headers: HeaderMap,
    /// The connection between one export and the next. An export that is given up leaves none, as
    /// its answer would be taken for that of the next.
    idle: Arc<Mutex<Option<SendRequest<Full<Bytes>>>>>,
}

impl Connection {
    pub(super) fn new(
        address: &Address,
        connector: Connector,
        config: &OtlpConfig,
    ) -> Result<Connection, ClientError> {
        let unusable =
            |error: &dyn std::error::Error| start_error(format!("{}: {error}", config.endpoint));
        let target = format!("{}/v1/traces", address.base);
        let mut headers = HeaderMap::new();
        let host = HeaderValue::try_from(address.authority()).map_err(|error| unusable(&error))?;
        headers.insert(HOST, host);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
        if let Some(word) = config.compression.word() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(word));
        }
        for header in &config.headers {
            headers.insert(header.name.clone(), header.value.clone());
        }
        Ok(Connection {
            connector,
            target: target.parse().map_err(|error| unusable(&error))?,
            headers,
            idle: Arc::default(),
        })
    }

    pub(super) async fn export(self, body: Bytes) -> Answer {
        match self.exchange(body).await {
            Ok(answer) => answer,
            Err(error) => Answer::Unanswered(told(&*error)),
        }
    }

    async fn exchange(
        &self,
        body: Bytes,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let mut idle = self.idle.lock().await;
        let mut sender = match idle.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.connect().await?,
        };
        sender.ready().await?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = self.headers.clone();
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MOST_RESPONSE_BYTES).collect().await?.to_bytes();
        *idle = Some(sender);
        if !head.status.is_success() {
            return Ok(Answer::of_http(head.status, &head.headers));
        }
        // It has said that it took the spans; what else it says may be no OTLP.
        let response = ExportTraceServiceResponse::decode(body).unwrap_or_default();
        let partial = response.partial_success;
        Ok(Answer::taken(partial.map(|partial| (partial.rejected_spans, partial.error_message))))
    }

    async fn connect(
        &self,
    ) -> Result<SendRequest<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
        let (sender, connection) = handshake(self.connector.clone().connect().await?).await?;
        // Whoever sends is told what went wrong.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }
}

/// An error with what caused it, each said once.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut said: Vec<String> = causes.map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}

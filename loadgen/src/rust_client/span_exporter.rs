//! Delivers spans that have ended. The SDK's own exporter would do but for its answers: it says
//! neither how often it tried nor what part of a batch was rejected.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;
use tonic::transport::{Channel, Endpoint};

use super::export::OtlpProtocol;
use crate::delivery::{Answer, Delivery, Retrying, deliver};

/// The longest response that is read: one has a number and a sentence in it.
const MOST_RESPONSE_BYTES: usize = 1 << 20;

/// Sends spans to one receiver.
pub(super) struct SpanExporter {
    transport: Transport,
    resource: ResourceAttributesWithSchema,
}

enum Transport {
    Grpc(TraceServiceClient<Channel>),
    Http { client: Box<Client<HttpConnector, Full<Bytes>>>, url: Uri },
}

/// An address that nothing can be sent to.
#[derive(Debug, thiserror::Error)]
pub(super) enum AddressError {
    #[error("{0}")]
    Grpc(#[from] tonic::transport::Error),
    #[error("{0}")]
    Http(#[from] http::uri::InvalidUri),
}

impl SpanExporter {
    /// Sends to the receiver at `endpoint`, for HTTP the URL of its traces. Connects with the first
    /// batch, in the runtime that this is called in.
    pub(super) fn new(
        protocol: OtlpProtocol,
        endpoint: &str,
        resource: &Resource,
    ) -> Result<SpanExporter, AddressError> {
        let transport = match protocol {
            OtlpProtocol::Grpc => {
                let endpoint = Endpoint::from_shared(endpoint.to_owned())?;
                Transport::Grpc(TraceServiceClient::new(endpoint.connect_lazy()))
            }
            OtlpProtocol::HttpProtobuf => Transport::Http {
                client: Box::new(Client::builder(TokioExecutor::new()).build_http()),
                url: endpoint.parse()?,
            },
        };
        Ok(SpanExporter { transport, resource: resource.into() })
    }

    /// Delivers `spans`.
    pub(super) async fn deliver(&self, spans: Vec<SpanData>, retrying: Retrying) -> Delivery {
        let items = spans.len() as u64;
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let request = ExportTraceServiceRequest { resource_spans };
        match &self.transport {
            Transport::Grpc(client) => {
                deliver(items, retrying, || by_grpc(client.clone(), request.clone())).await
            }
            Transport::Http { client, url } => {
                let body = Bytes::from(request.encode_to_vec());
                deliver(items, retrying, || by_http(client, url, body.clone())).await
            }
        }
    }
}

async fn by_grpc(
    mut client: TraceServiceClient<Channel>,
    request: ExportTraceServiceRequest,
) -> Answer {
    match client.export(request).await {
        Ok(response) => taken(response.into_inner()),
        Err(status) => Answer::of_grpc(&status),
    }
}

async fn by_http(client: &Client<HttpConnector, Full<Bytes>>, url: &Uri, body: Bytes) -> Answer {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.clone();
    let protobuf = http::HeaderValue::from_static("application/x-protobuf");
    request.headers_mut().insert(CONTENT_TYPE, protobuf);
    let response = match client.request(request).await {
        Ok(response) => response,
        Err(error) => return Answer::Unanswered(error.to_string()),
    };
    if !response.status().is_success() {
        return Answer::of_http(response.status(), response.headers());
    }
    match Limited::new(response.into_body(), MOST_RESPONSE_BYTES).collect().await {
        Ok(body) => match ExportTraceServiceResponse::decode(body.to_bytes()) {
            Ok(response) => taken(response),
            // It has said that it took the spans; what else it says is no OTLP.
            Err(_) => Answer::taken(None),
        },
        Err(error) => Answer::Unanswered(error.to_string()),
    }
}

fn taken(response: ExportTraceServiceResponse) -> Answer {
    Answer::taken(
        response.partial_success.map(|partial| (partial.rejected_spans, partial.error_message)),
    )
}

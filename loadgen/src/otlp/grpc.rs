//! OTLP over gRPC.

use ::http::uri::PathAndQuery;
use bytes::{Buf as _, BufMut as _, Bytes};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::compression::Compression;
use super::connect::Connector;
use super::{Address, OtlpConfig, start_error};
use crate::client::ClientError;
use crate::delivery::Answer;

const METHOD: PathAndQuery =
    PathAndQuery::from_static("/opentelemetry.proto.collector.trace.v1.TraceService/Export");

/// How much may be on its way without the receiver's say. With the least that HTTP/2 has, a batch
/// takes several turns.
const WINDOW_BYTES: u32 = 8 << 20;

/// A connection, which is made again when it breaks.
#[derive(Clone)]
pub(super) struct Connection {
    client: Grpc<Channel>,
    metadata: MetadataMap,
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
        let client = Grpc::new(endpoint.connect_with_connector_lazy(connector));
        let headers =
            config.headers.iter().map(|header| (header.name.clone(), header.value.clone()));
        Ok(Connection {
            client: match config.compression {
                Compression::None => client,
                Compression::Gzip => client.send_compressed(CompressionEncoding::Gzip),
                Compression::Zstd => client.send_compressed(CompressionEncoding::Zstd),
            },
            metadata: MetadataMap::from_headers(headers.collect()),
        })
    }

    pub(super) async fn export(mut self, body: Bytes) -> Answer {
        if let Err(error) = self.client.ready().await {
            return Answer::of_grpc(&Status::from_error(Box::new(error)));
        }
        let request = Request::from_parts(self.metadata, tonic::Extensions::default(), body);
        match self.client.unary(request, METHOD, Encoded).await {
            Ok(response) => Answer::taken(
                response
                    .into_inner()
                    .partial_success
                    .map(|partial| (partial.rejected_spans, partial.error_message)),
            ),
            Err(status) => Answer::of_grpc(&status),
        }
    }
}

/// A codec for requests that are encoded already.
#[derive(Clone, Copy, Debug, Default)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = ExportTraceServiceResponse;
    type Encoder = Encoded;
    type Decoder = Encoded;

    fn encoder(&mut self) -> Encoded {
        Encoded
    }

    fn decoder(&mut self) -> Encoded {
        Encoded
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(item.remaining());
        out.put(item);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = ExportTraceServiceResponse;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        let response = ExportTraceServiceResponse::decode(bytes);
        response.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

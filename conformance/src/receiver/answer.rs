//! The bodies of answers: export responses and `google.rpc.Status`, in either encoding.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use serde_json::json;

use super::intake::{REJECTED_SPANS, Taken};
use crate::capture::Signal;

/// How a request over HTTP is encoded; its answer is encoded likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        }
    }
}

/// The part of `google.rpc.Status` that OTLP asks for.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

impl RpcStatus {
    pub(super) fn encode_as(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Protobuf => self.encode_to_vec(),
            Encoding::Json => {
                json!({ "code": self.code, "message": self.message }).to_string().into()
            }
        }
    }
}

/// The response to a request that was taken: empty on full success, with the number of rejected
/// spans on partial success.
pub(super) fn response(signal: Signal, taken: Taken, encoding: Encoding) -> Vec<u8> {
    let rejected = i64::try_from(taken.rejected_spans).unwrap_or(i64::MAX);
    match (encoding, signal) {
        (Encoding::Json, Signal::Traces) if rejected > 0 => json!({
            "partialSuccess": {
                "rejectedSpans": rejected.to_string(),
                "errorMessage": REJECTED_SPANS,
            }
        })
        .to_string()
        .into(),
        (Encoding::Json, _) => b"{}".into(),
        (Encoding::Protobuf, Signal::Traces) => ExportTraceServiceResponse {
            partial_success: (rejected > 0).then(|| ExportTracePartialSuccess {
                rejected_spans: rejected,
                error_message: REJECTED_SPANS.to_owned(),
            }),
        }
        .encode_to_vec(),
        (Encoding::Protobuf, Signal::Metrics) => {
            ExportMetricsServiceResponse::default().encode_to_vec()
        }
        (Encoding::Protobuf, Signal::Logs) => ExportLogsServiceResponse::default().encode_to_vec(),
    }
}

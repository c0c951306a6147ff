//! One export request, of whichever signal.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message as _;

/// What kind of telemetry a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Metric data points.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

    /// The last segment of the signal's path in OTLP/HTTP.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Metrics => "metrics",
            Signal::Logs => "logs",
        }
    }
}

/// One export request.
#[derive(Clone, Debug, PartialEq)]
pub enum Export {
    /// Spans.
    Traces(ExportTraceServiceRequest),
    /// Metric data points.
    Metrics(ExportMetricsServiceRequest),
    /// Log records.
    Logs(ExportLogsServiceRequest),
}

impl Export {
    /// Reads the protobuf encoding of a request of `signal`.
    ///
    /// # Errors
    ///
    /// If `bytes` are not such a message.
    pub fn decode(signal: Signal, bytes: &[u8]) -> Result<Export, prost::DecodeError> {
        Ok(match signal {
            Signal::Traces => Export::Traces(ExportTraceServiceRequest::decode(bytes)?),
            Signal::Metrics => Export::Metrics(ExportMetricsServiceRequest::decode(bytes)?),
            Signal::Logs => Export::Logs(ExportLogsServiceRequest::decode(bytes)?),
        })
    }

    /// The protobuf encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Export::Traces(request) => request.encode_to_vec(),
            Export::Metrics(request) => request.encode_to_vec(),
            Export::Logs(request) => request.encode_to_vec(),
        }
    }

    /// Its signal.
    #[must_use]
    pub fn signal(&self) -> Signal {
        match self {
            Export::Traces(_) => Signal::Traces,
            Export::Metrics(_) => Signal::Metrics,
            Export::Logs(_) => Signal::Logs,
        }
    }

    /// How much telemetry it holds.
    #[must_use]
    pub fn items(&self) -> Items {
        match self {
            Export::Traces(request) => Items { spans: spans(request), ..Items::default() },
            Export::Metrics(request) => {
                Items { metric_points: metric_points(request), ..Items::default() }
            }
            Export::Logs(request) => {
                Items { log_records: log_records(request), ..Items::default() }
            }
        }
    }
}

/// An amount of telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// Spans.
    pub spans: u64,
    /// Metric data points.
    pub metric_points: u64,
    /// Log records.
    pub log_records: u64,
}

/// A request as it came: its signal and its protobuf encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What it carries.
    pub signal: Signal,
    /// The protobuf encoding of the signal's export request.
    pub protobuf: bytes::Bytes,
}

fn spans(request: &ExportTraceServiceRequest) -> u64 {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.map(|scope| scope.spans.len() as u64).sum()
}

fn log_records(request: &ExportLogsServiceRequest) -> u64 {
    let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
    scopes.map(|scope| scope.log_records.len() as u64).sum()
}

fn metric_points(request: &ExportMetricsServiceRequest) -> u64 {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let metrics = scopes.flat_map(|scope| &scope.metrics);
    metrics
        .map(|metric| match &metric.data {
            None => 0,
            Some(Data::Gauge(gauge)) => gauge.data_points.len() as u64,
            Some(Data::Sum(sum)) => sum.data_points.len() as u64,
            Some(Data::Histogram(histogram)) => histogram.data_points.len() as u64,
            Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len() as u64,
            Some(Data::Summary(summary)) => summary.data_points.len() as u64,
        })
        .sum()
}

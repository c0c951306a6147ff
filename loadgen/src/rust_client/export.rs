//! How telemetry leaves the client: OTLP exporters and the providers in front of them.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanLimits};
use tokio::runtime::Handle;

use super::span_queue::{SpanQueue, StartError};
use crate::accounting::lost_spans;
use crate::client::{ClientError, ClientErrorKind};
use crate::delivery::Retrying;
use crate::otlp::{OtlpConfig, OtlpProtocol};

/// How often metrics are exported; the last time is when the client finishes.
const METRIC_INTERVAL: Duration = Duration::from_secs(10);

/// How telemetry is exported.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportOptions {
    /// The protocol.
    pub protocol: OtlpProtocol,
    /// How long and how often spans are tried. One export of metrics may take as long as one attempt.
    pub retrying: Retrying,
}

/// Where telemetry goes, and how.
#[derive(Clone, Debug)]
struct ExportConfig {
    /// The receiver's base URL.
    endpoint: String,
    protocol: OtlpProtocol,
    timeout: Duration,
}

/// The providers of a client, and the thread that exports for them.
pub(super) struct Export {
    pub(super) tracers: SdkTracerProvider,
    pub(super) meters: SdkMeterProvider,
    pub(super) queue: SpanQueue,
    timeout: Duration,
}

impl Export {
    pub(super) fn start(endpoint: String, options: ExportOptions) -> Result<Export, ClientError> {
        let ExportOptions { protocol, retrying } = options;
        let config = &ExportConfig { endpoint, protocol, timeout: retrying.attempt };
        let resource = Resource::builder()
            .with_attribute(KeyValue::new("service.name", "spanproof-load"))
            .build();
        let spans = OtlpConfig { protocol, retrying, ..OtlpConfig::new(&config.endpoint) };
        let queue =
            SpanQueue::start(spans, &resource).map_err(|error| not_started(config, &error))?;
        let inner = {
            let _in_runtime = queue.runtime().enter();
            metric_exporter(config).map_err(|error| not_started(config, &error.into()))?
        };
        let exporter = InRuntime { inner, runtime: queue.runtime().clone() };
        let reader = PeriodicReader::builder(exporter).with_interval(METRIC_INTERVAL).build();
        Ok(Export {
            tracers: SdkTracerProvider::builder()
                .with_span_processor(queue.processor())
                .with_span_limits(unlimited_attributes())
                .with_resource(resource.clone())
                .build(),
            meters: SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build(),
            queue,
            timeout: config.timeout,
        })
    }

    /// Exports what is left, and says what could not be.
    pub(super) async fn finish(&self) -> Result<(), ClientError> {
        let errors = self.queue.finish().await;
        let (meters, timeout) = (self.meters.clone(), self.timeout);
        // The SDK waits for the export on the calling thread.
        let metrics = tokio::task::spawn_blocking(move || meters.shutdown_with_timeout(timeout));
        let metrics = metrics.await;
        let mut lost = Vec::new();
        lost.extend(lost_spans(&self.queue.books().read(), &errors));
        match metrics {
            Ok(Ok(())) => {}
            Ok(Err(error)) => lost.push(format!("metrics could not be exported: {error}")),
            Err(error) => lost.push(format!("metrics could not be exported: {error}")),
        }
        if lost.is_empty() {
            return Ok(());
        }
        Err(ClientError::new(ClientErrorKind::TelemetryLost, lost.join("; ")))
    }
}

fn not_started(config: &ExportConfig, error: &StartError) -> ClientError {
    let message = format!("no OTLP exporter for `{}`: {error}", config.endpoint);
    ClientError::new(ClientErrorKind::Start, message)
}

/// Limits that no span of a call reaches.
fn unlimited_attributes() -> SpanLimits {
    SpanLimits { max_attributes_per_span: u32::MAX, ..SpanLimits::default() }
}

fn metric_exporter(config: &ExportConfig) -> Result<MetricExporter, ExporterBuildError> {
    let builder = MetricExporter::builder();
    match config.protocol {
        OtlpProtocol::Grpc => builder
            .with_tonic()
            .with_endpoint(&config.endpoint)
            .with_timeout(config.timeout)
            .build(),
        OtlpProtocol::HttpProtobuf => builder
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(signal_url(config, "metrics"))
            .with_timeout(config.timeout)
            .build(),
    }
}

fn signal_url(config: &ExportConfig, signal: &str) -> String {
    format!("{}/v1/{signal}", config.endpoint.trim_end_matches('/'))
}

/// A metric exporter that runs in a runtime. The SDK drives it from a plain thread, and its
/// transport needs timers and sockets.
struct InRuntime {
    inner: MetricExporter,
    runtime: Handle,
}

impl PushMetricExporter for InRuntime {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.runtime.block_on(self.inner.export(metrics))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}

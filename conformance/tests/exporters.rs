//! The OpenTelemetry SDK's own exporters send to the receiver, and the capture holds what they
//! were given.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::time::Duration;

use conformance::capture::{Export, Writer, read};
use conformance::receiver::{Config, Counts, Receiver};
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry::{KeyValue, trace};
use opentelemetry_otlp::{
    Compression, LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig as _,
    WithHttpConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;

struct Exporters {
    spans: SpanExporter,
    metrics: MetricExporter,
    logs: LogExporter,
}

fn over_grpc(receiver: &Receiver) -> Exporters {
    let endpoint = format!("http://{}", receiver.grpc_address().unwrap());
    macro_rules! exporter {
        ($exporter:ident) => {
            $exporter::builder()
                .with_tonic()
                .with_endpoint(endpoint.clone())
                .with_compression(Compression::Gzip)
                .build()
                .unwrap()
        };
    }
    Exporters {
        spans: exporter!(SpanExporter),
        metrics: exporter!(MetricExporter),
        logs: exporter!(LogExporter),
    }
}

fn over_http(receiver: &Receiver) -> Exporters {
    let address = receiver.http_address().unwrap();
    macro_rules! exporter {
        ($exporter:ident, $path:literal) => {
            $exporter::builder()
                .with_http()
                .with_endpoint(format!("http://{address}/v1/{}", $path))
                .with_protocol(Protocol::HttpBinary)
                .with_compression(Compression::Gzip)
                .build()
                .unwrap()
        };
    }
    Exporters {
        spans: exporter!(SpanExporter, "traces"),
        metrics: exporter!(MetricExporter, "metrics"),
        logs: exporter!(LogExporter, "logs"),
    }
}

/// The SDK exports metrics from a thread of its own, where the HTTP client finds no runtime.
struct OnRuntime<E> {
    exporter: E,
    runtime: Handle,
}

impl<E: PushMetricExporter> PushMetricExporter for OnRuntime<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.runtime.block_on(self.exporter.export(metrics))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

/// Sends three spans, a histogram and a log record; returns once the exporters were answered.
fn send(exporters: Exporters) {
    let tracers = SdkTracerProvider::builder().with_simple_exporter(exporters.spans).build();
    let tracer = tracers.tracer("test");
    for index in 0..3 {
        let mut span = tracer
            .span_builder(format!("chat {index}"))
            .with_kind(trace::SpanKind::Client)
            .with_attributes([KeyValue::new("gen_ai.usage.input_tokens", index)])
            .start(&tracer);
        span.end();
    }
    tracers.shutdown().unwrap();

    let metrics = OnRuntime { exporter: exporters.metrics, runtime: Handle::current() };
    let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics).build();
    meters.meter("test").f64_histogram("duration").build().record(0.5, &[]);
    meters.shutdown().unwrap();

    let loggers = SdkLoggerProvider::builder().with_simple_exporter(exporters.logs).build();
    let logger = loggers.logger("test");
    let mut record = logger.create_log_record();
    record.set_body(AnyValue::from("done"));
    logger.emit(record);
    loggers.shutdown().unwrap();
}

/// Span names in the order of the capture.
fn span_names(exports: &[Export]) -> Vec<&str> {
    let spans = exports.iter().filter_map(|export| match export {
        Export::Traces(request) => Some(request),
        Export::Metrics(_) | Export::Logs(_) => None,
    });
    spans
        .flat_map(|request| &request.resource_spans)
        .flat_map(|resource| &resource.scope_spans)
        .flat_map(|scope| &scope.spans)
        .map(|span| span.name.as_str())
        .collect()
}

async fn check(exporters: fn(&Receiver) -> Exporters) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.otlp");
    let receiver =
        Receiver::start(Config::default(), Writer::create(&path).unwrap()).await.unwrap();
    // Built on the runtime, driven from outside of it: these exporters block.
    let exporters = exporters(&receiver);
    tokio::task::spawn_blocking(|| send(exporters)).await.unwrap();

    let counts = receiver.shutdown().await.unwrap();
    let mut exports = Vec::new();
    read(&path, &mut |export| exports.push(export)).unwrap();
    assert_eq!(span_names(&exports), ["chat 0", "chat 1", "chat 2"]);
    let items = (counts.spans, counts.metric_points, counts.log_records);
    assert_eq!(items, (3, 1, 1));
    assert_eq!(Counts { requests: exports.len() as u64, ..counts }, counts);
    assert_eq!(counts.refused_requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_with_gzip() {
    check(over_grpc).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_protobuf_with_gzip() {
    check(over_http).await;
}

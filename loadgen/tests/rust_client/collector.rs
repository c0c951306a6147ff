//! An OTLP receiver that keeps what it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// What arrived.
#[derive(Clone, Default)]
pub(crate) struct Collector {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
    /// The answer to the next export of traces, instead of taking it.
    first_answer: Arc<Mutex<Option<Status>>>,
}

impl Collector {
    /// Starts a collector and returns it with its address.
    pub(crate) async fn start() -> (Collector, SocketAddr) {
        let collector = Collector::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(collector.clone().serve(listener));
        (collector, address)
    }

    /// Takes what comes to `listener`.
    pub(crate) async fn serve(self, listener: TcpListener) {
        Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self))
            .serve_with_incoming(TcpListenerStream::new(listener))
            .await
            .unwrap();
    }

    /// Refuses the next export of traces.
    pub(crate) fn answer_first(&self, status: Status) {
        *self.first_answer.lock().unwrap() = Some(status);
    }

    /// Every span, by its invocation id, with the schema URL of its scope.
    pub(crate) fn spans(&self) -> Vec<(Span, String)> {
        let traces = self.traces.lock().unwrap();
        let scopes = traces.iter().flat_map(|request| &request.resource_spans);
        scopes
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| {
                scope.spans.iter().map(|span| (span.clone(), scope.schema_url.clone()))
            })
            .collect()
    }

    /// The points of every histogram in the last export, by metric name and unit.
    pub(crate) fn histograms(&self) -> Vec<(String, String, Vec<HistogramDataPoint>)> {
        let metrics = self.metrics.lock().unwrap();
        let last = metrics.last().map(|request| request.resource_metrics.as_slice());
        let scopes = last.unwrap_or_default().iter().flat_map(|resource| &resource.scope_metrics);
        let mut histograms: Vec<_> = scopes
            .flat_map(|scope| &scope.metrics)
            .map(|metric| {
                let Some(Data::Histogram(histogram)) = &metric.data else {
                    panic!("{} is no histogram", metric.name)
                };
                (metric.name.clone(), metric.unit.clone(), histogram.data_points.clone())
            })
            .collect();
        histograms.sort_by(|one, other| one.0.cmp(&other.0));
        histograms
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        if let Some(status) = self.first_answer.lock().unwrap().take() {
            return Err(status);
        }
        self.traces.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.metrics.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

/// The value of the attribute `name`, as text.
pub(crate) fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    Some(shown(attribute.value.as_ref()?))
}

fn shown(value: &AnyValue) -> String {
    match value.value.as_ref() {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => format!("{number} (int)"),
        Some(Value::DoubleValue(number)) => format!("{number} (double)"),
        Some(Value::BoolValue(value)) => format!("{value} (bool)"),
        Some(Value::ArrayValue(array)) => {
            format!("[{}]", array.values.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    }
}

//! What `ConsoleMetricExporter` prints: OTLP's shape in the names of Python, without saying which
//! kind of metric a metric is.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, exemplar,
    number_data_point,
};
use serde::Deserialize;

use super::super::export::Export;
use super::PrintedResource;
use super::value::{Double, PrintedAttributes, PrintedValue};
use crate::json::DecodeError;

/// Reads one collection of metrics.
pub(super) fn metrics(text: &[u8]) -> Result<Export, DecodeError> {
    let printed: Printed = serde_json::from_slice(text)?;
    let resource_metrics = printed
        .resource_metrics
        .into_iter()
        .map(|printed| {
            let (resource, url) = printed.resource.into_otlp();
            let schema_url = if printed.schema_url.is_empty() { url } else { printed.schema_url };
            let scope_metrics =
                printed.scope_metrics.into_iter().map(PrintedScopeMetrics::into_otlp).collect();
            ResourceMetrics { resource, scope_metrics, schema_url }
        })
        .collect();
    Ok(Export::Metrics(ExportMetricsServiceRequest { resource_metrics }))
}

#[derive(Deserialize)]
struct Printed {
    resource_metrics: Vec<PrintedResourceMetrics>,
}

#[derive(Deserialize)]
struct PrintedResourceMetrics {
    #[serde(default)]
    resource: PrintedResource,
    scope_metrics: Vec<PrintedScopeMetrics>,
    #[serde(default)]
    schema_url: String,
}

#[derive(Deserialize)]
struct PrintedScopeMetrics {
    scope: PrintedScope,
    metrics: Vec<PrintedMetric>,
    #[serde(default)]
    schema_url: String,
}

impl PrintedScopeMetrics {
    fn into_otlp(self) -> ScopeMetrics {
        let scope = InstrumentationScope {
            name: self.scope.name,
            version: self.scope.version.unwrap_or_default(),
            attributes: self.scope.attributes.0,
            dropped_attributes_count: 0,
        };
        ScopeMetrics {
            scope: Some(scope),
            metrics: self.metrics.into_iter().map(PrintedMetric::into_otlp).collect(),
            schema_url: self.schema_url,
        }
    }
}

#[derive(Deserialize)]
struct PrintedScope {
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    attributes: PrintedAttributes,
}

#[derive(Deserialize)]
struct PrintedMetric {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    unit: Option<String>,
    data: PrintedPoints,
}

impl PrintedMetric {
    fn into_otlp(self) -> Metric {
        Metric {
            name: self.name,
            description: self.description.unwrap_or_default(),
            unit: self.unit.unwrap_or_default(),
            data: Some(self.data.into_otlp()),
            metadata: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
struct PrintedPoints {
    data_points: Vec<PrintedPoint>,
    #[serde(default)]
    aggregation_temporality: Option<i32>,
    #[serde(default)]
    is_monotonic: Option<bool>,
}

impl PrintedPoints {
    /// The kind follows from what is said: only sums are monotonic or not, only exponential
    /// histograms have a scale, and gauges have no temporality.
    fn into_otlp(self) -> Data {
        let aggregation_temporality = self.aggregation_temporality.unwrap_or_default();
        let is_exponential = self.data_points.iter().any(|point| point.scale.is_some());
        let points = self.data_points.into_iter();
        if let Some(is_monotonic) = self.is_monotonic {
            let data_points = points.map(PrintedPoint::number).collect();
            Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
        } else if self.aggregation_temporality.is_none() {
            Data::Gauge(Gauge { data_points: points.map(PrintedPoint::number).collect() })
        } else if is_exponential {
            let data_points = points.map(PrintedPoint::exponential_histogram).collect();
            Data::ExponentialHistogram(ExponentialHistogram {
                data_points,
                aggregation_temporality,
            })
        } else {
            let data_points = points.map(PrintedPoint::histogram).collect();
            Data::Histogram(Histogram { data_points, aggregation_temporality })
        }
    }
}

/// A data point of any kind.
#[derive(Deserialize)]
struct PrintedPoint {
    #[serde(default)]
    attributes: PrintedAttributes,
    #[serde(default)]
    start_time_unix_nano: Option<u64>,
    #[serde(default)]
    time_unix_nano: Option<u64>,
    #[serde(default)]
    exemplars: Vec<PrintedExemplar>,
    #[serde(default)]
    value: PrintedValue,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    sum: Option<Double>,
    #[serde(default)]
    min: Option<Double>,
    #[serde(default)]
    max: Option<Double>,
    #[serde(default)]
    bucket_counts: Vec<u64>,
    #[serde(default)]
    explicit_bounds: Vec<Double>,
    #[serde(default)]
    scale: Option<i32>,
    #[serde(default)]
    zero_count: u64,
    #[serde(default)]
    positive: Option<PrintedBuckets>,
    #[serde(default)]
    negative: Option<PrintedBuckets>,
    #[serde(default)]
    flags: u32,
}

impl PrintedPoint {
    fn number(self) -> NumberDataPoint {
        NumberDataPoint {
            attributes: self.attributes.0,
            start_time_unix_nano: self.start_time_unix_nano.unwrap_or_default(),
            time_unix_nano: self.time_unix_nano.unwrap_or_default(),
            exemplars: exemplars(self.exemplars),
            flags: self.flags,
            value: match self.value.0 {
                Some(Any::IntValue(integer)) => Some(number_data_point::Value::AsInt(integer)),
                Some(Any::DoubleValue(number)) => Some(number_data_point::Value::AsDouble(number)),
                _ => None,
            },
        }
    }

    fn histogram(self) -> HistogramDataPoint {
        HistogramDataPoint {
            attributes: self.attributes.0,
            start_time_unix_nano: self.start_time_unix_nano.unwrap_or_default(),
            time_unix_nano: self.time_unix_nano.unwrap_or_default(),
            count: self.count,
            sum: self.sum.map(|number| number.0),
            bucket_counts: self.bucket_counts,
            explicit_bounds: self.explicit_bounds.into_iter().map(|bound| bound.0).collect(),
            exemplars: exemplars(self.exemplars),
            flags: self.flags,
            min: self.min.map(|number| number.0),
            max: self.max.map(|number| number.0),
        }
    }

    fn exponential_histogram(self) -> ExponentialHistogramDataPoint {
        ExponentialHistogramDataPoint {
            attributes: self.attributes.0,
            start_time_unix_nano: self.start_time_unix_nano.unwrap_or_default(),
            time_unix_nano: self.time_unix_nano.unwrap_or_default(),
            count: self.count,
            sum: self.sum.map(|number| number.0),
            scale: self.scale.unwrap_or_default(),
            zero_count: self.zero_count,
            positive: self.positive.map(PrintedBuckets::into_otlp),
            negative: self.negative.map(PrintedBuckets::into_otlp),
            flags: self.flags,
            exemplars: exemplars(self.exemplars),
            min: self.min.map(|number| number.0),
            max: self.max.map(|number| number.0),
            zero_threshold: 0.0,
        }
    }
}

#[derive(Deserialize)]
struct PrintedBuckets {
    offset: i32,
    bucket_counts: Vec<u64>,
}

impl PrintedBuckets {
    fn into_otlp(self) -> Buckets {
        Buckets { offset: self.offset, bucket_counts: self.bucket_counts }
    }
}

#[derive(Deserialize)]
struct PrintedExemplar {
    #[serde(default)]
    filtered_attributes: PrintedAttributes,
    value: PrintedValue,
    #[serde(default)]
    time_unix_nano: Option<u64>,
    /// Ids are numbers here.
    #[serde(default)]
    span_id: Option<u64>,
    #[serde(default)]
    trace_id: Option<u128>,
}

fn exemplars(printed: Vec<PrintedExemplar>) -> Vec<Exemplar> {
    let otlp = |printed: PrintedExemplar| Exemplar {
        filtered_attributes: printed.filtered_attributes.0,
        time_unix_nano: printed.time_unix_nano.unwrap_or_default(),
        span_id: printed.span_id.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default(),
        trace_id: printed.trace_id.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default(),
        value: match printed.value.0 {
            Some(Any::IntValue(integer)) => Some(exemplar::Value::AsInt(integer)),
            Some(Any::DoubleValue(number)) => Some(exemplar::Value::AsDouble(number)),
            _ => None,
        },
    };
    printed.into_iter().map(otlp).collect()
}

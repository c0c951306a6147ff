//! Metric points.

use spanproof_schemas::report::Subject;

use crate::catalogue::catalogue;
use crate::dialect::Fingerprint;
use crate::field::Fields;
use crate::judge::Judge;
use crate::metric_sums::canonical;
use crate::otlp::{Data, ExportMetricsServiceRequest, KeyValue, Metric};
use crate::symbol::Symbol;
use crate::view::{Item, MetricShape};

impl Judge {
    /// Takes in metrics.
    pub fn metrics(&mut self, request: &ExportMetricsServiceRequest) {
        for resource_metrics in &request.resource_metrics {
            let resource = self.resource(resource_metrics.resource.as_ref());
            for scope_metrics in &resource_metrics.scope_metrics {
                let scope = scope_metrics.scope.as_ref();
                let url =
                    super::schema_url(&scope_metrics.schema_url, &resource_metrics.schema_url);
                let scope_name = scope.map_or("", |scope| scope.name.as_str());
                let scope_symbol = self.scope(scope);
                let url = self.symbols.intern(url);
                for metric in &scope_metrics.metrics {
                    self.metric(metric, (resource, scope_symbol, url), scope_name);
                }
            }
        }
    }

    fn metric(
        &mut self,
        metric: &Metric,
        (resource, scope, url): (Symbol, Symbol, Symbol),
        scope_name: &str,
    ) {
        let points = points(metric);
        self.telemetry.metric_points += points.len() as u64;
        let subject = || Subject {
            metric: Some(metric.name.clone()),
            scope: Some(scope_name.to_owned()).filter(|scope| !scope.is_empty()),
            ..Subject::default()
        };
        if self.scanner.is_some() {
            // Cumulative exports repeat their points: a leak counts once for what it says.
            let text: Vec<String> = points.iter().map(|point| canonical(point)).collect();
            let identity = self.symbols.intern(&format!("{} {text:?}", metric.name));
            self.search_once(2, identity, Item::Metric(metric), subject);
        }
        if metric.name.starts_with("gen_ai.") && metric.data.is_some() {
            let facts = self.scopes.at(scope, url);
            facts.fingerprint = facts.fingerprint.and(fingerprint(metric, &points));
            facts.metrics.insert(shape(metric));
        }
        self.metrics.record(&mut self.symbols, resource, scope, metric);
    }
}

fn shape(metric: &Metric) -> MetricShape {
    let instrument = match &metric.data {
        Some(Data::Histogram(_) | Data::ExponentialHistogram(_)) => "histogram",
        Some(Data::Sum(_)) => "counter",
        Some(Data::Gauge(_)) => "gauge",
        Some(Data::Summary(_)) | None => "summary",
    };
    MetricShape { name: metric.name.clone(), unit: metric.unit.clone(), instrument }
}

fn fingerprint(metric: &Metric, points: &[&[KeyValue]]) -> Fingerprint {
    let mut seen = Vec::new();
    let mut all =
        Fingerprint { defined_in: catalogue().metric(&metric.name), ..Fingerprint::default() };
    for point in points {
        all = all.and(super::gather(point, &mut seen, &mut Fields::default()));
    }
    all
}

/// The attributes of each point.
fn points(metric: &Metric) -> Vec<&[KeyValue]> {
    match &metric.data {
        None => Vec::new(),
        Some(Data::Gauge(data)) => {
            data.data_points.iter().map(|point| &point.attributes[..]).collect()
        }
        Some(Data::Sum(data)) => {
            data.data_points.iter().map(|point| &point.attributes[..]).collect()
        }
        Some(Data::Histogram(data)) => {
            data.data_points.iter().map(|point| &point.attributes[..]).collect()
        }
        Some(Data::ExponentialHistogram(data)) => {
            data.data_points.iter().map(|point| &point.attributes[..]).collect()
        }
        Some(Data::Summary(data)) => {
            data.data_points.iter().map(|point| &point.attributes[..]).collect()
        }
    }
}

//! Metric points.

use spanproof_schemas::report::Subject;

use crate::catalogue::{Conventions, catalogue};
use crate::dialect::{self, Fingerprint};
use crate::field::Fields;
use crate::judge::Judge;
use crate::metric_sums::canonical;
use crate::otlp::{Data, ExportMetricsServiceRequest, KeyValue, Metric};
use crate::symbol::Symbol;
use crate::view::{Item, MetricView};

impl Judge {
    /// Takes in metrics.
    pub fn metrics(&mut self, request: &ExportMetricsServiceRequest) {
        for resource_metrics in &request.resource_metrics {
            let resource = self.resource(resource_metrics.resource.as_ref());
            for scope_metrics in &resource_metrics.scope_metrics {
                let scope = scope_metrics.scope.as_ref();
                let url =
                    super::schema_url(&scope_metrics.schema_url, &resource_metrics.schema_url);
                let stated = catalogue().stated_by(url);
                let scope_name = scope.map_or("", |scope| scope.name.as_str());
                let scope_symbol = self.scope(scope);
                let url = self.symbols.intern(url);
                for metric in &scope_metrics.metrics {
                    self.metric(metric, (resource, scope_symbol, url), scope_name, stated);
                }
            }
        }
    }

    fn metric(
        &mut self,
        metric: &Metric,
        (resource, scope, url): (Symbol, Symbol, Symbol),
        scope_name: &str,
        stated: Option<&'static Conventions>,
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
        if metric.name.starts_with("gen_ai.") {
            let fingerprint = fingerprint(metric, &points);
            self.scopes.at(scope, url).metrics.insert(metric.name.clone());
            let semconv = dialect::judged(self.settings.semconv, stated, fingerprint);
            let view = MetricView { metric, semconv, stated };
            for check in &self.active.metric {
                for finding in (check.check)(&view) {
                    self.tally.add(check.rule, check.fixed, finding, subject);
                }
            }
        }
        self.metrics.record(&mut self.symbols, resource, scope, metric);
    }
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

//! Metric points.

use spanproof_schemas::report::Subject;

use crate::catalogue::{Conventions, VersionSet, catalogue};
use crate::dialect::{self, Fingerprint};
use crate::expectation::Place;
use crate::field::{Field, Fields};
use crate::finding::Tally;
use crate::identity;
use crate::intake::Intake;
use crate::otlp::{Data, ExportMetricsServiceRequest, KeyValue, Metric};
use crate::symbol::Symbol;
use crate::view::{Item, MetricShape, MetricView, PointView};

/// Where metrics come from.
#[derive(Clone, Copy)]
struct Origin<'a> {
    resource: u64,
    scope: &'a str,
    scope_symbol: Symbol,
    schema_url: Symbol,
    stated: Option<&'static Conventions>,
}

impl Intake {
    /// Takes in metrics.
    pub fn metrics(&mut self, request: &ExportMetricsServiceRequest) {
        for resource_metrics in &request.resource_metrics {
            let resource = self.resource(resource_metrics.resource.as_ref());
            for scope_metrics in &resource_metrics.scope_metrics {
                let scope = scope_metrics.scope.as_ref();
                let url =
                    super::schema_url(&scope_metrics.schema_url, &resource_metrics.schema_url);
                let origin = Origin {
                    resource,
                    scope: scope.map_or("", |scope| scope.name.as_str()),
                    scope_symbol: self.scope(scope),
                    schema_url: self.symbols.intern(url),
                    stated: catalogue().stated_by(url),
                };
                for metric in &scope_metrics.metrics {
                    self.metric(metric, origin);
                }
            }
        }
    }

    fn metric(&mut self, metric: &Metric, origin: Origin<'_>) {
        let points = points(metric);
        self.telemetry.metric_points += points.len() as u64;
        let subject = || Subject {
            metric: Some(metric.name.clone()),
            scope: Some(origin.scope.to_owned()).filter(|scope| !scope.is_empty()),
            ..Subject::default()
        };
        // Cumulative exports repeat their points: a leak counts once for what it says.
        let all: Vec<u64> = points.iter().map(|point| identity::of_attributes(point)).collect();
        let origin_id = (origin.scope, self.symbols.text(origin.schema_url));
        let origin_id = identity::of(origin_id);
        let identity = identity::of((2, origin_id, &metric.name, &all));
        self.search_once(identity, Item::Metric(metric), subject);
        if metric.name.starts_with("gen_ai.") && metric.data.is_some() {
            let place = self.scopes.place(origin.scope_symbol, origin.schema_url);
            self.scopes.at(place).note_metric(shape(metric));
            self.export(metric, &points, origin_id, origin.stated, subject);
            for (point, identity) in points.iter().zip(&all) {
                let identity = identity::of((3, origin_id, &metric.name, identity));
                if self.met_points.is_first(identity) {
                    let found = self.point(&metric.name, point, origin.stated, place, subject);
                    self.met_points.keep(identity, found);
                }
            }
        }
        let places = (origin.resource, origin.scope_symbol);
        self.metrics.record(&mut self.symbols, places, metric);
    }

    /// Checks an export of a metric. What another one was found to be is not found again.
    fn export(
        &mut self,
        metric: &Metric,
        points: &[&[KeyValue]],
        origin: u64,
        stated: Option<&'static Conventions>,
        subject: impl Fn() -> Subject,
    ) {
        // What emits a metric speaks one version; the first point tells of it.
        let first = points.first().copied().unwrap_or_default();
        let names = super::names(first);
        let names = super::gather(first, &names, &mut Vec::new(), &mut Fields::default()).0;
        let names = defined(&metric.name).and(names);
        let semconv = dialect::judged(self.settings.semconv, stated, names);
        let view = MetricView {
            metric,
            semconv,
            definition: catalogue().metric_in(&metric.name, semconv.index),
            settings: &self.settings,
        };
        self.looks.metrics += 1;
        for check in &self.active.metric {
            for finding in (check.check)(&view) {
                let said =
                    (&finding.message, &finding.attribute, &finding.expected, &finding.actual);
                let identity = identity::of((check.id(), origin, &metric.name, said));
                if self.met_exports.is_first(identity) {
                    let mut found = Tally::default();
                    found.add(&check.rule, finding, &subject);
                    self.met_exports.keep(identity, found);
                }
            }
        }
    }

    /// Checks the first point with its attributes.
    fn point(
        &mut self,
        metric: &str,
        point: &[KeyValue],
        stated: Option<&'static Conventions>,
        place: usize,
        subject: impl Fn() -> Subject,
    ) -> Tally {
        let mut found = Tally::default();
        let mut seen = Vec::new();
        let mut fields = Fields::default();
        let fingerprint = defined(metric)
            .and(super::gather(point, &super::names(point), &mut seen, &mut fields).0);
        let facts = self.scopes.at(place);
        facts.fingerprint = facts.fingerprint.and(fingerprint);
        let semconv = dialect::judged(self.settings.semconv, stated, fingerprint);
        if semconv.version < self.settings.least_version() {
            facts.older.entry(semconv.index).or_default();
        }
        for seen in &mut seen {
            seen.definition = seen.name.and_then(|name| name.in_version(semconv.index));
        }
        let definition = catalogue().metric_in(metric, semconv.index);
        let view = PointView {
            metric,
            semconv,
            definition,
            attributes: &seen,
            fields,
            settings: &self.settings,
        };
        for check in &self.active.point {
            for finding in (check.check)(&view) {
                found.add(&check.rule, finding, || Place {
                    subject: subject(),
                    span_type: None,
                    operations: [view.fields.text(Field::Operation), None],
                    models: [view.fields.text(Field::RequestModel), None],
                });
            }
        }
        found
    }
}

/// What the name of a metric shows. One of no version shows nothing of the one that is spoken.
fn defined(metric: &str) -> Fingerprint {
    let known = |versions: VersionSet| {
        if versions.oldest().is_some() { versions } else { VersionSet::ALL }
    };
    let defined_in = known(catalogue().metric(metric));
    let released_in = known(defined_in.and(catalogue().releases()));
    Fingerprint { defined_in, released_in, ..Fingerprint::default() }
}

/// What is kept of a metric's name or unit, in bytes.
const LONGEST_NAME: usize = 256;

fn shape(metric: &Metric) -> MetricShape {
    let instrument = match &metric.data {
        Some(Data::Histogram(_) | Data::ExponentialHistogram(_)) => "histogram",
        Some(Data::Sum(_)) => "counter",
        Some(Data::Gauge(_)) => "gauge",
        Some(Data::Summary(_)) | None => "summary",
    };
    let text = |text: &str| crate::value::cut(text, LONGEST_NAME).to_owned();
    MetricShape { name: text(&metric.name), unit: text(&metric.unit), instrument }
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

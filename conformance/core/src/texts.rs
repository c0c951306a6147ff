//! Every text of an item, wherever it stands.

use crate::otlp::{AnyValue, Data, Exemplar, KeyValue, LogRecord, Metric, Span, Value};
use crate::view::Item;

/// What sees a text: the place in words, the attribute's or the field's name, and the text.
pub(crate) type Visit<'v> = dyn FnMut(&'static str, &str, &[u8]) + 'v;

/// Shows every text of an item: names, values of attributes at any depth, status messages, trace
/// states, bodies, exemplars. Keys are shown under the name of their attribute.
pub(crate) fn for_each_text(item: Item<'_>, visit: &mut Visit<'_>) {
    match item {
        Item::Resource(resource) => {
            attributes("a resource attribute", &resource.attributes, visit);
        }
        Item::Scope(scope) => {
            visit("the scope's name", "scope name", scope.name.as_bytes());
            visit("the scope's version", "scope version", scope.version.as_bytes());
            attributes("a scope attribute", &scope.attributes, visit);
        }
        Item::Span(span, _) => of_span(span, visit),
        Item::Metric(metric) => of_metric(metric, visit),
        Item::Log(record) => of_log(record, visit),
    }
}

fn of_span(span: &Span, visit: &mut Visit<'_>) {
    visit("the span's name", "span name", span.name.as_bytes());
    visit("the trace state", "trace state", span.trace_state.as_bytes());
    attributes("a span attribute", &span.attributes, visit);
    if let Some(status) = &span.status {
        visit("the status message", "status message", status.message.as_bytes());
    }
    for event in &span.events {
        visit("the name of a span event", "event name", event.name.as_bytes());
        attributes("an attribute of a span event", &event.attributes, visit);
    }
    for link in &span.links {
        visit("the trace state of a link", "trace state", link.trace_state.as_bytes());
        attributes("an attribute of a link", &link.attributes, visit);
    }
}

fn of_log(record: &LogRecord, visit: &mut Visit<'_>) {
    visit("the event's name", "event name", record.event_name.as_bytes());
    visit("the log's severity", "severity text", record.severity_text.as_bytes());
    attributes("a log attribute", &record.attributes, visit);
    value("the log's body", "body", record.body.as_ref(), visit);
}

fn of_metric(metric: &Metric, visit: &mut Visit<'_>) {
    visit("the metric's name", "metric name", metric.name.as_bytes());
    visit("the metric's description", "description", metric.description.as_bytes());
    visit("the metric's unit", "unit", metric.unit.as_bytes());
    attributes("the metric's own attributes", &metric.metadata, visit);
    match &metric.data {
        None => {}
        Some(Data::Gauge(data)) => {
            data.data_points.iter().for_each(|p| point(&p.attributes, &p.exemplars, visit));
        }
        Some(Data::Sum(data)) => {
            data.data_points.iter().for_each(|p| point(&p.attributes, &p.exemplars, visit));
        }
        Some(Data::Histogram(data)) => {
            data.data_points.iter().for_each(|p| point(&p.attributes, &p.exemplars, visit));
        }
        Some(Data::ExponentialHistogram(data)) => {
            data.data_points.iter().for_each(|p| point(&p.attributes, &p.exemplars, visit));
        }
        Some(Data::Summary(data)) => {
            data.data_points.iter().for_each(|p| point(&p.attributes, &[], visit));
        }
    }
}

fn point(own: &[KeyValue], exemplars: &[Exemplar], visit: &mut Visit<'_>) {
    attributes("a metric attribute", own, visit);
    for exemplar in exemplars {
        attributes("an attribute of an exemplar", &exemplar.filtered_attributes, visit);
    }
}

fn attributes(place: &'static str, attributes: &[KeyValue], visit: &mut Visit<'_>) {
    for attribute in attributes {
        value(place, &attribute.key, attribute.value.as_ref(), visit);
    }
}

fn value(place: &'static str, name: &str, of: Option<&AnyValue>, visit: &mut Visit<'_>) {
    match of.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => visit(place, name, text.as_bytes()),
        Some(Value::BytesValue(bytes)) => visit(place, name, bytes),
        Some(Value::ArrayValue(array)) => {
            array.values.iter().for_each(|each| value(place, name, Some(each), visit));
        }
        Some(Value::KvlistValue(list)) => {
            for entry in &list.values {
                visit(place, name, entry.key.as_bytes());
                value(place, name, entry.value.as_ref(), visit);
            }
        }
        Some(
            Value::BoolValue(_)
            | Value::IntValue(_)
            | Value::DoubleValue(_)
            | Value::StringValueStrindex(_),
        )
        | None => {}
    }
}

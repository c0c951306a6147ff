//! Every text of an item, wherever it stands: names, values of attributes at any depth, status
//! messages, trace states, bodies, exemplars.

use super::{Sight, Sighting, Sweep};
use crate::content::{self, DEFINITIONS, Kept};
use crate::otlp::{AnyValue, Data, Event, Exemplar, KeyValue, LogRecord, Metric, Span, Value};
use crate::redaction::{Allowance, Redaction};
use crate::scan::Scanner;
use crate::value;
use crate::view::{Item, Seen};

/// A walk through one item.
pub(super) struct Walk<'a> {
    pub(super) sweep: &'a mut Sweep,
    pub(super) scanner: &'a Scanner,
    pub(super) redaction: Redaction,
    pub(super) sightings: &'a mut Vec<Sighting>,
}

/// A text or a value, and where it stands.
#[derive(Clone, Copy)]
struct Place<'p> {
    words: &'static str,
    /// Of the attribute or the field.
    name: &'p str,
    /// What it is kept for, if that is content.
    kept: Option<Kept>,
    /// Whether it is part of the log record of a GenAI event.
    in_log_event: bool,
}

impl<'p> Place<'p> {
    fn new(words: &'static str, name: &'p str) -> Place<'p> {
        Place { words, name, kept: None, in_log_event: false }
    }
}

/// What stands for the name of an attribute that holds something itself, and must not be printed.
const NAME: &str = "(attribute name)";

impl Walk<'_> {
    pub(super) fn item(&mut self, item: Item<'_>) {
        match item {
            Item::Resource(resource) => {
                self.attributes("a resource attribute", &resource.attributes);
            }
            Item::Scope(scope) => {
                self.text("the scope's name", "scope name", &scope.name);
                self.text("the scope's version", "scope version", &scope.version);
                self.attributes("a scope attribute", &scope.attributes);
            }
            Item::Span(span, attributes, _) => self.span(span, attributes),
            Item::Metric(metric) => self.metric(metric),
            Item::Log(record) => self.log(record),
        }
    }

    fn span(&mut self, span: &Span, attributes: &[Seen<'_>]) {
        self.text("the span's name", "span name", &span.name);
        self.text("the trace state", "trace state", &span.trace_state);
        let words = "a span attribute";
        for (attribute, seen) in span.attributes.iter().zip(attributes) {
            // A name that the conventions know holds nothing itself.
            if seen.name.is_none() {
                self.text(words, NAME, &attribute.key);
            }
            self.attribute(words, attribute, seen.kept());
            if attribute.key == DEFINITIONS {
                self.definitions(attribute);
            }
        }
        if let Some(status) = &span.status {
            self.text("the status message", "status message", &status.message);
        }
        for event in &span.events {
            self.event(event);
        }
        for link in &span.links {
            self.text("the trace state of a link", "trace state", &link.trace_state);
            self.attributes("an attribute of a link", &link.attributes);
        }
    }

    fn event(&mut self, event: &Event) {
        self.text("the name of a span event", "event name", &event.name);
        if !content::is_message_event(&event.name) {
            return self.attributes("an attribute of a span event", &event.attributes);
        }
        for attribute in &event.attributes {
            let words = "an attribute of a message's event";
            self.text(words, NAME, &attribute.key);
            let kept = Kept::in_message_event(&attribute.key);
            let place = Place { kept, ..Place::new(words, &attribute.key) };
            self.value(place, attribute.value.as_ref());
        }
    }

    fn log(&mut self, record: &LogRecord) {
        self.text("the event's name", "event name", &record.event_name);
        self.text("the log's severity", "severity text", &record.severity_text);
        // Before log records had event names, an attribute named the event.
        let named = record.attributes.iter().find(|attribute| attribute.key == "event.name");
        let named = named.and_then(|attribute| value::inner(attribute.value.as_ref()));
        let event = value::text(named).unwrap_or(&record.event_name);
        let in_log_event = event.starts_with("gen_ai.");
        for attribute in &record.attributes {
            let words = "a log attribute";
            self.text(words, NAME, &attribute.key);
            let place = Place::new(words, &attribute.key);
            let kept = Kept::of(&attribute.key);
            self.value(Place { kept, in_log_event, ..place }, attribute.value.as_ref());
        }
        let is_message = content::is_message_event(event);
        let words = if is_message { "the body of a message's event" } else { "the log's body" };
        let kept = is_message.then_some(Kept::Messages);
        let place = Place { kept, in_log_event, ..Place::new(words, "body") };
        self.value(place, record.body.as_ref());
    }

    fn metric(&mut self, metric: &Metric) {
        self.text("the metric's name", "metric name", &metric.name);
        self.text("the metric's description", "description", &metric.description);
        self.text("the metric's unit", "unit", &metric.unit);
        self.attributes("the metric's own attributes", &metric.metadata);
        match &metric.data {
            None => {}
            Some(Data::Gauge(data)) => {
                data.data_points.iter().for_each(|p| self.point(&p.attributes, &p.exemplars));
            }
            Some(Data::Sum(data)) => {
                data.data_points.iter().for_each(|p| self.point(&p.attributes, &p.exemplars));
            }
            Some(Data::Histogram(data)) => {
                data.data_points.iter().for_each(|p| self.point(&p.attributes, &p.exemplars));
            }
            Some(Data::ExponentialHistogram(data)) => {
                data.data_points.iter().for_each(|p| self.point(&p.attributes, &p.exemplars));
            }
            Some(Data::Summary(data)) => {
                data.data_points.iter().for_each(|p| self.point(&p.attributes, &[]));
            }
        }
    }

    fn point(&mut self, own: &[KeyValue], exemplars: &[Exemplar]) {
        self.attributes("a metric attribute", own);
        for exemplar in exemplars {
            self.attributes("an attribute of an exemplar", &exemplar.filtered_attributes);
        }
    }

    fn attributes(&mut self, words: &'static str, attributes: &[KeyValue]) {
        for attribute in attributes {
            self.text(words, NAME, &attribute.key);
            self.attribute(words, attribute, Kept::of(&attribute.key));
        }
    }

    #[inline]
    fn attribute(&mut self, words: &'static str, attribute: &KeyValue, kept: Option<Kept>) {
        let value = attribute.value.as_ref();
        // Numbers and truth values hold nothing.
        if matches!(
            value::inner(value),
            Some(Value::IntValue(_) | Value::DoubleValue(_) | Value::BoolValue(_)) | None
        ) && kept.is_none()
        {
            return;
        }
        let place = Place::new(words, &attribute.key);
        self.value(Place { kept, ..place }, value);
    }

    /// Definitions of tools are the application's own text, and opt-in like content.
    fn definitions(&mut self, attribute: &KeyValue) {
        let allowance = self.redaction.allowance(false);
        let value = attribute.value.as_ref();
        let is_forbidden = !matches!(allowance, Allowance::Anything | Allowance::Truncated(_));
        if is_forbidden && content::describes_tools(value) {
            let shown = value::shown(&attribute.key, value::inner(value));
            let place = Place::new("a span attribute", &attribute.key);
            self.sight(place, Sight::Definitions(shown));
        }
    }

    fn text(&mut self, words: &'static str, name: &str, text: &str) {
        self.sweep.scan(self.scanner, text.as_bytes());
        if !self.sweep.hits.is_empty() {
            self.hit(Place::new(words, name));
        }
    }

    fn value(&mut self, place: Place<'_>, value: Option<&AnyValue>) {
        self.texts(value);
        let has_marker = !self.sweep.hits.is_empty() && self.hit(place);
        let Some(kept) = place.kept else { return };
        if has_marker {
            return;
        }
        // An attribute that is there for content has some, whether a marker tells or not.
        if kept.exceeds(value, self.redaction.allowance(place.in_log_event)) {
            let text = value::text(value::inner(value));
            self.sight(place, Sight::Content(text.map(str::len)));
        }
    }

    /// Notes what stands in the texts of a value, of any depth.
    fn texts(&mut self, value: Option<&AnyValue>) {
        match value::inner(value) {
            Some(Value::StringValue(text)) => self.sweep.scan(self.scanner, text.as_bytes()),
            Some(Value::BytesValue(bytes)) => self.sweep.scan(self.scanner, bytes),
            Some(Value::ArrayValue(array)) => {
                array.values.iter().for_each(|value| self.texts(Some(value)));
            }
            Some(Value::KvlistValue(list)) => {
                for entry in &list.values {
                    self.sweep.scan(self.scanner, entry.key.as_bytes());
                    self.texts(entry.value.as_ref());
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

    /// Makes sightings of what was hit. Says whether a marker stands where it may not.
    fn hit(&mut self, place: Place<'_>) -> bool {
        let in_log_event = place.in_log_event;
        let allowance = self.redaction.allowance(in_log_event);
        let may_hold = match allowance {
            Allowance::Anything => in_log_event || place.kept.is_some(),
            Allowance::Truncated(_) => place.kept.is_some(),
            _ => false,
        };
        let mut hits = std::mem::take(&mut self.sweep.hits);
        let mut has_marker = false;
        // Where content may stand anywhere, nobody looks for markers.
        let is_allowed = may_hold || self.redaction == Redaction::ContentAllowed;
        if let Some((leak, bytes)) = hits.marker
            && !is_allowed
        {
            has_marker = true;
            self.sight(place, Sight::Marker(leak, bytes));
        }
        let in_content = place.kept.is_some() || may_hold;
        for suspect in &hits.suspects {
            // Digits alone in an attribute for an identifier are one.
            if suspect.is_bare && suspect.planted.is_none() && is_identifier(place.name) {
                continue;
            }
            self.sight(place, Sight::Suspect { suspect: *suspect, in_content });
        }
        hits.clear();
        self.sweep.hits = hits;
        has_marker
    }

    fn sight(&mut self, place: Place<'_>, what: Sight) {
        let name = place.name.to_owned();
        self.sightings.push(Sighting { place: place.words, name, what });
    }
}

fn is_identifier(name: &str) -> bool {
    let last = name.rsplit(['.', '_', '-']).next().unwrap_or(name);
    ["id", "ids", "uuid", "offset", "timestamp"].iter().any(|word| last.eq_ignore_ascii_case(word))
        || name.ends_with("Id")
}

use spanproof_schemas::report::Level;

use crate::content;
use crate::finding::Finding;
use crate::otlp::{AnyValue, Data, Exemplar, KeyValue, LogRecord, Metric, Span, Value};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::scan::{Leak, Origin, Scanner, masked};
use crate::settings::Content;
use crate::value;
use crate::view::{ContentView, Item, Seen};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "redaction/content-leak",
    summary: "with content off, no text of a prompt or completion stands anywhere in telemetry",
    level: Level::Violation,
    basis: Basis::Policy,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Where content is off, the attributes that the conventions keep for it are \
            empty: `gen_ai.input.messages`, `gen_ai.output.messages`, \
            `gen_ai.system_instructions`, `gen_ai.prompt`, `gen_ai.completion`, the arguments and \
            results of tool calls, and the bodies of events of one message each, such as \
            `gen_ai.user.message`. Placeholders such as `[REDACTED]` or `***`, hashes, and \
            messages of nothing but roles and types are no content. Definitions of tools, which are \
            opt-in too, are an improvement if they are more than names and types. With a ledger also: every \
            text of every item, GenAI or not, for the markers that the run \
            planted in prompts and completions: span names, attribute names and values of any \
            depth, bytes, events, links, status messages, trace state, resources, scopes, metric \
            attributes and exemplars, log bodies and attributes. Markers are found plain, with \
            JSON escapes, in base64 at any alignment and in either alphabet, and with percent \
            escapes; also when the text was cut after the first characters of a marker. The rule \
            is quiet when the user allows content. \
            The leaked text itself is never printed.",
        why: "Prompts hold personal and confidential text. Telemetry is kept longer, copied \
            further and read by more people than the application's own data.",
        example: "`gen_ai.input.messages` on a span although content capture is off; or a prompt \
            quoted in the message of a validation error, which became the span's status message.",
        how_to_mend: "Switch content capture off, or redact where the finding points. Exception \
            messages and status messages need redaction too: services quote their input.",
    },
    checks: &[Check::Content(check)],
};

fn check(view: &ContentView<'_>) -> Vec<Finding> {
    if view.content == Content::Allowed {
        return Vec::new();
    }
    let mut search = Search { scanner: view.scanner, findings: Vec::new() };
    match view.item {
        Item::Resource(resource) => search.attributes("a resource attribute", &resource.attributes),
        Item::Scope(scope) => {
            search.text("the scope's name", "scope name", &scope.name);
            search.text("the scope's version", "scope version", &scope.version);
            search.attributes("a scope attribute", &scope.attributes);
        }
        Item::Span(span, attributes) => search.span(span, attributes),
        Item::Metric(metric) => search.metric(metric),
        Item::Log(record) => search.log(record),
    }
    search.findings
}

struct Search<'a> {
    scanner: Option<&'a Scanner>,
    findings: Vec<Finding>,
}

impl Search<'_> {
    fn span(&mut self, span: &Span, attributes: &[Seen<'_>]) {
        self.text("the span's name", "span name", &span.name);
        self.text("the trace state", "trace state", &span.trace_state);
        for (attribute, seen) in span.attributes.iter().zip(attributes) {
            // A name that the conventions know holds no content.
            if seen.name.is_none() {
                self.key("a span attribute", &attribute.key);
            }
            let value = attribute.value.as_ref();
            // Numbers and truth values hold neither.
            if matches!(
                seen.value,
                Some(Value::IntValue(_) | Value::DoubleValue(_) | Value::BoolValue(_)) | None
            ) {
                continue;
            }
            self.attribute("a span attribute", &attribute.key, value);
            if attribute.key == "gen_ai.tool.definitions" {
                self.definitions(&attribute.key, value);
            }
        }
        if let Some(status) = &span.status {
            self.text("the status message", "status message", &status.message);
        }
        for event in &span.events {
            self.text("the name of a span event", "event name", &event.name);
            self.attributes("an attribute of a span event", &event.attributes);
            if !content::is_message_event(&event.name) {
                continue;
            }
            for attribute in &event.attributes {
                let value = attribute.value.as_ref();
                let is_marked =
                    self.scanner.is_some_and(|scanner| leak_in(scanner, value).is_some());
                if !is_marked && content::stands_in_attribute_of_event(attribute) {
                    let place = "an attribute of a message's event";
                    self.set(place, &attribute.key, value::inner(value));
                }
            }
        }
        for link in &span.links {
            self.text("the trace state of a link", "trace state", &link.trace_state);
            self.attributes("an attribute of a link", &link.attributes);
        }
    }

    fn log(&mut self, record: &LogRecord) {
        self.text("the event's name", "event name", &record.event_name);
        self.text("the log's severity", "severity text", &record.severity_text);
        self.attributes("a log attribute", &record.attributes);
        let body = record.body.as_ref();
        if self.value("the log's body", "body", body) {
            return;
        }
        // Before log records had event names, an attribute named the event.
        let named = record.attributes.iter().find(|attribute| attribute.key == "event.name");
        let named = named.and_then(|attribute| value::inner(attribute.value.as_ref()));
        let event = value::text(named).unwrap_or(&record.event_name);
        if content::is_message_event(event) && content::stands_in_event(body) {
            self.set("the body of a message's event", "body", value::inner(body));
        }
    }

    fn metric(&mut self, metric: &Metric) {
        self.text("the metric's name", "metric name", &metric.name);
        self.text("the metric's description", "description", &metric.description);
        self.text("the metric's unit", "unit", &metric.unit);
        self.attributes("the metric's own attributes", &metric.metadata);
        let point = "a metric attribute";
        match &metric.data {
            None => {}
            Some(Data::Gauge(data)) => {
                for p in &data.data_points {
                    self.attributes(point, &p.attributes);
                    self.exemplars(&p.exemplars);
                }
            }
            Some(Data::Sum(data)) => {
                for p in &data.data_points {
                    self.attributes(point, &p.attributes);
                    self.exemplars(&p.exemplars);
                }
            }
            Some(Data::Histogram(data)) => {
                for p in &data.data_points {
                    self.attributes(point, &p.attributes);
                    self.exemplars(&p.exemplars);
                }
            }
            Some(Data::ExponentialHistogram(data)) => {
                for p in &data.data_points {
                    self.attributes(point, &p.attributes);
                    self.exemplars(&p.exemplars);
                }
            }
            Some(Data::Summary(data)) => {
                for p in &data.data_points {
                    self.attributes(point, &p.attributes);
                }
            }
        }
    }

    fn exemplars(&mut self, exemplars: &[Exemplar]) {
        for exemplar in exemplars {
            self.attributes("an attribute of an exemplar", &exemplar.filtered_attributes);
        }
    }

    fn attributes(&mut self, place: &'static str, attributes: &[KeyValue]) {
        for attribute in attributes {
            self.key(place, &attribute.key);
            self.attribute(place, &attribute.key, attribute.value.as_ref());
        }
    }

    fn attribute(&mut self, place: &'static str, name: &str, value: Option<&AnyValue>) {
        if !self.value(place, name, value) && content::stands_in(name, value) {
            self.set(place, name, value::inner(value));
        }
    }

    /// An attribute that is there for content has some, whether a marker tells or not.
    fn set(&mut self, place: &'static str, name: &str, value: Option<&Value>) {
        let size = match value {
            Some(Value::StringValue(text)) => format!("(masked: {} bytes of content)", text.len()),
            _ => "(masked: content)".to_owned(),
        };
        self.findings.push(
            Finding::new(format!("content is off, and {place} holds some"))
                .attribute(name.to_owned())
                .expected("no content")
                .actual(size),
        );
    }

    /// Definitions of tools are the application's own text, and opt-in like content.
    fn definitions(&mut self, name: &str, value: Option<&AnyValue>) {
        if !content::describes_tools(value) {
            return;
        }
        let finding = Finding::new("content is off, and the definitions of tools are captured");
        let finding = finding.level(Level::Improvement).attribute(name.to_owned());
        let actual = value::shown(name, value::inner(value));
        self.findings.push(finding.expected("names and types at most").actual(actual));
    }

    fn key(&mut self, place: &'static str, key: &str) {
        if let Some(leak) = self.scanner.and_then(|scanner| scanner.find(key)) {
            // A key that holds content must not be printed as the attribute's name.
            self.found(place, leak, "(attribute name)", key.len());
        }
    }

    /// Whether a marker was found.
    fn value(&mut self, place: &'static str, name: &str, value: Option<&AnyValue>) -> bool {
        let leak = self.scanner.and_then(|scanner| leak_in(scanner, value));
        if let Some((leak, bytes)) = leak {
            self.found(place, leak, name, bytes);
        }
        leak.is_some()
    }

    fn text(&mut self, place: &'static str, name: &'static str, text: &str) {
        if let Some(leak) = self.scanner.and_then(|scanner| scanner.find(text)) {
            self.found(place, leak, name, text.len());
        }
    }

    fn found(&mut self, place: &'static str, leak: Leak, name: &str, bytes: usize) {
        let whose = match leak.origin {
            Origin::Prompt => "a prompt",
            Origin::Completion => "a completion",
            Origin::Unknown => "a prompt or completion",
        };
        self.findings.push(
            Finding::new(format!("content is off, and text of {whose} stands in {place}"))
                .attribute(name.to_owned())
                .expected("no content")
                .actual(format!("{}, {}", leak.encoding.word(), masked(bytes))),
        );
    }
}

/// The first marker in a value of any depth, with the length of the text it stands in.
fn leak_in(scanner: &Scanner, value: Option<&AnyValue>) -> Option<(Leak, usize)> {
    let find = |bytes: &[u8]| scanner.find(bytes).map(|leak| (leak, bytes.len()));
    match value?.value.as_ref()? {
        Value::StringValue(text) => find(text.as_bytes()),
        Value::BytesValue(bytes) => find(bytes),
        Value::ArrayValue(array) => {
            array.values.iter().find_map(|value| leak_in(scanner, Some(value)))
        }
        Value::KvlistValue(list) => list.values.iter().find_map(|entry| {
            find(entry.key.as_bytes()).or_else(|| leak_in(scanner, entry.value.as_ref()))
        }),
        Value::BoolValue(_)
        | Value::IntValue(_)
        | Value::DoubleValue(_)
        | Value::StringValueStrindex(_) => None,
    }
}

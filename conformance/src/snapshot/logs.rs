//! Log records, each with its span.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message as _;

use super::attributes::Values;
use super::origin::{Named, Origin};
use super::spans::Id;
use super::text::{Lines, quoted};

/// The attribute that named events before log records had a field for it.
const EVENT_NAME: &str = "event.name";

/// The log records so far, by where they come from and their encoding: one that an exporter sent
/// again counts once.
#[derive(Debug, Default)]
pub(super) struct Logs(BTreeMap<(Origin, Vec<u8>), LogRecord>);

/// Log records as they are written, by the span that they carry the ids of.
pub(super) type BySpan = BTreeMap<Id, Vec<Lines>>;

impl Logs {
    pub(super) fn add(&mut self, origin: Origin, record: LogRecord) {
        self.0.insert((origin, record.encode_to_vec()), record);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn by_span(&self, named: &Named, values: &Values<'_>) -> BySpan {
        let mut by_span = BySpan::new();
        for ((origin, _), record) in &self.0 {
            let id = Id { trace: record.trace_id.clone(), span: record.span_id.clone() };
            by_span.entry(id).or_default().push(lines(record, named.label(*origin), values));
        }
        by_span
    }
}

fn lines(record: &LogRecord, scope: &str, values: &Values<'_>) -> Lines {
    let mut lines = Lines::default();
    let is_named_by_attribute = record.attributes.iter().any(|it| it.key == EVENT_NAME);
    let name = match record.event_name.as_str() {
        "" if is_named_by_attribute => String::new(),
        "" => " without event name".to_owned(),
        name => format!(" {}", quoted(name)),
    };
    lines.push(0, format!("log record{name}"));
    lines.push(1, format!("scope {scope}"));
    if record.severity_number != 0 || !record.severity_text.is_empty() {
        let text = match record.severity_text.as_str() {
            "" => String::new(),
            text => format!(" {}", quoted(text)),
        };
        lines.push(1, format!("severity {}{text}", record.severity_number));
    }
    if record.body.is_some() {
        let is_content = values.withheld.content && is_message(record);
        let body =
            if is_content { "<content>".to_owned() } else { values.value(record.body.as_ref()) };
        lines.push(1, format!("body {body}"));
    }
    lines.nest(1, &values.attributes(&record.attributes, record.dropped_attributes_count));
    lines
}

/// Whether the body is a message of a conversation.
fn is_message(record: &LogRecord) -> bool {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let attribute = record.attributes.iter().find(|it| it.key == EVENT_NAME);
    let named = attribute.and_then(|it| match it.value.as_ref()?.value.as_ref()? {
        Value::StringValue(name) => Some(name.as_str()),
        _ => None,
    });
    [Some(record.event_name.as_str()), named]
        .into_iter()
        .flatten()
        .any(|name| name.starts_with("gen_ai."))
}

/// Writes the log records that belong to no span of the snapshot.
pub(super) fn write_astray(astray: BySpan, lines: &mut Lines) {
    let mut blocks = Vec::new();
    for (id, records) in astray {
        for mut record in records {
            if !id.span.is_empty() {
                record.push(1, "(its span was not captured)");
            } else if !id.trace.is_empty() {
                record.push(1, "(of a trace, without a span)");
            }
            blocks.push(record);
        }
    }
    if !blocks.is_empty() {
        lines.push(0, "log records outside spans");
        lines.sorted(1, blocks);
    }
}

//! Log records and events.

use spanproof_schemas::report::Subject;

use super::events::{Emitted, is_judged};
use crate::catalogue::{Conventions, catalogue};
use crate::intake::Intake;
use crate::model::{SpanId, hex};
use crate::otlp::{ExportLogsServiceRequest, LogRecord};
use crate::value;
use crate::view::{Carrier, Item};

/// Where log records come from.
#[derive(Clone, Copy)]
struct Origin<'a> {
    scope: &'a str,
    stated: Option<&'static Conventions>,
}

impl Intake {
    /// Takes in log records.
    pub fn logs(&mut self, request: &ExportLogsServiceRequest) {
        for resource_logs in &request.resource_logs {
            self.resource(resource_logs.resource.as_ref());
            for scope_logs in &resource_logs.scope_logs {
                let scope = scope_logs.scope.as_ref();
                self.scope(scope);
                let url = super::schema_url(&scope_logs.schema_url, &resource_logs.schema_url);
                let origin = Origin {
                    scope: scope.map_or("", |scope| scope.name.as_str()),
                    stated: catalogue().stated_by(url),
                };
                for record in &scope_logs.log_records {
                    self.log(record, origin);
                }
            }
        }
    }

    fn log(&mut self, record: &LogRecord, origin: Origin<'_>) {
        self.telemetry.log_records += 1;
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        // Ids of another length are no ids, and none that a report could show as such.
        let id = |bytes: &[u8], length| (bytes.len() == length).then(|| hex(bytes));
        self.search(Item::Log(record), || Subject {
            trace_id: id(&record.trace_id, 16),
            span_id: id(&record.span_id, 8),
            event: some(&record.event_name),
            scope: some(origin.scope),
            ..Subject::default()
        });
        let name = event_name(record);
        if is_judged(name) {
            self.event(&Emitted {
                name,
                attributes: &record.attributes,
                body: value::inner(record.body.as_ref()),
                carrier: Carrier::Log(record),
                span: SpanId::new(&record.trace_id, &record.span_id),
                scope: origin.scope,
                time_unix_nanos: record.time_unix_nano.max(record.observed_time_unix_nano),
                stated: origin.stated,
            });
        }
    }
}

/// The name of the event that a record is; before records had a field for it, an attribute named
/// the event.
fn event_name(record: &LogRecord) -> &str {
    if !record.event_name.is_empty() {
        return &record.event_name;
    }
    let named = record.attributes.iter().find(|attribute| attribute.key == "event.name");
    let named = named.and_then(|attribute| value::inner(attribute.value.as_ref()));
    value::text(named).unwrap_or_default()
}

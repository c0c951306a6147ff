//! Log records and events.

use spanproof_schemas::report::Subject;

use crate::intake::Intake;
use crate::model::hex;
use crate::otlp::ExportLogsServiceRequest;
use crate::view::Item;

impl Intake {
    /// Takes in log records.
    pub fn logs(&mut self, request: &ExportLogsServiceRequest) {
        for resource_logs in &request.resource_logs {
            self.resource(resource_logs.resource.as_ref());
            for scope_logs in &resource_logs.scope_logs {
                let scope = scope_logs.scope.as_ref();
                self.scope(scope);
                for record in &scope_logs.log_records {
                    self.telemetry.log_records += 1;
                    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
                    self.search(Item::Log(record), || Subject {
                        trace_id: some(&hex(&record.trace_id)),
                        span_id: some(&hex(&record.span_id)),
                        event: some(&record.event_name),
                        scope: scope.and_then(|scope| some(&scope.name)),
                        ..Subject::default()
                    });
                }
            }
        }
    }
}

use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::EventView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "events/severity",
    summary: "an exception event has the severity WARN",
    level: Level::Improvement,
    basis: Basis::Should("gen_ai.client.operation.exception, \"SHOULD set the severity to WARN\""),
    since: Some("1.41.1"),
    until: None,
    docs: Docs {
        what_it_checks: "The severity number of log records that are \
            `gen_ai.client.operation.exception`: 13, which is WARN.",
        why: "Filters and alerts go by severity. A call that failed and was retried is no ERROR of \
            the application, and as INFO nobody sees it.",
        example: "`gen_ai.client.operation.exception` with severity number 17 (ERROR).",
        how_to_mend: "Set the severity number to 13 when the event is emitted.",
    },
    checks: &[Check::Event(check)],
};

/// WARN in the log data model.
const WARN: i32 = 13;

fn check(view: &EventView<'_>) -> Vec<Finding> {
    let Some(record) = view.log() else { return Vec::new() };
    let is_due = view.name == "gen_ai.client.operation.exception" && view.definition.is_some();
    if !is_due || record.severity_number == WARN {
        return Vec::new();
    }
    vec![
        Finding::new("the exception event has another severity than WARN")
            .attribute("severity_number")
            .expected(WARN.to_string())
            .actual(record.severity_number.to_string()),
    ]
}

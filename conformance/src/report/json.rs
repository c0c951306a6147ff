//! JSON, by `report.schema.json`.

use spanproof_schemas::report::Report;

/// The report as indented JSON.
///
/// # Panics
///
/// Never: a report has no map with keys that are not text, and nothing else fails.
#[must_use]
pub fn json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report is always JSON");
    text.push('\n');
    text
}

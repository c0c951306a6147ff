//! JSON lines, by `report-line.schema.json`: a line for each group of findings, worst first, one for
//! each expected deviation, and a summary as the last line, so that a reader knows that nothing is
//! missing.

use spanproof_schemas::report::Report;
use spanproof_schemas::report_line::{ReportLine, Summary};

/// The report as JSON lines.
///
/// # Panics
///
/// Never: a line has no map with keys that are not text, and nothing else fails.
#[must_use]
pub fn jsonl(report: &Report) -> String {
    let findings = report.findings.iter().cloned().map(ReportLine::Finding);
    let deviations = report.deviations.iter().cloned().map(ReportLine::Deviation);
    let summary = ReportLine::Summary(Box::new(Summary::of(report)));
    let lines = findings.chain(deviations).chain([summary]);
    let mut text = String::new();
    for line in lines {
        text.push_str(&serde_json::to_string(&line).expect("a line is always JSON"));
        text.push('\n');
    }
    text
}

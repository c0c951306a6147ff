//! The lines of `--report jsonl`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::{
    Cost, Deviation, FindingGroup, Join, Level, Report, RuleState, Telemetry, UsageComparison,
    Verdict,
};

/// One line. `report-line.schema.json` is its JSON Schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum ReportLine {
    /// What one rule found with one message.
    Finding(FindingGroup),
    /// What the project expects to be found, and what became of it.
    Deviation(Deviation),
    /// The last line.
    Summary(Box<Summary>),
}

/// What a run came to, without what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// [`crate::report::REPORT_VERSION`] of the writer.
    pub version: u32,
    /// The outcome in one word.
    pub verdict: Verdict,
    /// The lowest level that fails a run.
    pub fail_on: Level,
    /// Spans judged, by version of the conventions.
    pub semconv: BTreeMap<String, u64>,
    /// What was captured.
    pub telemetry: Telemetry,
    /// How calls and spans were brought together; absent without a ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<Join>,
    /// Tokens served and reported.
    pub usage: UsageComparison,
    /// What the tokens cost; absent without a ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The ids of the rules, by what became of them.
    pub rules: BTreeMap<RuleState, Vec<String>>,
    /// How many lines of findings come before this one.
    pub findings: u64,
    /// How many lines of expected deviations come before this one.
    pub deviations: u64,
}

impl Summary {
    /// The summary of `report`.
    #[must_use]
    pub fn of(report: &Report) -> Summary {
        let mut rules: BTreeMap<RuleState, Vec<String>> = BTreeMap::new();
        for rule in &report.rules {
            rules.entry(rule.state).or_default().push(rule.id.clone());
        }
        Summary {
            version: report.version,
            verdict: report.verdict,
            fail_on: report.fail_on,
            semconv: report.semconv.clone(),
            telemetry: report.telemetry,
            join: report.join.clone(),
            usage: report.usage,
            cost: report.cost.clone(),
            rules,
            findings: report.findings.len() as u64,
            deviations: report.deviations.len() as u64,
        }
    }
}

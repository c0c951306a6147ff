//! What became of each rule, so that a report can show what was checked and not only what failed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Level;

/// A rule and what became of it in a run, with enough of its page to explain its findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleOutcome {
    /// `group/name`
    pub id: String,
    /// What it asks, in one line without a full stop.
    pub summary: String,
    /// How grave a plain finding is: the user's level, else the rule's own.
    pub level: Level,
    /// Whether it was checked.
    pub state: RuleState,
    /// How many items of each kind it looked at.
    pub checked: BTreeMap<Checked, u64>,
    /// How often it found something that is not expected.
    pub findings: u64,
    /// How often it found something that is.
    pub expected: u64,
    /// What it rests on.
    pub basis: String,
    /// What it looks at and what it leaves alone, in Markdown.
    pub what_it_checks: String,
    /// What goes wrong otherwise, in Markdown.
    pub why: String,
    /// Telemetry that it finds fault with, in Markdown.
    pub example: String,
    /// What to change, in Markdown.
    pub how_to_mend: String,
    /// Where the conventions speak of what it asks.
    pub reference: String,
}

/// Whether a rule was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    /// There were items for it to look at.
    Checked,
    /// There were none, so that it says nothing about them.
    NothingToCheck,
    /// The user turned it off.
    Off,
}

/// The kinds of item that rules look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// GenAI spans, one by one.
    Spans,
    /// Whatever text can stand in: resources, scopes, spans, metrics, log records.
    Texts,
    /// GenAI events, whether log records or events of spans.
    Events,
    /// Exports of GenAI metrics.
    Metrics,
    /// Sets of attributes of GenAI metric points.
    Points,
    /// Calls of the ledger, each with its span.
    Calls,
    /// Instrumentation scopes.
    Scopes,
    /// Metric points against the spans of the whole run.
    MetricSums,
    /// The spans of the whole run, together.
    Run,
    /// Commands that ran with and without instrumentation.
    Comparisons,
    /// The telemetry of the run beside its snapshot.
    Snapshots,
}

impl Checked {
    /// The noun for one of them.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Checked::Spans => "span",
            Checked::Texts => "item with text",
            Checked::Events => "event",
            Checked::Metrics => "exported metric",
            Checked::Points => "metric point",
            Checked::Calls => "call",
            Checked::Scopes => "scope",
            Checked::MetricSums => "metric stream",
            Checked::Run => "span of the run",
            Checked::Comparisons => "compared command",
            Checked::Snapshots => "snapshot",
        }
    }
}

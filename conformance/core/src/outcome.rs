//! What became of each rule: whether there was anything for it to look at, and what it found.

use std::collections::BTreeMap;

use spanproof_schemas::report::{Checked, FindingGroup, RuleOutcome, RuleState};

use crate::rules::{Check, RULES, Rule};
use crate::settings::Settings;
use crate::settlement::Settlement;

/// How many items of each kind were looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Looks {
    /// GenAI spans that speak the conventions.
    pub(crate) spans: u64,
    /// Whatever text can stand in.
    pub(crate) texts: u64,
    /// GenAI events.
    pub(crate) events: u64,
    /// Exports of GenAI metrics.
    pub(crate) metrics: u64,
    /// Sets of attributes of GenAI metric points.
    pub(crate) points: u64,
    /// Calls of the ledger.
    pub(crate) calls: u64,
    /// Scopes with GenAI telemetry.
    pub(crate) scopes: u64,
    /// GenAI spans, each once, in any vocabulary.
    pub(crate) standings: u64,
    /// Of which so many have metrics of the conventions.
    pub(crate) scopes_with_metrics: u64,
    /// Commands that ran with and without instrumentation.
    pub(crate) comparisons: u64,
    /// Snapshots.
    pub(crate) snapshots: u64,
    /// Streams of the metrics that are summed.
    pub(crate) metric_streams: u64,
}

impl Looks {
    /// Adds the items of another part of the telemetry.
    pub(crate) fn merge(&mut self, other: Looks) {
        self.spans += other.spans;
        self.texts += other.texts;
        self.events += other.events;
        self.metrics += other.metrics;
        self.points += other.points;
        self.calls += other.calls;
        self.scopes += other.scopes;
        self.scopes_with_metrics += other.scopes_with_metrics;
        self.metric_streams += other.metric_streams;
        self.standings += other.standings;
        self.snapshots += other.snapshots;
        self.comparisons += other.comparisons;
    }

    fn of(self, check: Check, rule: &Rule) -> (Checked, u64) {
        // What the wider checks look at is told by the rule's id alone.
        let is_about_metrics = rule.id.contains("metric");
        match check {
            Check::Span(_) => (Checked::Spans, self.spans),
            Check::Content(_) => (Checked::Texts, self.texts),
            Check::Event(_) => (Checked::Events, self.events),
            Check::Metric(_) => (Checked::Metrics, self.metrics),
            Check::Point(_) => (Checked::Points, self.points),
            Check::Call(_) => (Checked::Calls, self.calls),
            Check::Scope(_) if is_about_metrics => (Checked::Scopes, self.scopes_with_metrics),
            Check::Scope(_) => (Checked::Scopes, self.scopes),
            Check::Run(_) if is_about_metrics => (Checked::MetricSums, self.metric_streams),
            Check::Behaviour(_) => (Checked::Comparisons, self.comparisons),
            Check::Snapshot(_) => (Checked::Snapshots, self.snapshots),
            Check::Standing(_) => (Checked::Run, self.standings),
            Check::Run(_) => (Checked::Run, self.spans),
        }
    }
}

/// Every rule, by id.
pub(crate) fn outcomes(
    settings: &Settings,
    looks: Looks,
    settlement: &Settlement,
) -> Vec<RuleOutcome> {
    RULES.iter().map(|rule| outcome(rule, settings, looks, settlement)).collect()
}

fn outcome(rule: &Rule, settings: &Settings, looks: Looks, settlement: &Settlement) -> RuleOutcome {
    let fixed = settings.level_override(rule.id);
    let count = |groups: &[FindingGroup]| {
        let own = groups.iter().filter(|group| group.rule == rule.id);
        own.fold(0_u64, |sum, group| sum.saturating_add(group.count))
    };
    let findings = count(&settlement.findings);
    let baseline = settlement.baseline.iter().map(|(_, expected)| expected);
    let expected = settlement.deviations.iter().chain(baseline);
    let expected = expected.map(|expected| count(&expected.findings)).sum();
    let checked: BTreeMap<Checked, u64> = match fixed {
        Some(None) => BTreeMap::new(),
        _ => rule.checks.iter().map(|check| looks.of(*check, rule)).collect(),
    };
    let state = match fixed {
        Some(None) => RuleState::Off,
        // A rule about the run may find fault with what is not there.
        _ if findings == 0 && expected == 0 && checked.values().all(|items| *items == 0) => {
            RuleState::NothingToCheck
        }
        _ => RuleState::Checked,
    };
    RuleOutcome {
        id: rule.id.to_owned(),
        summary: rule.summary.to_owned(),
        level: fixed.flatten().unwrap_or(rule.level),
        state,
        checked,
        findings,
        expected,
        basis: rule.basis.describe(),
        what_it_checks: rule.docs.what_it_checks.to_owned(),
        why: rule.docs.why.to_owned(),
        example: rule.docs.example.to_owned(),
        how_to_mend: rule.docs.how_to_mend.to_owned(),
        reference: rule.reference().to_owned(),
    }
}

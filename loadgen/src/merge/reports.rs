//! One report of several about parts of the same load.

use std::collections::BTreeMap;

use spanproof_schemas::report::{
    Cost, FindingGroup, Join, Level, Report, RuleState, TokenCounts, TruthTable, Verdict,
};

/// How many examples of a finding are kept, and how many traces and calls.
const KEPT_EXAMPLES: usize = 5;
const KEPT_TRACES: usize = 20;
const KEPT_CALLS: usize = 200;

/// The report of all: counts added up, findings of one kind put together, the worst verdict. The load
/// is left out.
pub(super) fn merged<'r>(reports: impl Iterator<Item = &'r Report> + Clone) -> Report {
    let mut parts = reports.clone();
    let mut whole = parts.next().cloned().unwrap_or_else(empty);
    whole.load = None;
    for part in parts {
        whole.verdict = worse(whole.verdict, part.verdict);
        for (version, spans) in &part.semconv {
            add(whole.semconv.entry(version.clone()).or_default(), *spans);
        }
        let (sum, more) = (&mut whole.telemetry, part.telemetry);
        add(&mut sum.spans, more.spans);
        add(&mut sum.gen_ai_spans, more.gen_ai_spans);
        add(&mut sum.metric_points, more.metric_points);
        add(&mut sum.log_records, more.log_records);
        join(&mut whole.join, part.join.as_ref());
        tokens(&mut whole.usage.served, part.usage.served);
        tokens(&mut whole.usage.reported, part.usage.reported);
        cost(&mut whole.cost, part.cost.as_ref());
        rules(&mut whole, part);
        truth(&mut whole.truth, part.truth.as_ref());
        coverage(&mut whole, part);
        let room = KEPT_TRACES.saturating_sub(whole.traces.len());
        whole.traces.extend(part.traces.iter().take(room).cloned());
    }
    whole.findings = findings(reports.clone().flat_map(|report| &report.findings));
    whole.deviations = reports.flat_map(|report| report.deviations.clone()).fold(
        Vec::new(),
        |mut all, deviation| {
            // What a shard expects, all expect; what is said of it twice is said once.
            if !all.contains(&deviation) {
                all.push(deviation);
            }
            all
        },
    );
    whole
}

fn empty() -> Report {
    Report {
        version: spanproof_schemas::report::REPORT_VERSION,
        verdict: Verdict::NothingCaptured,
        fail_on: Level::Violation,
        semconv: BTreeMap::new(),
        load: None,
        telemetry: spanproof_schemas::report::Telemetry::default(),
        join: None,
        findings: Vec::new(),
        deviations: Vec::new(),
        usage: spanproof_schemas::report::UsageComparison::default(),
        cost: None,
        rules: Vec::new(),
        traces: Vec::new(),
        truth: None,
        coverage: Vec::new(),
    }
}

/// Nothing captured by one shard of several is worse than findings: part of the load was not judged.
fn worse(one: Verdict, other: Verdict) -> Verdict {
    one.max(other)
}

fn findings<'r>(groups: impl Iterator<Item = &'r FindingGroup>) -> Vec<FindingGroup> {
    let mut whole: Vec<FindingGroup> = Vec::new();
    for group in groups {
        let same = |known: &&mut FindingGroup| {
            (&known.rule, known.level, &known.message) == (&group.rule, group.level, &group.message)
        };
        match whole.iter_mut().find(same) {
            Some(known) => {
                add(&mut known.count, group.count);
                let room = KEPT_EXAMPLES.saturating_sub(known.examples.len());
                known.examples.extend(group.examples.iter().take(room).cloned());
            }
            None => whole.push(group.clone()),
        }
    }
    whole.sort_by(|one, other| other.level.cmp(&one.level).then_with(|| one.rule.cmp(&other.rule)));
    whole
}

fn join(whole: &mut Option<Join>, part: Option<&Join>) {
    let Some(part) = part else { return };
    let whole = whole.get_or_insert_default();
    add(&mut whole.calls, part.calls);
    add(&mut whole.matched, part.matched);
    add(&mut whole.unmatched_calls, part.unmatched_calls);
    add(&mut whole.unmatched_spans, part.unmatched_spans);
    for (means, calls) in &part.by {
        add(whole.by.entry(*means).or_default(), *calls);
    }
}

fn tokens(whole: &mut TokenCounts, part: TokenCounts) {
    add(&mut whole.input_tokens, part.input_tokens);
    add(&mut whole.output_tokens, part.output_tokens);
    add(&mut whole.cache_read_input_tokens, part.cache_read_input_tokens);
    add(&mut whole.cache_write_input_tokens, part.cache_write_input_tokens);
}

fn cost(whole: &mut Option<Cost>, part: Option<&Cost>) {
    match (whole, part) {
        (_, None) => {}
        (whole @ None, Some(part)) => *whole = Some(part.clone()),
        (Some(whole), Some(part)) => {
            whole.served_usd += part.served_usd;
            whole.reported_usd += part.reported_usd;
            for model in &part.unpriced_models {
                if !whole.unpriced_models.contains(model) {
                    whole.unpriced_models.push(model.clone());
                }
            }
            whole.unpriced_models.sort();
        }
    }
}

/// All shards run one program, and so have the same rules.
fn rules(whole: &mut Report, part: &Report) {
    for rule in &part.rules {
        let Some(known) = whole.rules.iter_mut().find(|known| known.id == rule.id) else {
            whole.rules.push(rule.clone());
            continue;
        };
        if rule.state == RuleState::Checked {
            known.state = RuleState::Checked;
        }
        for (kind, items) in &rule.checked {
            add(known.checked.entry(*kind).or_default(), *items);
        }
        add(&mut known.findings, rule.findings);
        add(&mut known.expected, rule.expected);
    }
}

fn truth(whole: &mut Option<TruthTable>, part: Option<&TruthTable>) {
    let Some(part) = part else { return };
    let whole = whole.get_or_insert_default();
    add(&mut whole.calls, part.calls);
    add(&mut whole.calls_with_findings, part.calls_with_findings);
    let room = KEPT_CALLS.saturating_sub(whole.rows.len());
    whole.rows.extend(part.rows.iter().take(room).cloned());
}

fn coverage(whole: &mut Report, part: &Report) {
    for table in &part.coverage {
        let same = |known: &&mut spanproof_schemas::report::Coverage| {
            (&known.semconv, &known.span_type) == (&table.semconv, &table.span_type)
        };
        let Some(known) = whole.coverage.iter_mut().find(same) else {
            whole.coverage.push(table.clone());
            continue;
        };
        add(&mut known.spans, table.spans);
        for attribute in &table.attributes {
            match known.attributes.iter_mut().find(|known| known.name == attribute.name) {
                Some(known) => add(&mut known.spans, attribute.spans),
                None => known.attributes.push(attribute.clone()),
            }
        }
        known.attributes.sort_by(|one, other| one.name.cmp(&other.name));
    }
}

fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

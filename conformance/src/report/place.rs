//! Where a finding points, and the trace that it stands in.

use spanproof_schemas::report::{
    Checked, Example, FindingGroup, Report, RuleOutcome, Subject, TraceExcerpt,
};

use super::number::{counted, grouped};

/// Whichever of its fields a subject has, each with a label, for the reader to look it up.
pub(super) fn place(subject: &Subject) -> Vec<(&'static str, String)> {
    let mut parts = Vec::new();
    for (label, value) in [
        ("metric", &subject.metric),
        ("event", &subject.event),
        ("trace", &subject.trace_id),
        ("span", &subject.span_id),
    ] {
        if let Some(value) = value {
            parts.push((label, value.clone()));
        }
    }
    if let Some(exchange) = subject.exchange {
        parts.push(("ledger sequence", exchange.to_string()));
    }
    // Trace and span say more exactly where to look.
    if let (Some(scope), None) = (&subject.scope, &subject.span_id) {
        parts.push(("scope", scope.clone()));
    }
    parts
}

/// The excerpt with the example's span, if the report has it.
pub(super) fn excerpt<'a>(report: &'a Report, example: &Example) -> Option<&'a TraceExcerpt> {
    let Subject { trace_id: Some(trace), span_id: Some(span), .. } = &example.subject else {
        return None;
    };
    report.traces.iter().find(|excerpt| {
        excerpt.trace_id == *trace && excerpt.spans.iter().any(|known| known.span_id == *span)
    })
}

/// The rule of a group, as the report knows it.
pub(super) fn rule<'a>(report: &'a Report, group: &FindingGroup) -> Option<&'a RuleOutcome> {
    report.rules.iter().find(|rule| rule.id == group.rule)
}

/// The groups by rule and level, in their order: the worst first, one rule after the other.
pub(super) fn by_rule(findings: &[FindingGroup]) -> Vec<&[FindingGroup]> {
    findings.chunk_by(|one, other| (one.level, &one.rule) == (other.level, &other.rule)).collect()
}

/// What a rule looked at: `80,000 calls and 3 scopes`.
pub(super) fn looked_at(rule: &RuleOutcome) -> String {
    let some = rule.checked.iter().filter(|(_, items)| **items > 0);
    let parts: Vec<String> = some.map(|(kind, items)| kinds(*kind, *items)).collect();
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => parts.concat(),
    }
}

/// How often a rule found something: `3`, or `3, 12 expected`.
pub(super) fn found(rule: &RuleOutcome) -> String {
    match rule.expected {
        0 => grouped(rule.findings),
        expected if rule.findings == 0 => format!("{} expected", grouped(expected)),
        expected => format!("{}, {} expected", grouped(rule.findings), grouped(expected)),
    }
}

fn kinds(kind: Checked, items: u64) -> String {
    match kind {
        Checked::Texts if items != 1 => format!("{} items with text", grouped(items)),
        Checked::Run => format!("the run of {}", counted(items, "span")),
        kind => counted(items, kind.noun()),
    }
}

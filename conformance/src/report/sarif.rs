//! SARIF 2.1.0, for whatever shows the results of static analysis.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use spanproof_schemas::report::{
    Example, FindingGroup, Level, Report, RuleOutcome, RuleState, Subject, Verdict,
};

use super::headline::headline;
use super::text::visible;

/// The report as one SARIF log: a result for each group of findings, in the place of which its
/// examples stand.
///
/// # Panics
///
/// Never: JSON values always serialize.
#[must_use]
pub fn sarif(report: &Report) -> String {
    let rules: Vec<Value> = report.rules.iter().map(rule).collect();
    let results: Vec<Value> = report.findings.iter().map(|group| result(report, group)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "spanproof",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "shortDescription": { "text": "Proves GenAI telemetry on AWS Bedrock" },
                "rules": rules,
            }},
            "invocations": [invocation(report)],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("a log is always JSON");
    text.push('\n');
    text
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Violation => "error",
        Level::Improvement => "warning",
        Level::Information => "note",
    }
}

fn rule(rule: &RuleOutcome) -> Value {
    let RuleOutcome { id, summary, what_it_checks, why, example, how_to_mend, .. } = rule;
    let state = match rule.state {
        RuleState::Checked => "checked",
        RuleState::NothingToCheck => "nothing to check",
        RuleState::Off => "off",
    };
    json!({
        "id": id,
        "shortDescription": { "text": summary },
        "fullDescription": { "text": what_it_checks },
        "help": {
            "text": format!("Why: {why}\n\nHow to mend: {how_to_mend}"),
            "markdown": format!(
                "**Why:** {why}\n\n**Example:** {example}\n\n**How to mend:** {how_to_mend}"
            ),
        },
        "helpUri": rule.reference,
        "defaultConfiguration": {
            "level": level(rule.level),
            "enabled": rule.state != RuleState::Off,
        },
        "properties": {
            "tags": [id.split('/').next().unwrap_or_default()],
            "basis": rule.basis,
            "state": state,
            "checked": rule.checked,
        },
    })
}

/// That a run captured nothing is no result of a rule, and no success.
fn invocation(report: &Report) -> Value {
    match report.verdict {
        Verdict::NothingCaptured => json!({
            "executionSuccessful": false,
            "toolExecutionNotifications": [
                { "level": "error", "message": { "text": headline(report) } }
            ],
        }),
        Verdict::Conforms | Verdict::Findings => json!({ "executionSuccessful": true }),
    }
}

fn result(report: &Report, group: &FindingGroup) -> Value {
    let mut result = json!({
        "ruleId": group.rule,
        "level": level(group.level),
        "message": { "text": message(group) },
        "occurrenceCount": group.count.max(1),
        "locations": group.examples.iter().map(location).collect::<Vec<Value>>(),
        "partialFingerprints": { "spanproofFinding/v1": fingerprint(group) },
    });
    if let Some(index) = report.rules.iter().position(|rule| rule.id == group.rule) {
        result["ruleIndex"] = json!(index);
    }
    result
}

/// The message, with what the first example adds to it.
fn message(group: &FindingGroup) -> String {
    let mut text = visible(&group.message);
    if let Some(example) = group.examples.first() {
        for (label, value) in [("expected", &example.expected), ("actual", &example.actual)] {
            if let Some(value) = value {
                text = format!("{text}; {label} {}", visible(value));
            }
        }
    }
    text
}

fn location(example: &Example) -> Value {
    let Subject { trace_id, span_id, span_name, metric, event, scope, exchange } = &example.subject;
    let mut logical = Vec::new();
    let mut add = |kind: &str, name: &Option<String>, within: Option<String>| {
        if let Some(name) = name {
            let mut location = json!({ "kind": kind, "name": visible(name) });
            if let Some(within) = within {
                location["fullyQualifiedName"] = json!(within);
            }
            logical.push(location);
        }
    };
    let path = |parts: [&Option<String>; 2]| {
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| visible(&parts.join("/")))
    };
    let name = if span_name.is_some() { span_name } else { span_id };
    add("span", name, path([trace_id, span_id]));
    add("trace", trace_id, None);
    add("metric", metric, path([scope, metric]));
    add("event", event, path([scope, event]));
    add("scope", scope, None);
    add("attribute", &example.attribute, None);
    json!({
        "logicalLocations": logical,
        "properties": {
            "expected": example.expected.as_deref().map(visible),
            "actual": example.actual.as_deref().map(visible),
            "ledgerSequence": exchange,
        },
    })
}

/// What tells the finding from others and is the same in the next run: ids, times and values are
/// not in it.
fn fingerprint(group: &FindingGroup) -> String {
    let hash = Sha256::new()
        .chain_update(&group.rule)
        .chain_update("\0")
        .chain_update(&group.message)
        .finalize();
    let digits = hash.iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

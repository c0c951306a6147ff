//! SARIF 2.1.0, for whatever shows the results of static analysis.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use spanproof_schemas::report::{
    Deviation, Example, FindingGroup, Level, Report, RuleOutcome, RuleState, Subject, Verdict,
};

use super::expected::{broken, taken, why};
use super::headline::headline;
use super::text::visible;

/// What a reference escapes: all but what it may hold as it is, and the signs between folders.
const URI: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The report as one SARIF log: a result for each group of findings, in the place of which its
/// examples stand; what is expected is suppressed.
///
/// # Panics
///
/// Never: JSON values always serialize.
#[must_use]
pub fn sarif(report: &Report) -> String {
    let rules: Vec<Value> = report.rules.iter().map(rule).collect();
    let findings = report.findings.iter().map(|group| result(report, group));
    let expected = report.deviations.iter().flat_map(|deviation| {
        deviation.findings.iter().map(|group| suppressed(result(report, group), deviation))
    });
    let results: Vec<Value> = findings.chain(expected).collect();
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
        Verdict::Conforms | Verdict::NotJudged | Verdict::Findings => {
            let notifications: Vec<Value> = broken(report)
                .map(|(deviation, problem)| {
                    json!({
                        "level": "error",
                        "message": { "text": visible(problem) },
                        "locations": [written(deviation)],
                    })
                })
                .collect();
            json!({
                "executionSuccessful": true,
                "toolConfigurationNotifications": notifications,
            })
        }
    }
}

/// A result that is expected, with why and where that is written.
fn suppressed(mut result: Value, deviation: &Deviation) -> Value {
    // The rest of the group may be a result of its own.
    result["partialFingerprints"]["spanproofDeviation/v1"] = json!(hashed([&taken(deviation)]));
    result["suppressions"] = json!([{
        "kind": "external",
        "status": "accepted",
        "justification": visible(&why(deviation)),
        "location": written(deviation),
    }]);
    result
}

/// The line that a deviation is written in. The reference is relative, so a path of Windows turns
/// into one.
fn written(deviation: &Deviation) -> Value {
    let path = visible(&deviation.file).replace('\\', "/");
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": utf8_percent_encode(&path, URI).to_string() },
            "region": { "startLine": deviation.line.max(1) },
        }
    })
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
    hashed([&group.rule, &group.message])
}

fn hashed<const N: usize>(texts: [&str; N]) -> String {
    let hash = Sha256::digest(texts.join("\0"));
    let digits = hash.iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

//! The baseline: what was found once, counted, so that a later run can be compared with it.

use serde::{Deserialize, Serialize};

use crate::report::Level;

/// The version of the file's shape.
pub const BASELINE_VERSION: u32 = 1;

/// What was found, without ids, times and values, so that it is the same in every run.
/// `baseline.schema.json` is its JSON Schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`BASELINE_VERSION`] of the writer.
    pub version: u32,
    /// The lowest level of the findings that are counted: that which failed the run.
    pub fail_on: Level,
    /// Kinds of finding, by rule, then by the fields in their order.
    pub findings: Vec<Counted>,
}

/// Findings that differ in nothing but the item they were made on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// The rule's id.
    pub rule: String,
    /// How grave they are.
    pub level: Level,
    /// The name of the instrumentation scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The span type's id, such as `aws.bedrock.client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_type: Option<String>,
    /// The metric's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The event's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The attribute, field or metric at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// How many there are.
    pub count: u64,
}

impl Baseline {
    /// The file: JSON with each kind of finding on a line of its own, so that a change of one is a
    /// change of one line.
    ///
    /// # Panics
    ///
    /// Never: a kind of finding has no map with keys that are not text, and nothing else fails.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines: Vec<String> = self
            .findings
            .iter()
            .map(|counted| serde_json::to_string(counted).expect("it is always JSON"))
            .collect();
        let (head, separator, tail) = match lines.as_slice() {
            [] => ("", "", ""),
            _ => ("\n    ", ",\n    ", "\n  "),
        };
        format!(
            "{{\n  \"version\": {},\n  \"fail_on\": \"{}\",\n  \"findings\": [{head}{}{tail}]\n}}\n",
            self.version,
            self.fail_on.as_str(),
            lines.join(separator),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_finding_is_a_line_and_reads_back() {
        let counted = |rule: &str, count| Counted {
            rule: rule.to_owned(),
            level: Level::Violation,
            scope: Some("a \"library\"".to_owned()),
            span_type: None,
            metric: None,
            event: None,
            attribute: Some("gen_ai.system".to_owned()),
            count,
        };
        let findings = vec![counted("kind/span-kind", 3), counted("usage/input-tokens", 1)];
        for findings in [Vec::new(), findings] {
            let kinds = findings.len();
            let baseline =
                Baseline { version: BASELINE_VERSION, fail_on: Level::Violation, findings };
            let text = baseline.to_text();
            assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), baseline);
            assert_eq!(text.lines().filter(|line| line.contains("\"rule\"")).count(), kinds);
        }
    }
}

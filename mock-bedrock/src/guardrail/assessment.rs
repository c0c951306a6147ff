//! What a guardrail found, in the order of members that native bodies have. The Converse operations
//! and `ApplyGuardrail` state the same with members in alphabetical order.

use serde::Serialize;
use serde_json::Value;

use super::config::{ContentFilterType, GroundingType, ManagedWordsType, Strength};
use super::pii::PiiType;
use super::units::{Coverage, Units};

/// The assessment of one side by one guardrail.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assessment {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) topic_policy: Option<Topics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_policy: Option<Filters<ContentFinding>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) word_policy: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sensitive_information_policy: Option<Sensitive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contextual_grounding_policy: Option<Filters<GroundingFinding>>,
    pub(crate) invocation_metrics: Metrics,
    pub(super) applied_guardrail_details: Details,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Topics {
    pub(super) topics: Vec<TopicFinding>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Filters<T> {
    pub(super) filters: Vec<T>,
}

/// A list is left out only by a quirk.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Words {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom_words: Option<Vec<WordFinding>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) managed_word_lists: Option<Vec<WordFinding>>,
}

/// A list is left out only by a quirk.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sensitive {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pii_entities: Option<Vec<PiiFinding>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) regexes: Option<Vec<RegexFinding>>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct TopicFinding {
    pub(super) name: String,
    pub(super) r#type: &'static str,
    pub(super) action: Done,
    pub(super) detected: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContentFinding {
    pub(super) r#type: ContentFilterType,
    pub(super) confidence: Strength,
    pub(super) filter_strength: Strength,
    pub(super) action: Done,
    pub(super) detected: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct WordFinding {
    pub(super) r#match: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<ManagedWordsType>,
    pub(super) action: Done,
    pub(super) detected: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct PiiFinding {
    pub(super) r#type: PiiType,
    pub(super) r#match: String,
    pub(super) action: Done,
    pub(super) detected: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct RegexFinding {
    pub(super) name: String,
    pub(super) regex: String,
    pub(super) r#match: String,
    pub(super) action: Done,
    pub(super) detected: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct GroundingFinding {
    pub(super) r#type: GroundingType,
    pub(super) threshold: f64,
    pub(super) score: f64,
    pub(super) action: Done,
    pub(super) detected: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metrics {
    /// Milliseconds.
    pub(crate) guardrail_processing_latency: u64,
    pub(crate) usage: Units,
    pub(crate) guardrail_coverage: Coverage,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Details {
    #[serde(rename = "guardrailId")]
    pub(super) id: String,
    #[serde(rename = "guardrailVersion")]
    pub(super) version: String,
    #[serde(rename = "guardrailArn")]
    pub(super) arn: String,
    #[serde(rename = "guardrailOrigin")]
    pub(super) origin: [&'static str; 1],
    #[serde(rename = "guardrailOwnership")]
    pub(super) ownership: &'static str,
}

/// What was done about a finding, or about a whole side; the worse is the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Done {
    #[default]
    None,
    Anonymized,
    Blocked,
}

impl Done {
    /// `actionReason`.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Done::None => "No action.",
            Done::Anonymized => "Guardrail masked.",
            Done::Blocked => "Guardrail blocked.",
        }
    }
}

impl Assessment {
    /// As JSON with members in alphabetical order.
    pub(crate) fn sorted(&self) -> Value {
        sorted(self)
    }
}

/// `value` as JSON with members in alphabetical order.
pub(crate) fn sorted(value: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    value.sort_all_objects();
    value
}

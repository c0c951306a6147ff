//! Which attributes spans carry, by span type.

use serde::{Deserialize, Serialize};

/// The attributes of the spans of one type that were judged by one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// The version.
    pub semconv: String,
    /// The span type's id, such as `aws.bedrock.client`; absent where the version describes no
    /// such span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_type: Option<String>,
    /// How many spans there were.
    pub spans: u64,
    /// The attributes that the span type lists, and the GenAI attributes that were seen beside
    /// them, by name.
    pub attributes: Vec<AttributeCoverage>,
}

/// How often an attribute was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeCoverage {
    /// Its name.
    pub name: String,
    /// How much the span type asks for it; absent where it does not list it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<RequirementLevel>,
    /// On how many spans it was.
    pub spans: u64,
}

/// How much an attribute is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequirementLevel {
    /// Always.
    Required,
    /// Whenever a condition holds.
    ConditionallyRequired,
    /// By default, perhaps under a condition.
    Recommended,
    /// Only when the user asks for it.
    OptIn,
}

impl RequirementLevel {
    /// The words of the conventions.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            RequirementLevel::Required => "required",
            RequirementLevel::ConditionallyRequired => "conditionally required",
            RequirementLevel::Recommended => "recommended",
            RequirementLevel::OptIn => "opt-in",
        }
    }
}

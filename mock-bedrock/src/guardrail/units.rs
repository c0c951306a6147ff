//! What a guardrail charges, and how much it looked at.

use serde::Serialize;

/// Characters of a text unit: what is begun is charged.
const UNIT_CHARS: u64 = 1_000;

/// Text units by policy, in the order of native bodies. A policy without a rule for the side that
/// was looked at charges nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Units {
    #[serde(rename = "topicPolicyUnits")]
    pub(crate) topic_policy: u64,
    #[serde(rename = "contentPolicyUnits")]
    pub(crate) content_policy: u64,
    #[serde(rename = "wordPolicyUnits")]
    pub(crate) word_policy: u64,
    #[serde(rename = "automatedReasoningPolicyUnits")]
    pub(crate) automated_reasoning_policy: u64,
    #[serde(rename = "automatedReasoningPolicies")]
    pub(crate) automated_reasoning_policies: u64,
    #[serde(rename = "sensitiveInformationPolicyUnits")]
    pub(crate) sensitive_information_policy: u64,
    /// Those of patterns, which cost nothing.
    #[serde(rename = "sensitiveInformationPolicyFreeUnits")]
    pub(crate) sensitive_information_policy_free: u64,
    /// Those of source, question and answer together.
    #[serde(rename = "contextualGroundingPolicyUnits")]
    pub(crate) contextual_grounding_policy: u64,
    /// Images, not text.
    #[serde(rename = "contentPolicyImageUnits")]
    pub(crate) content_policy_image: u64,
}

/// How much of a request or an answer was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Coverage {
    pub(crate) text_characters: Guarded,
    /// Absent where there is no image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) images: Option<Guarded>,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Guarded {
    pub(crate) guarded: u64,
    pub(crate) total: u64,
}

/// The text units of `chars` characters.
pub(crate) fn text_units(chars: u64) -> u64 {
    chars.div_ceil(UNIT_CHARS)
}

/// The characters of one text unit.
pub(crate) fn unit_chars() -> usize {
    usize::try_from(UNIT_CHARS).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_is_begun_counts() {
        for (chars, units) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (75_000, 75)] {
            assert_eq!(text_units(chars), units);
        }
    }
}

//! What a client can do, so that a plan asks nothing else of it.

use serde::{Deserialize, Serialize};
use spanproof_schemas::worker::Operation;

/// What a client declares that it can do. The plan draws only among calls that need no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Operations it calls.
    pub operations: Vec<Operation>,
    /// Model families whose native bodies it knows; the Converse operations need the family too.
    pub families: Vec<Family>,
    /// Parts of a request it passes on.
    #[serde(default)]
    pub features: Vec<Feature>,
}

impl Capabilities {
    /// Everything the generator can ask for.
    #[must_use]
    pub fn all() -> Self {
        Self {
            operations: Operation::ALL.to_vec(),
            families: Family::ALL.to_vec(),
            features: Feature::ALL.to_vec(),
        }
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }
}

/// Models that share a native request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Anthropic Claude, Messages API.
    Claude,
    /// Amazon Nova.
    Nova,
    /// Amazon Titan text embeddings; InvokeModel only.
    TitanEmbeddings,
}

impl Family {
    /// Every family, in the order of the enum.
    pub const ALL: [Family; 3] = [Family::Claude, Family::Nova, Family::TitanEmbeddings];

    /// The family of `model_id`: a base id, or an inference profile's id.
    #[must_use]
    pub fn of(model_id: &str) -> Option<Family> {
        [
            ("anthropic.claude", Family::Claude),
            ("amazon.nova", Family::Nova),
            ("amazon.titan-embed", Family::TitanEmbeddings),
        ]
        .into_iter()
        .find_map(|(part, family)| model_id.contains(part).then_some(family))
    }

    /// Whether its answers are words, and not vectors.
    #[must_use]
    pub fn answers_in_words(self) -> bool {
        match self {
            Family::Claude | Family::Nova => true,
            Family::TitanEmbeddings => false,
        }
    }

    /// Whether the service offers `operation` for this family.
    #[must_use]
    pub fn offers(self, operation: Operation) -> bool {
        match self {
            Family::Claude | Family::Nova => true,
            Family::TitanEmbeddings => operation == Operation::InvokeModel,
        }
    }
}

/// A part of a request that not every client passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// A system prompt.
    System,
    /// More than one message.
    MultipleMessages,
    /// Tools to call.
    Tools,
    /// What tools returned, after the uses of them that the conversation holds.
    ToolResults,
    /// Cache points in the prompt.
    CachePoints,
    /// Temperature and top-p.
    Sampling,
    /// Stop sequences.
    StopSequences,
    /// Faults that the service answers with, and what its answers are to be like: the client passes
    /// on [`Call::headers`].
    ///
    /// [`Call::headers`]: spanproof_schemas::worker::Call::headers
    Faults,
    /// Metadata of the request, by which its cost is charged: a member of the Converse operations,
    /// and one of [`Call::headers`] of the others.
    ///
    /// [`Call::headers`]: spanproof_schemas::worker::Call::headers
    RequestMetadata,
}

impl Feature {
    /// Every feature, in the order of the enum.
    pub const ALL: [Feature; 9] = [
        Feature::System,
        Feature::MultipleMessages,
        Feature::Tools,
        Feature::ToolResults,
        Feature::CachePoints,
        Feature::Sampling,
        Feature::StopSequences,
        Feature::Faults,
        Feature::RequestMetadata,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_read_off_the_id() {
        for (id, family) in [
            ("anthropic.claude-3-5-sonnet-20240620-v1:0", Some(Family::Claude)),
            ("us.anthropic.claude-haiku-4-5-20251001-v1:0", Some(Family::Claude)),
            ("us.amazon.nova-pro-v1:0", Some(Family::Nova)),
            ("amazon.titan-embed-text-v2:0", Some(Family::TitanEmbeddings)),
            ("meta.llama3-70b-instruct-v1:0", None),
        ] {
            assert_eq!(Family::of(id), family, "{id}");
        }
    }

    #[test]
    fn the_slices_hold_every_variant_in_order() {
        for (at, feature) in Feature::ALL.into_iter().enumerate() {
            assert_eq!(feature as usize, at);
        }
        for (at, family) in Family::ALL.into_iter().enumerate() {
            assert_eq!(family as usize, at);
        }
    }
}

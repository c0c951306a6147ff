//! What guardrails a server knows, in the words of the service's own `CreateGuardrail`.

use std::collections::HashSet;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::pii::PiiType;
use super::resolve::is_id;

/// One guardrail: a subset of what `CreateGuardrail` takes and `GetGuardrail` gives, under the same
/// names, so that a file of either can be pasted. Members that the mock has no use for, such as
/// `tags` or `tierConfig`, are ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Guardrail {
    /// The id that requests name, in lower-case letters and digits, alone or at the end of an ARN.
    #[serde(alias = "id")]
    pub guardrail_id: String,
    /// The versions that this configuration is: `DRAFT`, or numbers. Empty means every version.
    pub versions: Vec<String>,
    /// What a blocked prompt is answered with.
    pub blocked_input_messaging: String,
    /// What takes the place of a blocked answer.
    pub blocked_outputs_messaging: String,
    /// Denied topics.
    #[serde(alias = "topicPolicy", skip_serializing_if = "Option::is_none")]
    pub topic_policy_config: Option<TopicPolicy>,
    /// Filters of harmful content.
    #[serde(alias = "contentPolicy", skip_serializing_if = "Option::is_none")]
    pub content_policy_config: Option<ContentPolicy>,
    /// Words that may not be said.
    #[serde(alias = "wordPolicy", skip_serializing_if = "Option::is_none")]
    pub word_policy_config: Option<WordPolicy>,
    /// Personal data and patterns.
    #[serde(alias = "sensitiveInformationPolicy", skip_serializing_if = "Option::is_none")]
    pub sensitive_information_policy_config: Option<SensitiveInformationPolicy>,
    /// Whether an answer rests on its source, and is about the question.
    #[serde(alias = "contextualGroundingPolicy", skip_serializing_if = "Option::is_none")]
    pub contextual_grounding_policy_config: Option<ContextualGroundingPolicy>,
}

/// Denied topics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicPolicy {
    /// The topics.
    #[serde(alias = "topics")]
    pub topics_config: Vec<Topic>,
}

/// A denied topic. The mock understands no definitions: a topic is met by a text that says its
/// name or one of its keywords, or that has every word of four letters or more of an example.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Topic {
    /// What it is called in assessments.
    pub name: String,
    /// What it is about, for people.
    pub definition: String,
    /// Prompts that belong to it.
    pub examples: Vec<String>,
    /// Words and phrases that tell it: a member of the mock's own.
    pub keywords: Vec<String>,
    /// What happens, and on which side.
    #[serde(flatten)]
    pub sides: Sides,
}

/// Filters of harmful content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContentPolicy {
    /// The filters.
    #[serde(alias = "filters")]
    pub filters_config: Vec<ContentFilter>,
}

/// One filter. The mock classifies by words: see `guardrail/content.rs` for the lists and for how
/// confident they make it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentFilter {
    /// What it filters.
    pub r#type: ContentFilterType,
    /// From which confidence on prompts are blocked.
    #[serde(default)]
    pub input_strength: Strength,
    /// From which confidence on answers are blocked.
    #[serde(default)]
    pub output_strength: Strength,
    /// What it looks at in prompts. Default texts.
    #[serde(default = "texts")]
    pub input_modalities: Vec<Modality>,
    /// What it looks at in answers. Default texts.
    #[serde(default = "texts")]
    pub output_modalities: Vec<Modality>,
    /// Words and phrases that it takes for certain signs: a member of the mock's own.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// What happens, and on which side.
    #[serde(flatten)]
    pub sides: Sides,
}

/// What a content filter looks at. The mock counts images, and finds nothing in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the service's own names")]
pub enum Modality {
    Text,
    Image,
}

fn texts() -> Vec<Modality> {
    vec![Modality::Text]
}

/// What a content filter filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the service's own names")]
pub enum ContentFilterType {
    Insults,
    Hate,
    Sexual,
    Violence,
    Misconduct,
    PromptAttack,
}

/// How strict a filter is: `HIGH` stops what is likely harmful at low confidence already, `LOW`
/// only what is at high confidence, `NONE` nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the service's own names")]
pub enum Strength {
    #[default]
    None,
    Low,
    Medium,
    High,
}

/// Words that may not be said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WordPolicy {
    /// Words and phrases of the guardrail's own.
    #[serde(alias = "words")]
    pub words_config: Vec<Word>,
    /// Lists that the service keeps. That of the mock has a few words only.
    #[serde(alias = "managedWordLists")]
    pub managed_word_lists_config: Vec<ManagedWords>,
}

/// A word or phrase. It is met between characters that are neither letters nor digits, in capitals
/// or not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Word {
    /// The word.
    pub text: String,
    /// What happens, and on which side.
    #[serde(flatten)]
    pub sides: Sides,
}

/// A list of words that the service keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedWords {
    /// Which list.
    pub r#type: ManagedWordsType,
    /// What happens, and on which side.
    #[serde(flatten)]
    pub sides: Sides,
}

/// The lists that the service keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the service's own names")]
pub enum ManagedWordsType {
    #[default]
    Profanity,
}

/// Personal data and patterns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SensitiveInformationPolicy {
    /// Kinds of personal data.
    #[serde(alias = "piiEntities")]
    pub pii_entities_config: Vec<PiiEntity>,
    /// Patterns of the guardrail's own.
    #[serde(alias = "regexes")]
    pub regexes_config: Vec<RegexEntity>,
}

/// A kind of personal data. Masked, it reads `{EMAIL}`.
///
/// As in the service a prompt is masked only when `inputAction` says so; `action` alone masks
/// answers, and blocks both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PiiEntity {
    /// Which kind.
    pub r#type: PiiType,
    /// What happens to it.
    #[serde(default)]
    pub action: Action,
    /// Values of this kind, for those that have no form of their own, such as names: a member of
    /// the mock's own.
    #[serde(default)]
    pub values: Vec<String>,
    /// What happens on one side alone.
    #[serde(flatten)]
    pub sides: Sides,
}

/// A pattern. Masked, it reads as its name in braces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RegexEntity {
    /// What it is called in assessments and masks.
    pub name: String,
    /// The regular expression, without look-around, as the service takes it.
    pub pattern: String,
    /// What happens to what it matches.
    pub action: Action,
    /// What happens on one side alone.
    #[serde(flatten)]
    pub sides: Sides,
}

/// Whether an answer rests on its source, and is about the question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContextualGroundingPolicy {
    /// The filters.
    #[serde(alias = "filters")]
    pub filters_config: Vec<GroundingFilter>,
}

/// One filter. The mock scores by words: see `guardrail/grounding.rs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroundingFilter {
    /// What it measures.
    pub r#type: GroundingType,
    /// The score, from 0 to 1, below which it blocks.
    pub threshold: f64,
    /// What happens below it.
    #[serde(default)]
    pub action: Action,
    /// Whether it measures at all. Default true.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// What a grounding filter measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the service's own names")]
pub enum GroundingType {
    Grounding,
    Relevance,
}

/// What happens to what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// The whole text gives way to the guardrail's message.
    #[default]
    Block,
    /// It is masked. Sensitive information only; elsewhere it blocks.
    Anonymize,
    /// It is reported, and nothing more.
    None,
}

/// Where a rule holds, and what it does there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sides {
    /// What happens to prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_action: Option<Action>,
    /// What happens to answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_action: Option<Action>,
    /// Whether prompts are looked at. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_enabled: Option<bool>,
    /// Whether answers are looked at. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_enabled: Option<bool>,
}

/// A guardrail that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}: {what}", if id.is_empty() { "a guardrail".to_owned() } else { format!("guardrail `{id}`") })]
pub struct GuardrailError {
    id: String,
    what: String,
}

impl Guardrail {
    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// For an id or a version that no request can name, an empty rule, a threshold that no score
    /// can be compared with, and a pattern that is no regular expression.
    pub fn validate(&self) -> Result<(), GuardrailError> {
        let fault = self.fault();
        fault.map_or(Ok(()), |what| Err(GuardrailError { id: self.guardrail_id.clone(), what }))
    }

    /// Whether `version` is one of its versions.
    pub(crate) fn is_version(&self, version: &str) -> bool {
        self.versions.is_empty() || self.versions.iter().any(|known| known == version)
    }

    fn fault(&self) -> Option<String> {
        if self.guardrail_id.is_empty() {
            return Some("it has no `guardrailId`, by which requests name it".to_owned());
        }
        if !is_id(&self.guardrail_id) {
            return Some("an id is lower-case letters and digits".to_owned());
        }
        if let Some(version) =
            self.versions.iter().find(|version| !super::resolve::is_version(version))
        {
            return Some(format!("`{version}` is no version: use DRAFT or a number from 1"));
        }
        let topics = self.topic_policy_config.iter().flat_map(|policy| &policy.topics_config);
        if topics.clone().any(|topic| topic.name.trim().is_empty()) {
            return Some("a topic has no name".to_owned());
        }
        let mut words = self.word_policy_config.iter().flat_map(|policy| &policy.words_config);
        if words.any(|word| word.text.trim().is_empty()) {
            return Some("a word is empty".to_owned());
        }
        let mut names = HashSet::new();
        for entity in self
            .sensitive_information_policy_config
            .iter()
            .flat_map(|policy| &policy.regexes_config)
        {
            if entity.name.is_empty() || !names.insert(&entity.name) {
                return Some(format!("regex `{}` needs a name of its own", entity.name));
            }
            match Regex::new(&entity.pattern) {
                Ok(regex) if regex.is_match("") => {
                    return Some(format!("regex `{}` matches the empty text", entity.name));
                }
                Ok(_) => {}
                Err(error) => {
                    // The rest of the message draws the pattern over several lines.
                    let error = error.to_string();
                    let reason = error.lines().last().unwrap_or_default();
                    let reason = reason.trim_start_matches("error: ");
                    return Some(format!("regex `{}`: {reason}", entity.name));
                }
            }
        }
        self.contextual_grounding_policy_config
            .iter()
            .flat_map(|policy| &policy.filters_config)
            .find(|filter| !(0.0..=1.0).contains(&filter.threshold))
            .map(|filter| format!("the threshold {} is not from 0 to 1", filter.threshold))
    }
}

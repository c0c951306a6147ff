//! The shape of a file of scripted answers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spanproof_schemas::ledger::Operation;

use super::RuleError;
use super::reply::Reply;

/// What a file of scripted answers holds; `schemas/scripted-answers.schema.json` describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScriptedAnswers {
    /// Whether a request that no rule fits is refused. Default false: it gets a generated answer.
    #[serde(default)]
    pub strict: bool,
    /// The rules; the first that fits, and is not spent, answers.
    pub answers: Vec<Rule>,
}

/// One rule: which requests it answers, and with what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// What the ledger calls it.
    pub name: String,
    /// Which requests it answers. Default all.
    #[serde(default, skip_serializing_if = "When::is_any")]
    pub when: When,
    /// How often it answers, for each test. Default without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// The answer, or several, which come one after the other; after the last one the last comes
    /// again.
    #[serde(with = "one_or_more")]
    pub answer: Vec<Reply>,
}

/// Which requests a rule answers: those that fit everything stated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct When {
    /// The operation, or several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operations>,
    /// The model id as it was sent, or the base id behind it; `*` stands for any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A text that stands somewhere in the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The SHA-256 of the whole prompt, as the ledger states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_sha256: Option<String>,
    /// Which turn of the conversation it is, from 1: the messages of the user so far, those that
    /// bring a tool's result included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// Whether the last message brings the result of a tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_result: Option<bool>,
    /// The test that the request named; `*` stands for any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
}

/// One operation, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "an operation such as Converse, or a list of them")]
pub enum Operations {
    /// Only this one.
    One(Operation),
    /// Each of these.
    Some(Vec<Operation>),
}

impl Operations {
    pub(super) fn contain(&self, operation: Operation) -> bool {
        match self {
            Operations::One(one) => *one == operation,
            Operations::Some(some) => some.contains(&operation),
        }
    }
}

impl When {
    fn is_any(&self) -> bool {
        *self == When::default()
    }
}

impl ScriptedAnswers {
    /// Adds the rules of `other`. A rule for the very requests that one here is for gives its answers
    /// after those of that one: as a rule of its own it would never be reached. Gives the names of
    /// both, where that is so.
    pub fn append(&mut self, other: ScriptedAnswers) -> Vec<(String, String)> {
        let mut joined = Vec::new();
        for rule in other.answers {
            let same = self.answers.iter_mut().find(|known| {
                known.when == rule.when && known.times.is_none() && rule.times.is_none()
            });
            if let Some(known) = same {
                joined.push((rule.name, known.name.clone()));
                known.answer.extend(rule.answer);
            } else {
                self.answers.push(rule);
            }
        }
        joined
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// [`RuleError`] for two rules of one name, a rule without an answer, and an answer
    /// that says nothing, or two things at once.
    pub fn validate(&self) -> Result<(), RuleError> {
        let mut names = BTreeSet::new();
        for rule in &self.answers {
            let refused = |problem: String| Err(RuleError { name: rule.name.clone(), problem });
            if !names.insert(&rule.name) {
                return refused("stands there twice: give each a name of its own".to_owned());
            }
            if rule.answer.is_empty() {
                return refused("has no answer: give it one, or leave it out".to_owned());
            }
            if rule.times == Some(0) {
                return refused("answers 0 times: leave it out, or let it answer once".to_owned());
            }
            if let Some(problem) = rule.answer.iter().find_map(Reply::problem) {
                return refused(problem);
            }
        }
        Ok(())
    }
}

/// A list that may be written without its brackets when it has one item.
mod one_or_more {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Reply;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Reply>, D::Error> {
        // Buffered, so that what is wrong with an answer is told, and not only that it is none.
        let value = serde_json::Value::deserialize(deserializer)?;
        let replies = if value.is_array() {
            serde_json::from_value(value)
        } else {
            serde_json::from_value(value).map(|reply| vec![reply])
        };
        replies.map_err(serde::de::Error::custom)
    }

    pub(super) fn serialize<S: Serializer>(
        replies: &[Reply],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match replies {
            [reply] => reply.serialize(serializer),
            replies => replies.serialize(serializer),
        }
    }
}

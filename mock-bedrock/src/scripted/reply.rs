//! One scripted answer, and how it takes the place of a generated one.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use spanproof_schemas::ledger::Usage;

use super::recorded::Recorded;
use crate::answer::{Answer, Block, Stop};

/// An answer: words, a fault, or what was recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Reply {
    /// What the model thinks before it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The tools that it calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolCall>,
    /// Why it ends, in Converse's word. Default `tool_use` with tools, else `end_turn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// What it charges. Default what its words come to. A stream charges as much of the output as
    /// was sent, and the whole of it at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// A fault by its name, as in `x-spanproof-fault`: in place of the answer, or done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What the service was recorded to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Box<Recorded>>,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub input: Value,
}

impl Reply {
    /// What is wrong with it, and what to write instead.
    pub(super) fn problem(&self) -> Option<String> {
        let says = self.says();
        match (&self.recorded, says, &self.fault) {
            (Some(_), true, _) => {
                Some("says something and is recorded too: leave out one of them".to_owned())
            }
            (None, false, None) => Some(
                "says nothing: give it text, tools, reasoning, a fault, or what was recorded"
                    .to_owned(),
            ),
            _ if self.stop.is_some() && !says => {
                Some("has a stop reason and no words: give it text or tools".to_owned())
            }
            _ if self.usage.is_some() && !says => {
                Some("has usage and no words: give it text or tools".to_owned())
            }
            _ => None,
        }
    }

    fn says(&self) -> bool {
        self.text.is_some() || self.reasoning.is_some() || !self.tools.is_empty()
    }

    /// Takes the place of what `answer` says; a reply that is only a fault leaves it alone.
    pub(crate) fn apply(&self, answer: &mut Answer) {
        if !self.says() {
            return;
        }
        let reasoning = self
            .reasoning
            .iter()
            .map(|text| Block::Reasoning { text: text.clone(), signature: String::new() });
        let text = self.text.iter().filter(|text| !text.is_empty()).cloned().map(Block::Text);
        let calls = self
            .tools
            .iter()
            .map(|call| Block::ToolUse { name: call.name.clone(), input: call.input.to_string() });
        let blocks = reasoning.chain(text).chain(calls).collect();
        let default = if self.tools.is_empty() { Stop::EndTurn } else { Stop::ToolUse };
        let stop = self.stop.as_deref().map_or(default, Stop::named);
        answer.put(blocks, stop);
        answer.marker = None;
        if let Some(usage) = self.usage {
            answer.usage = usage;
        }
    }
}

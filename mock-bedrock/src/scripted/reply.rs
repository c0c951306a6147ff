//! One scripted answer, and how it takes the place of a generated one.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use spanproof_schemas::ledger::Usage;

use super::recorded::Recorded;
use crate::answer::{Answer, Block, Cadence, Stop};
use crate::fault::Span;

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
    /// The same in the pieces that a stream tells it in, perhaps with their times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<Chunk>,
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

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, expecting = "a chunk is a text, or {text, after}")]
pub enum Chunk {
    /// At the model's pace.
    Text(String),
    /// At a pace of its own.
    Timed {
        /// The piece.
        text: String,
        /// How long after the piece before, the first after the request, in simulated time.
        after: Span,
    },
}

impl Chunk {
    fn text(&self) -> &str {
        match self {
            Chunk::Text(text) | Chunk::Timed { text, .. } => text,
        }
    }

    fn after(&self) -> Option<Duration> {
        match self {
            Chunk::Text(_) => None,
            Chunk::Timed { after, .. } => Some(after.0),
        }
    }
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
        if self.text.is_some() && !self.chunks.is_empty() {
            return Some("has text and chunks, which are the same: leave out one".to_owned());
        }
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
        self.text.is_some()
            || !self.chunks.is_empty()
            || self.reasoning.is_some()
            || !self.tools.is_empty()
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
        let pieces = self.chunks.iter().map(Chunk::text);
        let text: String = self.text.as_deref().into_iter().chain(pieces).collect();
        let text = (!text.is_empty()).then_some(Block::Text(text));
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
        self.pace(answer);
    }

    /// States in what pieces the text comes, and when.
    fn pace(&self, answer: &mut Answer) {
        if self.chunks.is_empty() {
            return;
        }
        let before = |block: &&Block| block.is_reasoning();
        let mut told: usize = answer.blocks.iter().filter(before).map(Block::chars).sum();
        let is_timed = self.chunks.iter().any(|chunk| chunk.after().is_some());
        let mut cadence = Cadence::default();
        let mut due = Duration::ZERO;
        for chunk in self.chunks.iter().filter(|chunk| !chunk.text().is_empty()) {
            let length = chunk.text().chars().count();
            cadence.lengths.push(length);
            told += length;
            due += chunk.after().unwrap_or_default();
            if is_timed {
                cadence.dues.push((told, due));
            }
        }
        if let (Some((_, first)), Some((_, last))) = (cadence.dues.first(), cadence.dues.last()) {
            answer.timing.span(*first, *last);
        }
        answer.cadence = Some(cadence);
    }
}

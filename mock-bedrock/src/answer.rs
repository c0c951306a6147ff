//! What the mock answers a turn with: the same for the same seed, model and turn, whichever
//! operation asked.

mod cadence;
mod draft;
mod numbers;

use std::borrow::Cow;

use serde_json::Value;
use spanproof_schemas::ledger::{self, Usage};

pub(crate) use cadence::Cadence;

use crate::cache::Division;
use crate::draw::{self, Fold};
use crate::guardrail::Told;
use crate::model::Model;
use crate::quirk::Quirks;
use crate::timing::{Pace, Timing};
use crate::turn::{Echo, Embedding, Turn, Wanted};

/// An answer, before any family or operation gave it a shape.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) model: &'static Model,
    pub(crate) blocks: Vec<Block>,
    pub(crate) stop: Stop,
    pub(crate) usage: Usage,
    pub(crate) cache: Division,
    pace: Pace,
    pub(crate) timing: Timing,
    pub(crate) echo: Echo,
    /// The id of the request, which some families state for an id of the answer.
    pub(crate) request_id: String,
    /// Whether a stream states its usage at the end; a fault may forbid it.
    pub(crate) states_usage: bool,
    /// The oddities of the service that it shows.
    pub(crate) quirks: Quirks,
    /// What it tells of the guardrail that looked at it.
    pub(crate) guardrail: Option<Box<Told>>,
    /// How its text comes, and when, if a script says so.
    pub(crate) cadence: Option<Cadence>,
    /// The marker in the text or the arguments, when it had room.
    pub(crate) marker: Option<String>,
    /// What identifiers, padding and everything else in the answer is drawn from.
    pub(crate) key: u64,
    /// When the request arrived, which some families' bodies state.
    pub(crate) created_unix_seconds: u64,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    /// What the model thought before it answered, and the signature that a client hands back.
    Reasoning {
        text: String,
        signature: String,
    },
    /// The same in encrypted form, in base64.
    Redacted {
        data: String,
        /// Characters of what was encrypted, which are charged.
        chars: usize,
    },
    Text(String),
    /// A text, and the page it rests on.
    Cited {
        text: String,
        title: String,
        url: String,
    },
    ToolUse {
        name: String,
        /// The arguments, as JSON.
        input: String,
    },
    /// A tool that the service ran: its use and its result.
    ServerTool {
        name: String,
        /// The arguments, as JSON.
        input: String,
        /// What it found, as JSON.
        result: String,
    },
    Vector {
        values: Vec<f32>,
        embedding: Embedding,
    },
    /// A document's position in the request, and how relevant it is, from 0 to 1.
    Ranked {
        index: usize,
        score: f64,
    },
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    EndTurn,
    MaxTokens,
    Sequence(String),
    ToolUse,
    GuardrailIntervened,
    ContentFiltered,
    MalformedModelOutput,
    MalformedToolUse,
    ContextWindowExceeded,
    /// A word that no service documents, as a fault or a scripted answer gives it.
    Other(String),
}

impl Stop {
    /// The word that Converse uses.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Stop::EndTurn => "end_turn",
            Stop::MaxTokens => "max_tokens",
            Stop::Sequence(_) => "stop_sequence",
            Stop::ToolUse => "tool_use",
            Stop::GuardrailIntervened => "guardrail_intervened",
            Stop::ContentFiltered => "content_filtered",
            Stop::MalformedModelOutput => "malformed_model_output",
            Stop::MalformedToolUse => "malformed_tool_use",
            Stop::ContextWindowExceeded => "model_context_window_exceeded",
            Stop::Other(word) => word,
        }
    }

    /// The stop reason that Converse's word names; a word that it does not have stays as it is.
    pub(crate) fn named(word: &str) -> Self {
        match word {
            "end_turn" => Stop::EndTurn,
            "max_tokens" => Stop::MaxTokens,
            "stop_sequence" => Stop::Sequence(String::new()),
            "tool_use" => Stop::ToolUse,
            "guardrail_intervened" => Stop::GuardrailIntervened,
            "content_filtered" => Stop::ContentFiltered,
            "malformed_model_output" => Stop::MalformedModelOutput,
            "malformed_tool_use" => Stop::MalformedToolUse,
            "model_context_window_exceeded" => Stop::ContextWindowExceeded,
            other => Stop::Other(other.to_owned()),
        }
    }

    /// The sequence that ended the answer, if one did.
    pub(crate) fn sequence(&self) -> Option<&str> {
        match self {
            Stop::Sequence(sequence) => Some(sequence),
            _ => None,
        }
    }
}

impl Answer {
    /// Answers `turn`. `stem` is what the marker in the completion begins with.
    pub(crate) fn compose(
        seed: u64,
        stem: &str,
        model: &'static Model,
        turn: Turn,
        cache: Division,
    ) -> Answer {
        let mut key = Fold::new(seed);
        key.bytes(model.id.as_bytes());
        let space = key.finish();
        key.word(turn.identity());
        let key = key.finish();
        let mut marker = String::with_capacity(stem.len() + 13);
        marker.push_str(stem);
        marker.push_str(&draw::base36(key));
        let (blocks, stop) = match turn.wanted {
            Wanted::Message => draft::message(model, &turn, &marker, key),
            Wanted::Vectors(embedding) => {
                (numbers::vectors(&turn.passages, embedding, space), Stop::EndTurn)
            }
            Wanted::Ranking { top } => {
                (numbers::ranking(&turn.passages, top, space), Stop::EndTurn)
            }
        };
        let planted = blocks.iter().any(|block| block.contains(&marker));
        let mut answer = Answer {
            model,
            blocks: Vec::new(),
            stop: Stop::EndTurn,
            usage: cache.usage,
            cache,
            pace: model.pace(),
            timing: Timing::default(),
            echo: turn.echo,
            request_id: String::new(),
            states_usage: true,
            quirks: Quirks::default(),
            guardrail: None,
            cadence: None,
            marker: planted.then_some(marker),
            key,
            created_unix_seconds: 0,
        };
        answer.put(blocks, stop);
        if turn.wanted == Wanted::Message {
            answer.usage.output_tokens = answer.usage.output_tokens.max(1);
        }
        answer
    }

    /// Takes `blocks` for the content, and charges and times them.
    pub(crate) fn put(&mut self, blocks: Vec<Block>, stop: Stop) {
        let chars = |blocks: &[Block]| blocks.iter().map(Block::chars).sum::<usize>();
        let reasoning: usize =
            blocks.iter().filter(|block| block.is_reasoning()).map(Block::chars).sum();
        let all = chars(&blocks);
        self.usage.output_tokens = self.model.tokens(all as u64);
        self.usage.reasoning_output_tokens =
            self.model.tokens(reasoning as u64).min(self.usage.output_tokens);
        self.timing = Timing::draw(self.model, &self.pace, all, self.key);
        self.marker.take_if(|marker| !blocks.iter().any(|block| block.contains(marker)));
        self.blocks = blocks;
        self.stop = stop;
    }

    /// Times the answer by another pace than the catalogue's.
    pub(crate) fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
        let chars = self.blocks.iter().map(Block::chars).sum();
        self.timing = Timing::draw(self.model, &self.pace, chars, self.key);
    }

    /// Whether `marker` stands in the content.
    pub(crate) fn contains(&self, marker: &str) -> bool {
        self.blocks.iter().any(|block| block.contains(marker))
    }

    /// What the answer holds, as the ledger tells it. A call whose arguments are no JSON is left
    /// out: nothing says what a client makes of it.
    pub(crate) fn held(&self) -> ledger::Answer {
        let mut held = ledger::Answer::default();
        for block in &self.blocks {
            match block {
                Block::Text(text) | Block::Cited { text, .. } if !text.is_empty() => {
                    held.texts += 1;
                }
                Block::ToolUse { name, input } => {
                    let Ok(arguments) = serde_json::from_str::<Value>(input) else { continue };
                    let is_empty = arguments.as_object().is_some_and(serde_json::Map::is_empty);
                    let hash = || draw::sha256(&ledger::canonical_json(&arguments));
                    held.tool_calls.push(ledger::ToolCall {
                        name: name.clone(),
                        arguments_sha256: (!is_empty).then(hash),
                    });
                }
                _ => {}
            }
        }
        held
    }

    /// The texts of the answer, joined; not the reasoning.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        let mut texts = self.blocks.iter().filter_map(|block| match block {
            Block::Text(text) | Block::Cited { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let first = texts.next().unwrap_or_default();
        texts.fold(Cow::Borrowed(first), |joined, text| joined + text)
    }
}

impl Block {
    /// Characters that are charged as output.
    pub(crate) fn chars(&self) -> usize {
        match self {
            Block::Text(text) | Block::Cited { text, .. } | Block::Reasoning { text, .. } => {
                text.chars().count()
            }
            Block::Redacted { chars, .. } => *chars,
            Block::ToolUse { name, input } | Block::ServerTool { name, input, .. } => {
                name.chars().count() + input.chars().count()
            }
            Block::Vector { .. } | Block::Ranked { .. } => 0,
        }
    }

    pub(crate) fn is_reasoning(&self) -> bool {
        matches!(self, Block::Reasoning { .. } | Block::Redacted { .. })
    }

    fn contains(&self, marker: &str) -> bool {
        match self {
            Block::Text(text) | Block::Cited { text, .. } | Block::Reasoning { text, .. } => {
                text.contains(marker)
            }
            Block::ToolUse { input, .. } => input.contains(marker),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;

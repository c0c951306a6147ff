//! What the mock answers a turn with: the same for the same seed, model and turn, whichever
//! operation asked.

use std::borrow::Cow;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use spanproof_schemas::ledger::Usage;

use crate::cache::Division;
use crate::draw::{self, Fold, Purpose};
use crate::model::Model;
use crate::prose;
use crate::timing::{Timing, log_normal};
use crate::tool_input;
use crate::turn::{Echo, Embedding, ToolChoice, Turn};

/// The median length of an answer that nothing cuts short.
const MEDIAN_TOKENS: f64 = 130.0;
/// The spread of that length: the standard deviation of its logarithm.
const SIGMA_TOKENS: f64 = 0.6;
/// How often a model that may call a tool does.
const TOOL_CHANCE: f64 = 0.5;
/// How often an answer runs into one of the stop sequences that the request names.
const STOP_CHANCE: f64 = 1.0 / 3.0;

/// An answer, before any family or operation gave it a shape.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) model: &'static Model,
    pub(crate) blocks: Vec<Block>,
    pub(crate) stop: Stop,
    pub(crate) usage: Usage,
    pub(crate) cache: Division,
    pub(crate) timing: Timing,
    pub(crate) echo: Echo,
    /// Whether a stream states its usage at the end; a fault may forbid it.
    pub(crate) states_usage: bool,
    /// The marker in the text or the arguments, when it had room.
    pub(crate) marker: Option<String>,
    /// What identifiers, padding and everything else in the answer is drawn from.
    pub(crate) key: u64,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    Text(String),
    ToolUse {
        name: String,
        /// The arguments, as JSON.
        input: String,
    },
    Vector {
        values: Vec<f32>,
        embedding: Embedding,
    },
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    EndTurn,
    MaxTokens,
    Sequence(String),
    ToolUse,
}

impl Stop {
    /// The word that Converse, Claude and Nova all use.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Stop::EndTurn => "end_turn",
            Stop::MaxTokens => "max_tokens",
            Stop::Sequence(_) => "stop_sequence",
            Stop::ToolUse => "tool_use",
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
        key.word(turn.identity());
        let key = key.finish();
        let marker = format!("{stem}{}", draw::base36(key));
        let mut draws = draw::generator(key, Purpose::Answer);

        let (blocks, stop) = match turn.embedding {
            Some(embedding) => (vec![vector(embedding, key)], Stop::EndTurn),
            None => message(model, &turn, &marker, key, &mut draws),
        };
        let chars = blocks.iter().map(Block::chars).sum::<usize>();
        let mut usage = cache.usage;
        usage.output_tokens = match turn.embedding {
            Some(_) => 0,
            None => model.tokens(chars as u64).max(1),
        };
        let planted = blocks.iter().any(|block| block.contains(&marker));
        Answer {
            model,
            stop,
            usage,
            cache,
            timing: Timing::draw(model, chars, key),
            echo: turn.echo,
            states_usage: true,
            marker: planted.then_some(marker),
            key,
            blocks,
        }
    }

    /// The text blocks, joined.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        let mut texts = self.blocks.iter().filter_map(|block| match block {
            Block::Text(text) => Some(text.as_str()),
            Block::ToolUse { .. } | Block::Vector { .. } => None,
        });
        let first = texts.next().unwrap_or_default();
        texts.fold(Cow::Borrowed(first), |joined, text| joined + text)
    }
}

impl Block {
    /// Characters that are charged as output.
    pub(crate) fn chars(&self) -> usize {
        match self {
            Block::Text(text) => text.chars().count(),
            Block::ToolUse { name, input } => name.chars().count() + input.chars().count(),
            Block::Vector { .. } => 0,
        }
    }

    fn contains(&self, marker: &str) -> bool {
        match self {
            Block::Text(text) => text.contains(marker),
            Block::ToolUse { input, .. } => input.contains(marker),
            Block::Vector { .. } => false,
        }
    }
}

fn message(
    model: &Model,
    turn: &Turn,
    marker: &str,
    key: u64,
    draws: &mut ChaCha8Rng,
) -> (Vec<Block>, Stop) {
    let limit = turn.parameters.max_tokens.unwrap_or(model.max_output_tokens);
    let limit_chars = model.chars(limit);
    if let Some(blocks) = tool_call(turn, marker, limit_chars, key, draws) {
        return (blocks, Stop::ToolUse);
    }
    let wanted = natural_chars(model, draws);
    let mut text = String::with_capacity(wanted.min(limit_chars) + 128);
    prose::write(&mut text, 24, draws);
    text.push_str(" Reference ");
    text.push_str(marker);
    text.push('.');
    prose::write(&mut text, wanted.min(limit_chars + 1), draws);
    let stop = cut(&mut text, limit_chars, &turn.parameters.stop_sequences, draws);
    let blocks = if text.is_empty() { Vec::new() } else { vec![Block::Text(text)] };
    (blocks, stop)
}

/// Cuts `text` where generation ends, and says why it does: at the first stop sequence, else at the
/// token limit, else where the text ends.
fn cut(text: &mut String, limit: usize, sequences: &[String], draws: &mut ChaCha8Rng) -> Stop {
    if !sequences.is_empty() && draws.random_bool(STOP_CHANCE) {
        let sequence = &sequences[draws.random_range(0..sequences.len())];
        let from = text.len() * draws.random_range(50..90) / 100;
        let at = text[from..].find(' ').map_or(text.len(), |offset| from + offset + 1);
        text.insert_str(at, sequence);
    }
    // Where the limit falls, should it fall within the text.
    let end = if text.is_ascii() {
        (limit < text.len()).then_some(limit)
    } else {
        text.char_indices().nth(limit).map(|(at, _)| at)
    };
    // Generation stops with the first sequence that is complete, which need not be the first to
    // begin.
    let first = sequences
        .iter()
        .filter_map(|sequence| text.find(sequence.as_str()).map(|at| (at, sequence)))
        .min_by_key(|(at, sequence)| (at + sequence.len(), *at));
    if let Some((at, sequence)) = first
        && at + sequence.len() <= end.unwrap_or(text.len())
    {
        text.truncate(at);
        return Stop::Sequence(sequence.clone());
    }
    if let Some(end) = end {
        text.truncate(end);
        return Stop::MaxTokens;
    }
    Stop::EndTurn
}

/// The blocks of a tool call, when the turn is answered by one: always when the request demands
/// it, by chance when it allows it. A call that does not fit the token limit is not made, nor is
/// one whose schema nothing was found to satisfy.
fn tool_call(
    turn: &Turn,
    marker: &str,
    limit: usize,
    key: u64,
    draws: &mut ChaCha8Rng,
) -> Option<Vec<Block>> {
    if turn.tools.is_empty() {
        return None;
    }
    let (tool, introduced) = match &turn.tool_choice {
        ToolChoice::Tool(name) => (turn.tools.iter().find(|tool| tool.name == *name)?, false),
        ToolChoice::Any => (&turn.tools[draws.random_range(0..turn.tools.len())], false),
        ToolChoice::Auto if draws.random_bool(TOOL_CHANCE) => {
            (&turn.tools[draws.random_range(0..turn.tools.len())], true)
        }
        ToolChoice::Auto | ToolChoice::None => return None,
    };
    let schema: Value = serde_json::from_str(tool.schema.get()).ok()?;
    // A model that is free to call a tool says so first; one that must, just calls it.
    let introduction = introduced.then(|| {
        Block::Text(format!("I'll use {} to look into that, under reference {marker}.", tool.name))
    });
    let marker = (!introduced).then(|| marker.to_owned());
    let mut draws = draw::generator(key, Purpose::ToolInput);
    let input = tool_input::sample(&schema, &mut draws, marker)?;
    let call = Block::ToolUse { name: tool.name.clone(), input: input.to_string() };
    let blocks: Vec<Block> = introduction.into_iter().chain([call]).collect();
    (blocks.iter().map(Block::chars).sum::<usize>() <= limit).then_some(blocks)
}

fn natural_chars(model: &Model, draws: &mut ChaCha8Rng) -> usize {
    let tokens = log_normal(MEDIAN_TOKENS, SIGMA_TOKENS, draws).clamp(8.0, 4_000.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped just above"
    )]
    model.chars(tokens as u64)
}

fn vector(embedding: Embedding, key: u64) -> Block {
    let mut draws = draw::generator(key, Purpose::Vector);
    let mut values: Vec<f32> =
        (0..embedding.dimensions).map(|_| draws.random_range(-1.0..1.0_f32)).collect();
    if embedding.normalized {
        let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        if norm > 0.0 {
            for value in &mut values {
                *value /= norm;
            }
        }
    }
    Block::Vector { values, embedding }
}

#[cfg(test)]
mod tests;

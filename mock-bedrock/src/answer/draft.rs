//! The words of an answer: reasoning, tool calls, prose, and where they end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::{Rng as _, RngExt};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{Block, Stop};
use crate::draw::{self, Purpose};
use crate::model::Model;
use crate::outline::End;
use crate::prose;
use crate::timing::log_normal;
use crate::tool_input;
use crate::turn::{ToolChoice, Turn};

/// The median length of an answer that nothing cuts short.
const MEDIAN_TOKENS: f64 = 130.0;
/// The spread of that length: the standard deviation of its logarithm.
const SIGMA_TOKENS: f64 = 0.6;
/// The median length of the reasoning before an answer, and its spread.
const MEDIAN_REASONING_TOKENS: f64 = 160.0;
const SIGMA_REASONING_TOKENS: f64 = 0.7;
/// How often a model that may call a tool does.
const TOOL_CHANCE: f64 = 0.5;
/// How often a model that calls a tool, and was offered several, calls two at once.
const PARALLEL_CHANCE: f64 = 0.2;
/// How often a model that was offered a tool of the service uses it.
const SERVER_TOOL_CHANCE: f64 = 0.75;
/// How often an answer runs into one of the stop sequences that the request names.
const STOP_CHANCE: f64 = 1.0 / 3.0;

/// The content of a message, and why it ends.
pub(super) fn message(model: &Model, turn: &Turn, marker: &str, key: u64) -> (Vec<Block>, Stop) {
    let mut draws = draw::generator(key, Purpose::Answer);
    let most = turn.parameters.max_tokens.or(turn.default_max_tokens);
    let limit = model.chars(most.unwrap_or(model.max_output_tokens));
    let mut blocks: Vec<Block> = reasoning(model, turn, limit, key).into_iter().collect();
    let reasoned: usize = blocks.iter().map(Block::chars).sum();
    let limit = limit.saturating_sub(reasoned);
    if !blocks.is_empty() && limit == 0 {
        return (blocks, Stop::MaxTokens);
    }
    if let Some(calls) = tool_calls(turn, marker, limit, key, &mut draws) {
        blocks.extend(calls);
        return (blocks, Stop::ToolUse);
    }
    let grounding = server_tool(turn, limit, key);
    let grounded: usize = grounding.iter().map(Block::chars).sum();
    blocks.extend(grounding);
    let limit = limit - grounded;
    let natural = natural_chars(model, MEDIAN_TOKENS, SIGMA_TOKENS, &mut draws);
    let wanted = turn.outline.map_or(natural, |outline| model.chars(outline.tokens));
    let mut text = String::with_capacity(wanted.min(limit) + 128);
    prose::write(&mut text, 24, &mut draws);
    text.push_str(" Reference ");
    text.push_str(marker);
    text.push('.');
    if let Some(aside) = &turn.aside {
        text.push(' ');
        text.push_str(aside);
    }
    let least = text.len();
    prose::write(&mut text, wanted.min(limit + 1), &mut draws);
    if turn.outline.is_some() && wanted <= limit {
        end_at(&mut text, wanted.max(least));
    }
    let end = turn.outline.and_then(|outline| outline.end);
    let stop = cut(&mut text, limit, &turn.parameters.stop_sequences, end, &mut draws);
    if !text.is_empty() {
        blocks.push(Block::Text(text));
    }
    (blocks, stop)
}

/// What the model thinks first, when the request lets it: at most `limit` characters.
fn reasoning(model: &Model, turn: &Turn, limit: usize, key: u64) -> Option<Block> {
    let reasoning = turn.reasoning?;
    let mut draws = draw::generator(key, Purpose::Reasoning);
    let wanted = natural_chars(model, MEDIAN_REASONING_TOKENS, SIGMA_REASONING_TOKENS, &mut draws)
        .min(model.chars(reasoning.budget_tokens))
        .min(limit);
    let mut text = String::with_capacity(wanted + 128);
    prose::write(&mut text, wanted, &mut draws);
    text.truncate(wanted);
    if text.is_empty() {
        return None;
    }
    let mut bytes = vec![0; 160 + draws.random_range(0..96_usize)];
    draws.fill_bytes(&mut bytes);
    let sealed = STANDARD.encode(bytes);
    Some(if reasoning.redacted {
        Block::Redacted { data: sealed, chars: text.chars().count() }
    } else {
        Block::Reasoning { text, signature: sealed }
    })
}

/// The use of a tool that the service runs, with what it found, and the text that rests on it.
fn server_tool(turn: &Turn, limit: usize, key: u64) -> Vec<Block> {
    let mut draws = draw::generator(key, Purpose::ServerTool);
    let Some(name) = turn.server_tools.first() else { return Vec::new() };
    if !draws.random_bool(SERVER_TOOL_CHANCE) {
        return Vec::new();
    }
    let subject = prose::words(2, &mut draws);
    let domain = format!("{subject}.example");
    let url = format!("https://{domain}/{}", prose::words(1, &mut draws));
    let mut text = String::new();
    prose::write(&mut text, 40, &mut draws);
    let blocks = vec![
        Block::ServerTool {
            name: name.clone(),
            input: json!({ "query": subject }).to_string(),
            result: json!({ "results": [{ "title": subject, "url": url }] }).to_string(),
        },
        Block::Cited { text, title: subject, url },
    ];
    let fits = blocks.iter().map(Block::chars).sum::<usize>() <= limit;
    let stops = |block: &Block| match block {
        Block::Cited { text, .. } => {
            turn.parameters.stop_sequences.iter().any(|sequence| text.contains(sequence.as_str()))
        }
        _ => false,
    };
    if fits && !blocks.iter().any(stops) { blocks } else { Vec::new() }
}

/// Makes `text` a sentence that ends with byte `length`, if it is longer.
fn end_at(text: &mut String, length: usize) {
    if length < text.len() {
        text.truncate(text.floor_char_boundary(length.saturating_sub(1)));
        text.push('.');
    }
}

/// Cuts `text` where generation ends, and says why it does: at the first stop sequence, else at the
/// token limit, else where the text ends. `end` is what the request asks for.
fn cut(
    text: &mut String,
    limit: usize,
    sequences: &[String],
    end: Option<End>,
    draws: &mut ChaCha8Rng,
) -> Stop {
    let meets_sequence = !sequences.is_empty()
        && end.map_or_else(|| draws.random_bool(STOP_CHANCE), |end| end == End::AtSequence);
    if meets_sequence {
        let sequence = &sequences[draws.random_range(0..sequences.len())];
        let at = if end.is_some() {
            text.len()
        } else {
            let from = text.len() * draws.random_range(50..90) / 100;
            text[from..].find(' ').map_or(text.len(), |offset| from + offset + 1)
        };
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
fn tool_calls(
    turn: &Turn,
    marker: &str,
    limit: usize,
    key: u64,
    draws: &mut ChaCha8Rng,
) -> Option<Vec<Block>> {
    if turn.tools.is_empty() {
        return None;
    }
    let any = |draws: &mut ChaCha8Rng| draws.random_range(0..turn.tools.len());
    let asked = turn.outline.and_then(|outline| outline.end);
    let calls_one = |draws: &mut ChaCha8Rng| {
        asked.map_or_else(|| draws.random_bool(TOOL_CHANCE), |end| end == End::WithToolUse)
    };
    let (first, introduced) = match &turn.tool_choice {
        ToolChoice::Tool(name) => (turn.tools.iter().position(|tool| tool.name == *name)?, false),
        ToolChoice::Any => (any(draws), false),
        ToolChoice::Auto if calls_one(draws) => (any(draws), true),
        ToolChoice::Auto | ToolChoice::None => return None,
    };
    let mut called = vec![first];
    if introduced && turn.tools.len() > 1 && draws.random_bool(PARALLEL_CHANCE) {
        called.push((first + 1) % turn.tools.len());
    }
    // A model that is free to call a tool says so first; one that must, just calls it, as does one
    // that would be stopped while it says so.
    let name = &turn.tools[first].name;
    let introduction = format!("I'll use {name} to look into that, under reference {marker}.");
    let stops = |sequence: &String| introduction.contains(sequence.as_str());
    let introduced = introduced && !turn.parameters.stop_sequences.iter().any(stops);
    let introduction = introduced.then_some(Block::Text(introduction));
    let mut draws = draw::generator(key, Purpose::ToolInput);
    let mut blocks: Vec<Block> = introduction.into_iter().collect();
    for (n, tool) in called.into_iter().map(|tool| &turn.tools[tool]).enumerate() {
        let schema: Value = serde_json::from_str(tool.schema.get()).ok()?;
        let marker = (!introduced && n == 0).then(|| marker.to_owned());
        let input = tool_input::sample(&schema, &mut draws, marker)?;
        blocks.push(Block::ToolUse { name: tool.name.clone(), input: input.to_string() });
    }
    (blocks.iter().map(Block::chars).sum::<usize>() <= limit).then_some(blocks)
}

fn natural_chars(model: &Model, median: f64, sigma: f64, draws: &mut ChaCha8Rng) -> usize {
    let tokens = log_normal(median, sigma, draws).clamp(8.0, 4_000.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped just above"
    )]
    model.chars(tokens as u64)
}

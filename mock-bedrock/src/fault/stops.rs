//! Answers that end for a reason which a request cannot bring about by itself.

use serde_json::Value;

use crate::answer::{Answer, Block, Stop};
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::prose;
use crate::tool_input;
use crate::turn::{Tool, ToolChoice};

/// What stands in place of an answer that the model's filters stopped: a guess in the words of
/// Titan's refusals, written from memory and confirmed by no recording.
const FILTERED: &str = "Sorry - this model is unable to respond to this request.";
/// What a guardrail says unless its owner words it otherwise.
const BLOCKED: &str = "Sorry, the model cannot answer this question.";
/// The longest answer that is written in full to reach its token limit; a longer one is cut where
/// it stands.
const FILLED_TOKENS: u64 = 4_096;

/// Why an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    MaxTokens,
    ContentFiltered,
    GuardrailIntervened,
    MalformedModelOutput,
    MalformedToolUse,
    ContextWindowExceeded,
    /// For a reason that no client has heard of.
    Unknown,
}

/// What the request said that the reasons depend on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    /// The most tokens that the request allows.
    pub(crate) max_tokens: Option<u64>,
    /// The tool that a call would go to, and the JSON Schema of its arguments.
    pub(crate) tool: Option<(String, String)>,
}

impl Limits {
    /// The limits that a request sets with its parameters and tools.
    pub(crate) fn of(max_tokens: Option<u64>, tools: &[Tool], choice: &ToolChoice) -> Self {
        let tool = match choice {
            ToolChoice::Tool(name) => tools.iter().find(|tool| tool.name == *name),
            ToolChoice::None => None,
            ToolChoice::Auto | ToolChoice::Any => tools.first(),
        };
        let tool = tool.map(|tool| (tool.name.clone(), tool.schema.get().to_owned()));
        Limits { max_tokens, tool }
    }
}

impl Reason {
    /// Those that Converse has a word for.
    pub(super) const NAMED: &[Reason] = &[
        Reason::MaxTokens,
        Reason::ContentFiltered,
        Reason::GuardrailIntervened,
        Reason::MalformedModelOutput,
        Reason::MalformedToolUse,
        Reason::ContextWindowExceeded,
    ];

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::NAMED.iter().copied().find(|reason| reason.as_str() == word)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Reason::MaxTokens => "max_tokens",
            Reason::ContentFiltered => "content_filtered",
            Reason::GuardrailIntervened => "guardrail_intervened",
            Reason::MalformedModelOutput => "malformed_model_output",
            Reason::MalformedToolUse => "malformed_tool_use",
            Reason::ContextWindowExceeded => "model_context_window_exceeded",
            Reason::Unknown => "spanproof_unknown_reason",
        }
    }

    /// Makes `answer` one that ends for this reason.
    ///
    /// # Errors
    ///
    /// A `ValidationException` when the request gives it no chance to.
    pub(crate) fn apply(self, answer: &mut Answer, limits: &Limits) -> Result<(), ServiceError> {
        let stop = Stop::named(self.as_str());
        let blocks = match self {
            Reason::Unknown => {
                answer.stop = stop;
                return Ok(());
            }
            Reason::MaxTokens => match limits.max_tokens {
                Some(tokens) if tokens <= FILLED_TOKENS => filled(answer, tokens),
                _ => cut_short(answer),
            },
            Reason::ContextWindowExceeded => cut_short(answer),
            Reason::ContentFiltered => within(answer, limits, FILTERED),
            Reason::GuardrailIntervened => within(answer, limits, BLOCKED),
            // A call of a tool that the model wrote as text, and did not finish.
            Reason::MalformedModelOutput => {
                within(answer, limits, "<tool_call>{\"name\": \"search\", \"arguments\": {\"que")
            }
            Reason::MalformedToolUse => vec![malformed_call(answer, limits)?],
        };
        answer.put(blocks, stop);
        if let Some(most) = limits.max_tokens {
            // A call cannot be cut to the token and still name its tool.
            answer.usage.output_tokens = answer.usage.output_tokens.min(most);
        }
        Ok(())
    }
}

/// The reasoning, and text up to exactly `tokens` tokens.
fn filled(answer: &Answer, tokens: u64) -> Vec<Block> {
    let mut limit = answer.model.chars(tokens);
    let mut blocks = Vec::new();
    for block in answer.blocks.iter().filter(|block| block.is_reasoning()) {
        if block.chars() < limit {
            limit -= block.chars();
            blocks.push(block.clone());
        }
    }
    let mut text = answer.text().into_owned();
    let length = text.chars().count();
    if length < limit {
        let mut draws = draw::generator(answer.key, Purpose::Answer);
        text.push(' ');
        let wanted = text.len() + limit - length;
        prose::write(&mut text, wanted, &mut draws);
    }
    text.truncate(text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at));
    blocks.push(Block::Text(text));
    blocks
}

/// The answer up to the middle of a word at about two thirds of its text.
fn cut_short(answer: &Answer) -> Vec<Block> {
    let text = answer.text();
    let letters: Vec<char> = text.chars().collect();
    let aim = letters.len() * 2 / 3;
    let within_word =
        |at: &usize| letters[at - 1].is_alphanumeric() && letters[*at].is_alphanumeric();
    let end = (1..letters.len()).filter(|at| *at >= aim).find(within_word).unwrap_or(aim);
    let mut blocks: Vec<Block> =
        answer.blocks.iter().filter(|block| block.is_reasoning()).cloned().collect();
    if end > 0 {
        blocks.push(Block::Text(letters[..end].iter().collect()));
    }
    blocks
}

/// `text`, or as much of it as the request allows.
fn within(answer: &Answer, limits: &Limits, text: &str) -> Vec<Block> {
    let limit = limits.max_tokens.map_or(usize::MAX, |tokens| answer.model.chars(tokens));
    vec![Block::Text(text.chars().take(limit).collect())]
}

/// A call whose arguments are not the object that the schema wants, but the unfinished JSON of one:
/// a text, since buffered answers hold arguments as JSON.
fn malformed_call(answer: &Answer, limits: &Limits) -> Result<Block, ServiceError> {
    let Some((name, schema)) = &limits.tool else {
        return Err(ServiceError::validation(
            "stop:malformed_tool_use needs a request that offers a tool",
        ));
    };
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let mut draws = draw::generator(answer.key, Purpose::ToolInput);
    let arguments = tool_input::sample(&schema, &mut draws, None)
        .map_or_else(|| "{}".to_owned(), |arguments| arguments.to_string());
    let unfinished: String = arguments.chars().take(arguments.chars().count() * 2 / 3).collect();
    Ok(Block::ToolUse { name: name.clone(), input: Value::from(unfinished).to_string() })
}

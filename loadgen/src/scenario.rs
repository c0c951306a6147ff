//! What calls look like: models, lengths, parameters and faults, as data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::worker::Operation;

use crate::capabilities::Family;
use crate::fault::Fault;

/// Every scenario by name. A scenario is a file under `scenarios/` and a line here.
const FILES: &[(&str, &str)] = &[
    ("agent", include_str!("../scenarios/agent.yaml")),
    ("chat", include_str!("../scenarios/chat.yaml")),
    ("embeddings", include_str!("../scenarios/embeddings.yaml")),
    ("failure-storm", include_str!("../scenarios/failure-storm.yaml")),
    ("long-context", include_str!("../scenarios/long-context.yaml")),
    ("prompt-caching", include_str!("../scenarios/prompt-caching.yaml")),
    ("rag", include_str!("../scenarios/rag.yaml")),
    ("streaming", include_str!("../scenarios/streaming.yaml")),
];

/// The scenario used unless another is named.
pub const DEFAULT_SCENARIO: &str = "chat";

/// A kind of traffic. Shares are between 0 and 1; weights count against their sum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What traffic this is, for people.
    pub description: String,
    /// Which operation is called on which model, how often.
    pub mix: Vec<Target>,
    /// How long what users first say is.
    pub prompt_tokens: Lengths,
    /// How long texts to embed are.
    pub embedding_tokens: Lengths,
    /// How long answers are, and how they end.
    pub answers: Answers,
    /// Upper limits for the answer. A call whose answer would be longer has the next higher one.
    pub max_tokens: Vec<Weighted<u32>>,
    /// Sampling parameters. A call has at most one of temperature and top-p, as newer Claude
    /// models ask.
    pub sampling: Sampling,
    /// Sequences that end an answer, of calls beside those whose answers end so.
    pub stop_sequences: Chosen<Vec<String>>,
    /// Tools to call.
    pub tools: Tools,
    /// System prompts.
    pub system: Chosen<String>,
    /// Long system prompts that many calls share, behind a cache point.
    pub cached_prefix: CachedPrefix,
    /// Conversations of several calls; without it each call is a conversation of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Sessions>,
    /// What calls are made for, of the application's features: whom their cost is to be charged to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Weighted<String>>,
    /// What becomes of prompts and answers in telemetry, unless the command line says otherwise.
    #[serde(default, skip_serializing_if = "is_none")]
    pub content: ContentPolicy,
    /// Planned faults. `share` is of all calls that can have the fault.
    pub faults: Vec<PlannedFault>,
    /// How calls are served, in synthetic spans; services decide for themselves.
    pub serving: Serving,
    /// What a trace looks like around its calls, in synthetic spans; the clients that are driven have
    /// their own.
    pub trace: TraceShape,
}

/// One kind of call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The operation.
    pub operation: Operation,
    /// The model id, as it is sent.
    pub model: String,
    /// How often, against the other weights.
    pub weight: f64,
    /// Whether calls may put a shared prefix behind a cache point.
    #[serde(default)]
    pub cacheable: bool,
}

impl Target {
    /// The family of the model; a scenario that was read has one for each target.
    pub(crate) fn family(&self) -> Option<Family> {
        Family::of(&self.model)
    }

    /// Whether requests are bodies of the model's family.
    pub(crate) fn is_native(&self) -> bool {
        !matches!(self.operation, Operation::Converse | Operation::ConverseStream)
    }
}

/// How long answers are, and how they end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// How long answers are that no limit cuts short.
    pub output_tokens: Lengths,
    /// Why they end. A call is made such that its answer can end so: it offers tools, names stop
    /// sequences, or has a limit below its answer's length.
    pub stop_reasons: Vec<Weighted<StopReason>>,
}

/// Why an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All is said.
    EndTurn,
    /// A tool is to be called.
    ToolUse,
    /// It ran into a stop sequence.
    StopSequence,
    /// It ran into the limit of its tokens.
    MaxTokens,
}

impl StopReason {
    /// The word that Converse and this crate's files have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            StopReason::EndTurn => "end_turn",
            StopReason::ToolUse => "tool_use",
            StopReason::StopSequence => "stop_sequence",
            StopReason::MaxTokens => "max_tokens",
        }
    }
}

/// A distribution of lengths in tokens, clipped: a mixture of log-normals, or the quantiles of what
/// was measured. One of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lengths {
    /// The mixture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mixture: Vec<LogNormal>,
    /// Quantiles in rising order. `least` and `most` are the ends; between two, the logarithm of
    /// the length is even.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Quantile>,
    /// The shortest; shorter draws count as this long.
    pub least: u32,
    /// The longest; longer draws count as this long.
    pub most: u32,
}

/// A length that a share of all lengths does not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// The share, between 0 and 1.
    pub at: f64,
    /// The length, in tokens.
    pub tokens: u32,
}

/// A log-normal distribution by its median.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// How much of the mixture this is.
    pub weight: f64,
    /// The median, in tokens.
    pub median: f64,
    /// The standard deviation of the logarithm.
    pub sigma: f64,
}

/// A value and how often it is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighted<T> {
    /// The value.
    pub value: T,
    /// How often, against the other weights.
    pub weight: f64,
}

/// A part that only a share of calls has, one of `values` each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen<T> {
    /// How many calls have it.
    pub share: f64,
    /// What it is, all equally likely.
    pub values: Vec<T>,
}

/// Sampling parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Temperature.
    pub temperature: Chosen<f64>,
    /// Nucleus sampling, for calls without a temperature.
    pub top_p: Chosen<f64>,
    /// Top-k sampling, for native bodies: the Converse operations have no name for it.
    pub top_k: Chosen<u32>,
}

/// Tools that a call offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tools {
    /// How many sessions offer them, in each of their calls. Answers end with a tool's use in these
    /// alone, and so often that their share of all answers is that of the stop reasons.
    pub share: f64,
    /// How many of the calls whose answers do insist on it (`any`); the rest leave it open (`auto`).
    pub any_share: f64,
    /// What is offered, all of it at once.
    pub offered: Vec<Tool>,
    /// How long what a tool returns is.
    pub result_tokens: Lengths,
}

/// A tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub input_schema: Value,
}

/// Long system prompts that many calls share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CachedPrefix {
    /// How many of the sessions that are [`Target::cacheable`] have one.
    pub share: f64,
    /// How many different ones there are.
    pub prompts: u64,
    /// How long each is, in tokens; services cache nothing below a minimum of 1,024 or more.
    pub tokens: u32,
}

/// Conversations of several calls.
///
/// Calls arrive as the arrival process says; each belongs to one of the sessions of its tenant that
/// go on, whichever chance takes. So a session pauses between two calls for about as long as `open`
/// calls take to arrive, and the pauses are as random as those of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// How many questions a session has. One whose answer ends with the use of a tool is followed by
    /// a call with what the tool returned, which is part of the turn.
    pub turns: Vec<Weighted<u32>>,
    /// How many go on at once, of all tenants together. Each tenant has its share, one at least.
    pub open: u32,
    /// How long questions are after the first.
    pub follow_up_tokens: Lengths,
    /// A session ends when what has been said in it is longer than this.
    pub most_tokens: u32,
    /// Whether sessions with a cached prefix put all that has been said behind cache points too.
    #[serde(default)]
    pub cached: bool,
}

/// A fault and how often it is planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFault {
    /// The fault.
    pub fault: Fault,
    /// Of how many calls.
    pub share: f64,
}

/// A scenario that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No scenario has this name.
    #[error("unknown scenario `{given}`; known are {known}")]
    Unknown {
        /// The name.
        given: String,
        /// The names there are.
        known: String,
    },
    /// The text is not a scenario.
    #[error("not a scenario: {0}")]
    Syntax(#[from] serde_norway::Error),
    /// A scenario that extends another is none together with it.
    #[error("not a scenario: {0}")]
    Extended(#[source] serde_json::Error),
    /// A value is out of its range.
    #[error("not a scenario: {0}")]
    Value(String),
}

impl Scenario {
    /// The names of all scenarios, in alphabetical order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// The scenario called `name`.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn named(name: &str) -> Result<Scenario, ScenarioError> {
        Scenario::read(text_of(name)?)
    }

    /// Reads a scenario from YAML. With a member `extends`, which names a scenario of
    /// [`Scenario::names`], the members that it does not have are those of that one.
    ///
    /// # Errors
    ///
    /// When `text` is not a scenario, extends one that there is not, or a value in it is out of
    /// its range.
    pub fn read(text: &str) -> Result<Scenario, ScenarioError> {
        let scenario: Scenario = match serde_norway::from_str(text)? {
            Extending { extends: None } => serde_norway::from_str(text)?,
            Extending { extends: Some(_) } => {
                serde_json::from_value(members(text)?.into()).map_err(ScenarioError::Extended)?
            }
        };
        scenario.validate().map_err(ScenarioError::Value)?;
        Ok(scenario)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls is given a reference")]
fn is_none(policy: &ContentPolicy) -> bool {
    *policy == ContentPolicy::None
}

/// What a scenario says of another.
#[derive(Deserialize)]
struct Extending {
    extends: Option<String>,
}

/// The text of the scenario called `name`.
fn text_of(name: &str) -> Result<&'static str, ScenarioError> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text).ok_or_else(|| {
        let known = Scenario::names().collect::<Vec<_>>().join(", ");
        ScenarioError::Unknown { given: name.to_owned(), known }
    })
}

/// The members of the scenario in `text`, with those of the one that it extends where it has none.
fn members(text: &str) -> Result<Map<String, Value>, ScenarioError> {
    let mut own: Map<String, Value> = serde_norway::from_str(text)?;
    own.remove("extends");
    let Extending { extends: Some(base) } = serde_norway::from_str(text)? else { return Ok(own) };
    let mut members = members(text_of(&base)?)?;
    members.append(&mut own);
    Ok(members)
}

mod trace;
mod validate;

pub use trace::{
    Agent, AttributeValue, DrawnValue, Numbered, RandomText, Serving, SpanShape, Spread, Step,
    TraceShape,
};

#[cfg(test)]
mod tests;

//! The ledger: what the mock was asked and what it served, one JSON object per line.
//!
//! The first line is a [`Run`]; each line after it is an [`Exchange`], written when the exchange
//! has ended. The content of prompts and completions is not in it unless the mock was told to keep
//! it; hashes and planted markers are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

mod operation;
mod planted;

pub use operation::{Operation, Task};
pub use planted::{Planted, PlantedKind};

use crate::time::UnixNanos;

/// The version of the ledger's shape that this crate reads and writes.
pub const LEDGER_VERSION: u32 = 1;

/// One line of a ledger file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The first line: what holds for the whole run.
    Run(Run),
    /// One HTTP request and what was served for it. Retries are exchanges of their own.
    Exchange(Box<Exchange>),
}

/// What holds for every exchange of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// [`LEDGER_VERSION`] of the writer.
    pub version: u32,
    /// The seed of everything the mock drew.
    pub seed: u64,
    /// When the mock began to listen.
    pub started_unix_nanos: UnixNanos,
    /// The host a client sees, as `server.address` should state it.
    pub server_address: String,
    /// The port a client sees, as `server.port` should state it.
    pub server_port: u16,
    /// Every planted marker of the run begins with one of these, so that a scan for leaks looks
    /// for a handful of strings however many calls there were.
    pub marker_stems: Vec<String>,
    /// Personal data and credentials, made up, that the run plants into prompts and completions:
    /// the same few in every call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planted: Vec<Planted>,
}

/// Whose text a planted marker, or another planted value, marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkerKind {
    /// Planted by the client side into prompts.
    Prompt,
    /// Planted by the mock into completions.
    Completion,
}

/// What every marker of `kind` begins with in a run with `seed`: letters and digits only, so that
/// a marker reads the same inside JSON, URLs and quotes.
#[must_use]
pub fn marker_stem(kind: MarkerKind, seed: u64) -> String {
    let prefix = match kind {
        MarkerKind::Prompt => "SPMP",
        MarkerKind::Completion => "SPMC",
    };
    format!("{prefix}{:08X}", spread(seed) >> 32)
}

/// Spreads seeds, so that neighbouring ones have nothing in common (the finalizer of `SplitMix64`).
fn spread(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// One request the mock answered, or failed to answer on purpose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Order of arrival, from 0, without gaps.
    pub sequence: u64,
    /// When the request's head had been read.
    pub arrived_unix_nanos: UnixNanos,
    /// When the last byte of the answer had been handed to the connection, or the connection ended.
    pub finished_unix_nanos: UnixNanos,
    /// The `x-amzn-RequestId` of the answer.
    pub request_id: String,
    /// Which API operation was called.
    pub operation: Operation,
    /// What the operation did with the model.
    pub task: Task,
    /// The model id as the client sent it, percent-decoded: base id, inference profile or ARN.
    /// Empty for operations that name no model.
    pub model_id: String,
    /// The base id of the model that answered, when `model_id` names one that the mock serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_model: Option<String>,
    /// The test that the request belongs to, when it named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_id: Option<String>,
    /// W3C trace context, when the request carried a valid `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_context: Option<TraceContext>,
    /// `amz-sdk-invocation-id`: constant across the retries of one call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    /// The attempt that `amz-sdk-request` states, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The metadata of the request, by which its cost may be charged, but for what it says to the
    /// mock.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_metadata: BTreeMap<String, String>,
    /// What the request asked of the model.
    #[serde(default)]
    pub parameters: Parameters,
    /// What the request's conversation held.
    #[serde(default)]
    pub conversation: Conversation,
    /// What the answer held, where the mock composed it; of one that it replayed, nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Tokens charged, all zero when nothing was served.
    #[serde(default)]
    pub usage: Usage,
    /// The most output tokens that a chunk before the last ones stated of a stream, where the
    /// model's family states some before the end: what a client that leaves the stream may take
    /// for all. `message_start` of Claude states one; Llama counts with each chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_output_tokens: Option<u64>,
    /// The stop reason in the model family's own word, when the answer reached one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// The response id in the body, for families whose bodies have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    /// The model name in the body, for families whose bodies have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_model: Option<String>,
    /// The HTTP status served; 0 when the connection was cut before a status.
    pub status: u16,
    /// The exception served, in the head (`ThrottlingException`) or in the stream
    /// (`throttlingException`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Whether everything that the mock meant to send was handed to the connection. False when the
    /// client left early, and when a fault cut the answer short.
    pub delivered: bool,
    /// The chunks of a streamed answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<Chunks>,
    /// The fault that was injected, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What the guardrail that the request named did: `NONE` or `GUARDRAIL_INTERVENED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardrail_action: Option<String>,
    /// The scripted or recorded answer that was served, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scripted_answer: Option<String>,
    /// Planted markers: those found in the prompt, then those put into the completion. Each begins
    /// with a stem of [`Run::marker_stems`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<String>,
    /// The request as it was sent, only when the mock was told to keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<SentRequest>>,
    /// SHA-256 of the prompt's text, lower-case hex: the texts of the system prompt, then those of
    /// the messages, in their order and as they were sent, joined by newlines.
    pub prompt_sha256: String,
    /// SHA-256 of the texts of the system prompt alone, joined alike; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_sha256: Option<String>,
    /// SHA-256 of the texts of the messages alone, joined alike; absent where there is no system
    /// prompt, since that of the prompt is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_sha256: Option<String>,
    /// SHA-256 of the completion's text, lower-case hex: its texts in their order, with nothing
    /// between them; of nothing when none was served.
    pub completion_sha256: String,
    /// The texts themselves, only when the mock was told to keep them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
}

/// A request as it was sent, without credentials and without text that may be content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentRequest {
    /// Path and query.
    pub target: String,
    /// Headers by lower-case name, those that come several times joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// Values of the JSON body by JSON pointer: numbers and the like as they are, text by its length
    /// and SHA-256. A body that is no JSON is told whole at the empty pointer.
    pub body: BTreeMap<String, String>,
}

/// The ids of a `traceparent` header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceContext {
    /// 32 lower-case hex digits.
    pub trace_id: String,
    /// 16 lower-case hex digits: the span that was current where the request was made.
    pub span_id: String,
    /// The sampled flag.
    pub sampled: bool,
}

/// Sampling parameters of a request, absent where the request had none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The most tokens to generate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Sampling temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Top-k sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<f64>,
    /// Sequences that end generation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<String>,
    /// The guardrail that the request named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardrail_id: Option<String>,
}

/// How large the request's conversation was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// Messages, without the system prompt.
    #[serde(default)]
    pub messages: u32,
    /// System prompt blocks.
    #[serde(default)]
    pub system_blocks: u32,
    /// Tools offered.
    #[serde(default)]
    pub tools: u32,
}

/// What an answer held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Parts that are text; reasoning is none.
    #[serde(default)]
    pub texts: u32,
    /// The calls of tools that the client is to run, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
}

/// A call of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool.
    pub name: String,
    /// SHA-256 of the [`canonical_json`] of the arguments, lower-case hex; absent where there are
    /// none, or an empty object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments_sha256: Option<String>,
}

/// JSON in the form that is hashed: no spaces, members by name, and whole numbers without a
/// fraction, so that what several languages make of the same arguments is the same text.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(values) => {
            text.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_canonical(value, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (at, (name, value)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(double) if double.fract() == 0.0 && double.abs() < 1e15 => {
                // Writing into a string cannot fail.
                let _ = write!(text, "{double:.0}");
            }
            _ => text.push_str(&number.to_string()),
        },
        other => text.push_str(&other.to_string()),
    }
}

/// Tokens charged, as the service counts them: `input_tokens` leaves cached tokens out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Input tokens neither read from nor written to the prompt cache.
    pub input_tokens: u64,
    /// Generated tokens, reasoning included.
    pub output_tokens: u64,
    /// Input tokens read from the prompt cache.
    #[serde(default)]
    pub cache_read_input_tokens: u64,
    /// Input tokens written to the prompt cache.
    #[serde(default)]
    pub cache_write_input_tokens: u64,
    /// Those of the generated tokens that were reasoning.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasoning_output_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// Everything charged: input, output, cache read and cache write.
    #[must_use]
    pub fn total_tokens(self) -> u64 {
        self.all_input_tokens().saturating_add(self.output_tokens)
    }

    /// Every token of the prompt, cached or not.
    #[must_use]
    pub fn all_input_tokens(self) -> u64 {
        self.input_tokens
            .saturating_add(self.cache_read_input_tokens)
            .saturating_add(self.cache_write_input_tokens)
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cache_read_input_tokens =
            self.cache_read_input_tokens.saturating_add(other.cache_read_input_tokens);
        self.cache_write_input_tokens =
            self.cache_write_input_tokens.saturating_add(other.cache_write_input_tokens);
        self.reasoning_output_tokens =
            self.reasoning_output_tokens.saturating_add(other.reasoning_output_tokens);
    }
}

/// When the chunks of a streamed answer were handed to the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunks {
    /// The first chunk.
    pub first_unix_nanos: UnixNanos,
    /// The last chunk.
    pub last_unix_nanos: UnixNanos,
    /// How many there were.
    pub count: u32,
}

/// The texts of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The prompt: system prompt and messages, joined by newlines.
    pub prompt: String,
    /// The completion's text.
    pub completion: String,
}

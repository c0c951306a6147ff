//! The events of a spoken conversation, as JSON in the chunks of both streams.

use std::ops::AddAssign;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use spanproof_schemas::ledger::Parameters;

use super::speech::Voice;
use crate::error::ServiceError;
use crate::wire;

/// The sample rate of sounds that do not state theirs.
const DEFAULT_IN_HERTZ: u32 = 16_000;
const DEFAULT_OUT_HERTZ: u32 = 24_000;

/// An event of the client.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum In {
    SessionStart(SessionStart),
    PromptStart(PromptStart),
    ContentStart(ContentStart),
    TextInput(Input),
    AudioInput(Input),
    ToolResult(Input),
    ContentEnd(ContentEnd),
    PromptEnd(Empty),
    SessionEnd(Empty),
}

/// The event in the payload of a chunk, `{"bytes":"…"}` around `{"event":{…}}`.
///
/// # Errors
///
/// A `ValidationException` that says what is wrong.
pub(crate) fn decode(payload: &[u8]) -> Result<In, ServiceError> {
    #[derive(Deserialize)]
    struct Chunk<'a> {
        #[serde(borrow)]
        bytes: std::borrow::Cow<'a, str>,
    }
    #[derive(Deserialize)]
    struct Event {
        event: In,
    }
    let chunk: Chunk<'_> =
        serde_json::from_slice(payload).map_err(|_| ServiceError::unreadable())?;
    let json = STANDARD.decode(&*chunk.bytes).map_err(|_| ServiceError::unreadable())?;
    let event: Event = serde_json::from_slice(&json)
        .map_err(|error| ServiceError::validation(format!("the event cannot be read: {error}")))?;
    Ok(event.event)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SessionStart {
    inference_configuration: Inference,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Inference {
    max_tokens: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
}

impl SessionStart {
    pub(super) fn parameters(self) -> Parameters {
        let Inference { max_tokens, temperature, top_p } = self.inference_configuration;
        Parameters { max_tokens, temperature, top_p, ..Parameters::default() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PromptStart {
    pub(super) prompt_name: String,
    audio_output_configuration: Option<Sound>,
    tool_configuration: Option<Tools>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sound {
    sample_rate_hertz: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tools {
    tools: Vec<Tool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tool {
    tool_spec: Spec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    name: String,
    description: Option<String>,
    input_schema: Schema,
}

#[derive(Debug, Deserialize)]
struct Schema {
    /// The schema, as JSON in a text.
    json: String,
}

/// A tool that the client offers.
#[derive(Debug)]
pub(super) struct ToolSpec {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) schema: String,
}

impl PromptStart {
    /// The voice that the client wants to hear, if it does.
    pub(super) fn voice(&self) -> Option<Voice> {
        let sound = self.audio_output_configuration.as_ref()?;
        Some(Voice::new(sound.sample_rate_hertz.unwrap_or(DEFAULT_OUT_HERTZ)))
    }

    pub(super) fn tools(&mut self) -> Vec<ToolSpec> {
        let tools = self.tool_configuration.take().unwrap_or_default().tools;
        tools
            .into_iter()
            .map(|tool| ToolSpec {
                name: tool.tool_spec.name,
                description: tool.tool_spec.description,
                schema: tool.tool_spec.input_schema.json,
            })
            .collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContentStart {
    pub(super) prompt_name: String,
    pub(super) content_name: String,
    r#type: Kind,
    pub(super) role: Role,
    audio_input_configuration: Option<Sound>,
}

impl ContentStart {
    /// The sample rate of what is to be heard, in hertz, for a content that is sound.
    pub(super) fn hears(&self) -> Option<u32> {
        (self.r#type == Kind::Audio).then(|| {
            let sound = self.audio_input_configuration.as_ref();
            sound.and_then(|sound| sound.sample_rate_hertz).unwrap_or(DEFAULT_IN_HERTZ)
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Kind {
    Text,
    Audio,
    Tool,
}

/// Whose content it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Role {
    System,
    User,
    Assistant,
    Tool,
}

impl Role {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(super) content_name: String,
    pub(super) content: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContentEnd {
    pub(super) content_name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Empty {}

/// Tokens of either kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Count {
    pub(super) speech_tokens: u64,
    pub(super) text_tokens: u64,
}

impl Count {
    pub(super) fn all(self) -> u64 {
        self.speech_tokens + self.text_tokens
    }
}

/// Tokens in and out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tokens {
    pub(super) input: Count,
    pub(super) output: Count,
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, other: Tokens) {
        self.input.speech_tokens += other.input.speech_tokens;
        self.input.text_tokens += other.input.text_tokens;
        self.output.speech_tokens += other.output.speech_tokens;
        self.output.text_tokens += other.output.text_tokens;
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Speaker {
    User,
    Assistant,
}

impl Speaker {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Speaker::User => "USER",
            Speaker::Assistant => "ASSISTANT",
        }
    }
}

/// Whether a text is what will be said, or what was said.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Speculative,
    Final,
}

impl Stage {
    /// `additionalModelFields`, which is JSON in a text.
    pub(super) fn fields(self) -> &'static str {
        match self {
            Stage::Speculative => r#"{"generationStage":"SPECULATIVE"}"#,
            Stage::Final => r#"{"generationStage":"FINAL"}"#,
        }
    }
}

/// An event of the model, without the ids that all of them have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Out<'a> {
    CompletionStart {},
    ContentStart {
        #[serde(skip_serializing_if = "Option::is_none")]
        additional_model_fields: Option<&'static str>,
        content_id: &'a str,
        role: &'static str,
        r#type: &'static str,
    },
    TextOutput {
        content: &'a str,
        content_id: &'a str,
        role: &'static str,
    },
    AudioOutput {
        content: &'a str,
        content_id: &'a str,
        role: &'static str,
    },
    ToolUse {
        content: &'a str,
        content_id: &'a str,
        role: &'static str,
        tool_name: &'a str,
        tool_use_id: &'a str,
    },
    ContentEnd {
        content_id: &'a str,
        stop_reason: &'static str,
        r#type: &'static str,
    },
    #[serde(rename = "usageEvent")]
    Usage {
        delta: Tokens,
        total: Tokens,
    },
    CompletionEnd {
        stop_reason: &'static str,
    },
}

/// The payload of the chunk that carries `out`: `{"bytes":"…"}` around `{"event":{…}}`.
pub(super) fn encode(out: &Out<'_>, session: &str, completion: &str, prompt: &str) -> Vec<u8> {
    let mut event = serde_json::to_value(out).unwrap_or_default();
    if let Some((name, body)) = event.as_object_mut().and_then(|event| event.iter_mut().next()) {
        if name == "usageEvent" {
            *body = usage(body);
        }
        body["sessionId"] = session.into();
        body["completionId"] = completion.into();
        body["promptName"] = prompt.into();
    }
    let json = wire::json(&serde_json::json!({ "event": event }));
    wire::json(&serde_json::json!({ "bytes": STANDARD.encode(json) }))
}

/// The counts under `details`, and their sums beside them.
fn usage(counts: &serde_json::Value) -> serde_json::Value {
    let sum = |side: &str| {
        let count = |kind: &str| counts["total"][side][kind].as_u64().unwrap_or_default();
        count("speechTokens") + count("textTokens")
    };
    let (input, output) = (sum("input"), sum("output"));
    serde_json::json!({
        "details": counts,
        "totalInputTokens": input,
        "totalOutputTokens": output,
        "totalTokens": input + output,
    })
}

//! Reading a chat completion request.

use serde::Deserialize;
use serde_json::value::RawValue;
use spanproof_schemas::ledger::Parameters;

use crate::error::ServiceError;
use crate::text_or_list::TextOrList;
use crate::turn::{Reasoning, ToolChoice, Turn};

/// Reasoning tokens by `reasoning_effort`; without it, models reason as for `medium`.
const EFFORTS: &[(&str, u64)] = &[("minimal", 64), ("low", 128), ("medium", 512), ("high", 2_048)];
/// The most stop sequences that the API allows.
const MOST_STOP_SEQUENCES: usize = 4;

/// A request, read.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) turn: Turn,
    pub(crate) model: Option<String>,
    pub(crate) streams: bool,
    /// Whether a stream ends with its usage.
    pub(crate) includes_usage: bool,
}

/// Reads a chat completion request. `reasons` says whether the model thinks before it answers.
///
/// # Errors
///
/// A `ValidationException` that says what is wrong.
pub(crate) fn read(body: &[u8], reasons: bool) -> Result<Request, ServiceError> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|_| ServiceError::unreadable())?;
    let Some(messages) = body.messages else {
        return Err(ServiceError::malformed("#: required key [messages] not found"));
    };
    if messages.is_empty() {
        return Err(ServiceError::malformed(
            "#/messages: expected minimum item count: 1, found: 0",
        ));
    }
    let mut turn = Turn::new();
    for tool in body.tools.unwrap_or_default() {
        if let Some(function) = tool.function {
            let schema = function.parameters.map_or_else(empty_schema, ToOwned::to_owned);
            turn.add_tool(function.name, function.description.as_deref(), schema);
        }
    }
    turn.tool_choice = choice(body.tool_choice, &turn)?;
    for (n, message) in messages.iter().enumerate() {
        read_message(n, message, &mut turn)?;
    }
    let max_tokens = body.max_completion_tokens.or(body.max_tokens);
    if let Some(max) = max_tokens
        && max < 1
    {
        return Err(ServiceError::malformed(format!(
            "#/max_tokens: {max} is not greater or equal to 1"
        )));
    }
    for (name, value, most) in [("temperature", body.temperature, 2.0), ("top_p", body.top_p, 1.0)]
    {
        if let Some(value) = value
            && !(0.0..=most).contains(&value)
        {
            return Err(ServiceError::malformed(format!(
                "#/{name}: {value} is not between 0 and {most}"
            )));
        }
    }
    let stop_sequences = body.stop.map(|stop| stop.0).unwrap_or_default();
    if stop_sequences.len() > MOST_STOP_SEQUENCES || stop_sequences.iter().any(String::is_empty) {
        return Err(ServiceError::malformed(format!(
            "#/stop: expected at most {MOST_STOP_SEQUENCES} texts, none of them empty"
        )));
    }
    turn.parameters = Parameters {
        max_tokens: max_tokens.and_then(|max| u64::try_from(max).ok()),
        temperature: body.temperature,
        top_p: body.top_p,
        stop_sequences,
        ..Parameters::default()
    };
    if reasons {
        turn.reasoning = Some(reasoning(body.reasoning_effort.as_deref())?);
    }
    Ok(Request {
        turn,
        model: body.model,
        streams: body.stream.unwrap_or(false),
        includes_usage: body
            .stream_options
            .is_some_and(|options| options.include_usage.unwrap_or(false)),
    })
}

fn read_message(n: usize, message: &Message<'_>, turn: &mut Turn) -> Result<(), ServiceError> {
    match message.role.as_str() {
        "system" | "developer" => {
            for part in message.content.iter().flat_map(|content| &content.0) {
                turn.add_system(part.text.as_deref().unwrap_or_default());
            }
            return Ok(());
        }
        "user" | "assistant" => turn.begin_message(&message.role),
        "tool" => {
            turn.begin_message(&message.role);
            turn.note_tool_result();
        }
        other => {
            return Err(ServiceError::malformed(format!(
                "#/messages/{n}/role: {other} is not a valid enum value"
            )));
        }
    }
    let parts = message.content.as_ref().map_or(&[][..], |content| &content.0);
    if parts.is_empty() && message.tool_calls.is_none() {
        return Err(ServiceError::malformed(format!(
            "#/messages/{n}: required key [content] not found"
        )));
    }
    for part in parts {
        match (&part.text, part.image_url) {
            (Some(text), _) => turn.add_text(text),
            (None, Some(image)) => turn.add_media(image.get()),
            (None, None) => turn.add_structure(part.r#type.unwrap_or_default()),
        }
    }
    for structure in [message.tool_calls, message.tool_call_id].into_iter().flatten() {
        turn.add_structure(structure.get());
    }
    Ok(())
}

fn choice(choice: Option<Choice>, turn: &Turn) -> Result<ToolChoice, ServiceError> {
    let name = match choice {
        None => return Ok(ToolChoice::Auto),
        Some(Choice::Word(word)) => {
            return match word.as_str() {
                "auto" => Ok(ToolChoice::Auto),
                "none" => Ok(ToolChoice::None),
                // `any` is Mistral's word.
                "required" | "any" => Ok(ToolChoice::Any),
                other => Err(ServiceError::malformed(format!(
                    "#/tool_choice: {other} is not a valid enum value"
                ))),
            };
        }
        Some(Choice::Function { function }) => function.name,
    };
    if turn.tools.iter().any(|tool| tool.name == name) {
        return Ok(ToolChoice::Tool(name));
    }
    Err(ServiceError::malformed(format!("#/tool_choice: there is no tool `{name}` in tools")))
}

fn reasoning(effort: Option<&str>) -> Result<Reasoning, ServiceError> {
    let effort = effort.unwrap_or("medium");
    let Some(&(_, budget_tokens)) = EFFORTS.iter().find(|(name, _)| *name == effort) else {
        return Err(ServiceError::malformed(format!(
            "#/reasoning_effort: {effort} is not a valid enum value"
        )));
    };
    Ok(Reasoning { budget_tokens, redacted: false })
}

fn empty_schema() -> Box<RawValue> {
    RawValue::from_string(r#"{"type":"object"}"#.to_owned())
        .expect("the text is a constant, and JSON")
}

#[derive(Deserialize)]
struct Body<'a> {
    model: Option<String>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    stop: Option<TextOrList<String>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    #[serde(borrow)]
    tools: Option<Vec<Tool<'a>>>,
    tool_choice: Option<Choice>,
    reasoning_effort: Option<String>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Message<'a> {
    role: String,
    #[serde(borrow)]
    content: Option<TextOrList<Part<'a>>>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_call_id: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    r#type: Option<&'a str>,
    text: Option<String>,
    #[serde(borrow)]
    image_url: Option<&'a RawValue>,
}

/// A content that is a text is one part.
impl From<String> for Part<'_> {
    fn from(text: String) -> Self {
        Part { text: Some(text), ..Part::default() }
    }
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    name: String,
    description: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Choice {
    Word(String),
    Function { function: Named },
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

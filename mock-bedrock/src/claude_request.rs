//! The messages body that Claude takes natively.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use spanproof_schemas::ledger::Parameters;

use crate::claude_tools;
use crate::error::ServiceError;
use crate::model::Model;
use crate::reasoning;
use crate::text_or_list::TextOrList;
use crate::turn::{CacheTtl, ToolChoice, Turn};

/// The most stop sequences that the documentation of Claude's native body allows.
const MOST_STOP_SEQUENCES: usize = 8_191;

/// Reads a native Claude request, which states its version in the body.
///
/// # Errors
///
/// A `ValidationException` in the service's words for what it refuses. Any `anthropic_version` is
/// taken: released SDKs differ in what they send.
pub(crate) fn read(body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
    read_body(body, model, true)
}

/// Reads a Messages request, whose version stands in a header or in the body.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_message(
    body: &[u8],
    model: &Model,
    has_version: bool,
) -> Result<Turn, ServiceError> {
    read_body(body, model, !has_version)
}

fn read_body(body: &[u8], model: &Model, needs_version: bool) -> Result<Turn, ServiceError> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|_| ServiceError::unreadable())?;
    for (key, is_missing) in [
        ("anthropic_version", needs_version && body.anthropic_version.is_none()),
        ("max_tokens", body.max_tokens.is_none()),
        ("messages", body.messages.is_none()),
    ] {
        if is_missing {
            return Err(ServiceError::malformed(format!("#: required key [{key}] not found")));
        }
    }
    let max_tokens = body.max_tokens.unwrap_or_default();
    if max_tokens < 1 {
        return Err(ServiceError::malformed(format!(
            "#/max_tokens: {max_tokens} is not greater or equal to 1"
        )));
    }
    let mut turn = Turn::new();
    read_tools(body.tools.unwrap_or_default(), body.tool_choice, &mut turn)?;
    for block in body.system.map(|system| system.0).unwrap_or_default() {
        match &block.text {
            Some(text) => turn.add_system(text),
            None => turn.add_structure(block.r#type.unwrap_or_default()),
        }
        add_cache_point(block.cache_control.as_ref(), &mut turn);
    }
    read_messages(&body.messages.unwrap_or_default(), &mut turn)?;
    turn.parameters = Parameters {
        max_tokens: u64::try_from(max_tokens).ok(),
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        stop_sequences: body.stop_sequences.unwrap_or_default(),
        guardrail_id: None,
    };
    if turn.parameters.stop_sequences.len() > MOST_STOP_SEQUENCES {
        return Err(ServiceError::malformed(format!(
            "#/stop_sequences: expected maximum item count: {MOST_STOP_SEQUENCES}, found: {}",
            turn.parameters.stop_sequences.len()
        )));
    }
    if turn.parameters.stop_sequences.iter().any(|sequence| sequence.trim().is_empty()) {
        return Err(ServiceError::validation(
            "stop_sequences: each stop sequence must contain non-whitespace",
        ));
    }
    let fields = reasoning::Fields {
        thinking: body.thinking,
        output_config: body.output_config,
        ..reasoning::Fields::default()
    };
    reasoning::read(&fields, model, &mut turn)?;
    Ok(turn)
}

fn read_tools(
    tools: Vec<ToolEntry<'_>>,
    choice: Option<Choice>,
    turn: &mut Turn,
) -> Result<(), ServiceError> {
    for tool in tools {
        let kind = tool.r#type.as_deref().unwrap_or("custom");
        if claude_tools::runs_beside_the_model(kind) {
            turn.server_tools.push(tool.name);
        } else if let Some(schema) =
            tool.input_schema.map(ToOwned::to_owned).or_else(|| claude_tools::client_schema(kind))
        {
            turn.add_tool(tool.name, tool.description.as_deref(), schema);
        }
        add_cache_point(tool.cache_control.as_ref(), turn);
    }
    turn.tool_choice = match choice {
        None => ToolChoice::Auto,
        Some(choice) => match (choice.r#type.as_str(), choice.name) {
            ("auto", _) => ToolChoice::Auto,
            ("any", _) => ToolChoice::Any,
            ("none", _) => ToolChoice::None,
            ("tool", Some(name)) if turn.tools.iter().any(|tool| tool.name == name) => {
                ToolChoice::Tool(name)
            }
            ("tool", Some(name)) => {
                return Err(ServiceError::validation(format!(
                    "tool_choice: the tool `{name}` is not one of the tools offered"
                )));
            }
            ("tool", None) => {
                return Err(ServiceError::malformed(
                    "#/tool_choice: required key [name] not found",
                ));
            }
            (other, _) => {
                return Err(ServiceError::malformed(format!(
                    "#/tool_choice/type: {other} is not a valid enum value"
                )));
            }
        },
    };
    Ok(())
}

fn read_messages(messages: &[Message<'_>], turn: &mut Turn) -> Result<(), ServiceError> {
    if messages.is_empty() {
        return Err(ServiceError::validation("messages: at least one message is required"));
    }
    for (n, message) in messages.iter().enumerate() {
        match message.role.as_str() {
            "user" => {}
            "assistant" if n > 0 => {}
            "assistant" => {
                return Err(ServiceError::validation(
                    "messages: first message must use the \"user\" role",
                ));
            }
            other => {
                return Err(ServiceError::malformed(format!(
                    "#/messages/{n}/role: {other} is not a valid enum value"
                )));
            }
        }
        if message.content.0.is_empty() {
            return Err(ServiceError::validation(format!(
                "messages.{n}: all messages must have non-empty content except for the optional final assistant message"
            )));
        }
        turn.begin_message(&message.role);
        for block in &message.content.0 {
            match (block.r#type, &block.text) {
                (_, Some(text)) if text.trim().is_empty() => {
                    return Err(ServiceError::validation(
                        "messages: text content blocks must contain non-whitespace text",
                    ));
                }
                (_, Some(text)) => turn.add_text(text),
                (Some("image" | "document"), None) => {
                    turn.add_media(block.source.map_or("", RawValue::get));
                }
                (kind, None) => {
                    if kind == Some("tool_result") {
                        turn.note_tool_result();
                    }
                    for part in [block.name, block.input, block.content, block.tool_use_id] {
                        turn.add_structure(part.map_or("", RawValue::get));
                    }
                }
            }
            add_cache_point(block.cache_control.as_ref(), turn);
        }
    }
    Ok(())
}

fn add_cache_point(control: Option<&CacheControl>, turn: &mut Turn) {
    if let Some(control) = control {
        turn.add_cache_point(CacheTtl::named(control.ttl.as_deref()));
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    anthropic_version: Option<String>,
    max_tokens: Option<i64>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    #[serde(borrow)]
    system: Option<TextOrList<Block<'a>>>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<f64>,
    stop_sequences: Option<Vec<String>>,
    #[serde(borrow)]
    tools: Option<Vec<ToolEntry<'a>>>,
    tool_choice: Option<Choice>,
    thinking: Option<Value>,
    output_config: Option<Value>,
}

#[derive(Deserialize)]
struct Message<'a> {
    role: String,
    #[serde(borrow)]
    content: TextOrList<Block<'a>>,
}

#[derive(Default, Deserialize)]
struct Block<'a> {
    #[serde(borrow)]
    r#type: Option<&'a str>,
    text: Option<String>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use_id: Option<&'a RawValue>,
    cache_control: Option<CacheControl>,
}

/// A content that is a text is one block.
impl From<String> for Block<'_> {
    fn from(text: String) -> Self {
        Block { text: Some(text), ..Block::default() }
    }
}

#[derive(Deserialize)]
struct CacheControl {
    ttl: Option<String>,
}

#[derive(Deserialize)]
struct ToolEntry<'a> {
    r#type: Option<String>,
    name: String,
    description: Option<String>,
    #[serde(borrow)]
    input_schema: Option<&'a RawValue>,
    cache_control: Option<CacheControl>,
}

#[derive(Deserialize)]
struct Choice {
    r#type: String,
    name: Option<String>,
}

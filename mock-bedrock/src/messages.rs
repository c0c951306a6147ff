//! The body of messages that the Converse operations take, and that Nova takes natively.

use spanproof_schemas::ledger::Parameters;

use crate::error::ServiceError;
use crate::turn::{CacheTtl, Echo, Media, ToolChoice, Turn};

mod body;

use body::{
    AdditionalFields, Block, Body, Choice, InferenceConfig, Message, ToolConfig, ToolEntry,
};

/// The most stop sequences that the service's model allows.
const MOST_STOP_SEQUENCES: usize = 2_500;

/// The formats of images that guardrails look at.
const GUARDABLE: &[&str] = &["png", "jpeg"];

/// Reads a body of messages.
///
/// # Errors
///
/// A `ValidationException` in the service's words for what it refuses.
pub(crate) fn read(body: &[u8]) -> Result<Turn, ServiceError> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|_| ServiceError::unreadable())?;
    let mut turn = Turn::new();
    if let Some(config) = body.tool_config {
        read_tools(config, &mut turn)?;
    }
    for (n, block) in body.system.into_iter().flatten().enumerate() {
        match block {
            Block::Text(text) if text.trim().is_empty() => {
                return Err(blank(&format!("system.{n}")));
            }
            Block::Text(text) => turn.add_system(&text),
            other => add_block(&other, &mut turn),
        }
    }
    read_messages(&body.messages.unwrap_or_default(), &mut turn)?;
    let additional = body.additional_model_request_fields.unwrap_or_default();
    turn.parameters = read_parameters(body.inference_config.unwrap_or_default(), &additional)?;
    turn.parameters.guardrail_id =
        body.guardrail_config.as_ref().and_then(|config| config.guardrail_identifier.clone());
    turn.guardrail = body.guardrail_config;
    turn.reasoning_fields = additional.reasoning;
    if turn.reasoning_fields.nova.is_none() {
        turn.reasoning_fields.nova = body.reasoning_config;
    }
    turn.echo = Echo {
        performance_config: body.performance_config.map(ToOwned::to_owned),
        service_tier: body.service_tier.map(ToOwned::to_owned),
        stop_sequence: body
            .additional_model_response_field_paths
            .is_some_and(|paths| paths.iter().any(|path| path == "/stop_sequence")),
        ..Echo::default()
    };
    Ok(turn)
}

fn read_tools(config: ToolConfig<'_>, turn: &mut Turn) -> Result<(), ServiceError> {
    let tools = config.tools.unwrap_or_default();
    if tools.is_empty() {
        return Err(ServiceError::validation(
            "1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ));
    }
    for tool in tools {
        match tool {
            ToolEntry { tool_spec: Some(spec), .. } => turn.add_tool(
                spec.name,
                spec.description.as_deref(),
                spec.input_schema.json.to_owned(),
            ),
            ToolEntry { system_tool: Some(tool), .. } => turn.server_tools.push(tool.name),
            ToolEntry { cache_point: Some(point), .. } => {
                turn.add_cache_point(CacheTtl::named(point.ttl.as_deref()));
            }
            ToolEntry { .. } => {}
        }
    }
    turn.tool_choice = match config.tool_choice {
        Some(Choice { tool: Some(tool), .. }) => {
            if !turn.tools.iter().any(|offered| offered.name == tool.name) {
                return Err(ServiceError::validation(format!(
                    "The tool {} in toolChoice is not one of the tools of toolConfig. Offer the tool or choose another, and try again.",
                    tool.name
                )));
            }
            ToolChoice::Tool(tool.name)
        }
        Some(Choice { any: Some(_), .. }) => ToolChoice::Any,
        Some(Choice { .. }) | None => ToolChoice::Auto,
    };
    Ok(())
}

fn read_messages(messages: &[Message<'_>], turn: &mut Turn) -> Result<(), ServiceError> {
    if messages.first().is_none_or(|first| first.role != "user") {
        return Err(ServiceError::validation(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
        ));
    }
    for (n, message) in messages.iter().enumerate() {
        if !matches!(message.role.as_str(), "user" | "assistant" | "system") {
            return Err(ServiceError::validation(format!(
                "1 validation error detected: Value '{}' at 'messages.{}.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant, system]",
                message.role,
                n + 1
            )));
        }
        let content = message.content.as_deref().unwrap_or_default();
        if content.is_empty() {
            return Err(ServiceError::validation(format!(
                "The content field in the Message object at messages.{n} is empty. Add a ContentBlock object to the content field and try again."
            )));
        }
        turn.begin_message(&message.role);
        for (m, block) in content.iter().enumerate() {
            match block {
                Block::Text(text) if text.trim().is_empty() => {
                    return Err(blank(&format!("messages.{n}.content.{m}")));
                }
                Block::GuardedImage(format, _) if !GUARDABLE.contains(&format.as_str()) => {
                    let at = format!(
                        "messages.{}.member.content.{}.member.guardContent.image.format",
                        n + 1,
                        m + 1
                    );
                    return Err(ServiceError::not_one_of(format, &at, GUARDABLE));
                }
                block => add_block(block, turn),
            }
        }
    }
    Ok(())
}

fn read_parameters(
    config: InferenceConfig,
    additional: &AdditionalFields,
) -> Result<Parameters, ServiceError> {
    if let Some(max) = config.max_tokens
        && max < 1
    {
        return Err(ServiceError::validation(format!(
            "1 validation error detected: Value '{max}' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1"
        )));
    }
    for (name, value) in [("temperature", config.temperature), ("topP", config.top_p)] {
        if let Some(value) = value
            && !(0.0..=1.0).contains(&value)
        {
            let bound =
                if value > 1.0 { "less than or equal to 1" } else { "greater than or equal to 0" };
            return Err(ServiceError::validation(format!(
                "1 validation error detected: Value '{value}' at 'inferenceConfig.{name}' failed to satisfy constraint: Member must have value {bound}"
            )));
        }
    }
    let stop_sequences = config.stop_sequences.unwrap_or_default();
    if stop_sequences.len() > MOST_STOP_SEQUENCES {
        return Err(ServiceError::validation(format!(
            "1 validation error detected: Value at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must have length less than or equal to {MOST_STOP_SEQUENCES}"
        )));
    }
    if stop_sequences.iter().any(String::is_empty) {
        return Err(ServiceError::validation(
            "1 validation error detected: Value at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must satisfy constraint: [Member must have length greater than or equal to 1]",
        ));
    }
    Ok(Parameters {
        max_tokens: config.max_tokens.and_then(|max| u64::try_from(max).ok()),
        temperature: config.temperature,
        top_p: config.top_p,
        top_k: config.top_k.or_else(|| additional.top_k()),
        stop_sequences,
        guardrail_id: None,
    })
}

fn add_block(block: &Block<'_>, turn: &mut Turn) {
    match block {
        Block::Text(text) => turn.add_text(text),
        Block::CachePoint(ttl) => turn.add_cache_point(*ttl),
        Block::Media(Media::Image, json) => {
            let format = body::format(json);
            let is_guardable = format.is_some_and(|format| GUARDABLE.contains(&format.as_str()));
            turn.add_image(json.get(), false, is_guardable);
        }
        Block::GuardedImage(_, json) => turn.add_image(json.get(), true, true),
        Block::Media(kind, json) => {
            turn.media.push(*kind);
            turn.add_media(json.get());
        }
        Block::Guarded(text, guard) => turn.add_guarded(text, Some(*guard)),
        Block::ToolResult(json) => {
            turn.add_structure(json.get());
            turn.note_tool_result();
        }
        Block::Structure(json) => turn.add_structure(json.get()),
    }
}

fn blank(at: &str) -> ServiceError {
    ServiceError::validation(format!(
        "The text field in the ContentBlock object at {at} is blank. Add text to the text field, and try again."
    ))
}

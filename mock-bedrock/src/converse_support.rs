//! What a model does not do by the Converse operations, and how the service says so.

use std::borrow::Cow;

use crate::error::ServiceError;
use crate::families::Family;
use crate::messages;
use crate::model::{Capability, Modality, Model};
use crate::reasoning;
use crate::turn::{Media, Reasoning, ToolChoice, Turn};

/// Reads a body of messages for `model`.
///
/// # Errors
///
/// A `ValidationException` for what no model takes, or this one does not.
pub(crate) fn read(
    family: &dyn Family,
    body: &[u8],
    model: &Model,
    streamed: bool,
) -> Result<Turn, ServiceError> {
    if !model.supports(Capability::Converse) {
        return Err(ServiceError::validation(
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        ));
    }
    let mut turn = messages::read(body)?;
    if let Some(message) = unsupported(model, &turn, streamed) {
        return Err(ServiceError::validation(message));
    }
    let fields = std::mem::take(&mut turn.reasoning_fields);
    reasoning::read(&fields, model, &mut turn).map_err(|error| {
        let message = error.message;
        ServiceError::validation(format!("The model returned the following errors: {message}"))
    })?;
    if turn.reasoning.is_none() && family.reasons_unasked(model) {
        turn.reasoning =
            Some(Reasoning { budget_tokens: model.max_output_tokens, redacted: false });
    }
    Ok(turn)
}

/// Why `model` cannot take the turn: the texts are the service's, as reports of it quote them.
fn unsupported(model: &Model, turn: &Turn, streamed: bool) -> Option<Cow<'static, str>> {
    if let Some(media) = turn.media.iter().find(|media| !takes(model, **media)) {
        let name = media.name();
        return Some(Cow::Owned(format!(
            "This model doesn't support the {name} content block that you provided. Update the content block and try again."
        )));
    }
    asked_for(model, turn, streamed).map(Cow::Borrowed)
}

fn takes(model: &Model, media: Media) -> bool {
    match media {
        Media::Image => model.input.contains(&Modality::Image),
        Media::Document => model.supports(Capability::Documents),
        Media::Video => model.input.contains(&Modality::Video),
        Media::Audio => {
            model.input.contains(&Modality::Audio) || model.input.contains(&Modality::Speech)
        }
    }
}

/// Why `model` cannot do what the turn asks for beside its content.
fn asked_for(model: &Model, turn: &Turn, streamed: bool) -> Option<&'static str> {
    let lacks = |capability| !model.supports(capability);
    if turn.conversation.system_blocks > 0 && lacks(Capability::System) {
        return Some(
            "This model doesn't support system messages. Try again without a system message or use a model that supports system messages.",
        );
    }
    if !turn.tools.is_empty() {
        if lacks(Capability::Tools) {
            return Some("This model doesn't support tool use.");
        }
        if streamed && lacks(Capability::StreamTools) {
            return Some("This model doesn't support tool use in streaming mode.");
        }
        match turn.tool_choice {
            ToolChoice::Any if lacks(Capability::ChooseAny) => {
                return Some(
                    "This model doesn't support the toolConfig.toolChoice.any field. Remove toolConfig.toolChoice.any and try again.",
                );
            }
            ToolChoice::Tool(_) if lacks(Capability::ChooseTool) => {
                return Some(
                    "This model doesn't support the toolConfig.toolChoice.tool field. Remove toolConfig.toolChoice.tool and try again.",
                );
            }
            _ => {}
        }
    }
    if !turn.parameters.stop_sequences.is_empty() && lacks(Capability::StopSequences) {
        return Some(
            "This model doesn't support the stopSequences field. Remove stopSequences and try again.",
        );
    }
    None
}

//! How the operations of the agent runtime run a model.

use spanproof_schemas::ledger::{Content, Conversation, Parameters};

use crate::answer::Answer;
use crate::asked::{Asked, Subject};
use crate::draw;
use crate::error::ServiceError;
use crate::families;
use crate::model::{self, Model};
use crate::request;
use crate::turn::Turn;

/// What a request says, as the ledger keeps it.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Its own texts, joined by newlines; not what agents and knowledge bases add.
    pub(crate) prompt: String,
    pub(crate) conversation: Conversation,
    pub(crate) parameters: Parameters,
}

/// The model that `id` names, if it generates text.
///
/// # Errors
///
/// The service's exceptions for ids that it does not know; a `ValidationException`, whose text is
/// not known, for models that do something else.
pub(crate) fn chat_model(asked: &mut Asked<'_>, id: &str) -> Result<&'static Model, ServiceError> {
    let model = model::resolve(id)?;
    asked.exchange.served_model = Some(model.id.clone());
    if families::of(model).task().generates() {
        return Ok(model);
    }
    Err(ServiceError::validation(
        "The provided model is not supported for this operation. Try again with a text model.",
    ))
}

/// Records what a request says.
pub(crate) fn record(asked: &mut Asked<'_>, said: Said) {
    let service = asked.service;
    let exchange = &mut *asked.exchange;
    exchange.markers = request::markers(asked.body, &service.prompt_stem);
    exchange.prompt_sha256 = draw::sha256(&said.prompt);
    exchange.parameters = said.parameters;
    exchange.conversation = said.conversation;
    if service.config.keep_content {
        exchange.content = Some(Content { prompt: said.prompt, completion: String::new() });
    }
}

/// Lets a request through whose first turn is `turn`, or not.
///
/// # Errors
///
/// A `ValidationException` for a turn that the model refuses, and what [`Asked::admit`] serves.
pub(crate) fn admit(
    asked: &mut Asked<'_>,
    model: &'static Model,
    prompt: &str,
    turn: &Turn,
) -> Result<(), ServiceError> {
    turn.validate(model)?;
    let quota_tokens =
        model.tokens(turn.chars) + turn.parameters.max_tokens.unwrap_or(model.max_output_tokens);
    asked.admit(&Subject { model: Some(model), prompt, quota_tokens })
}

/// What `model` answers to `turn`.
pub(crate) fn compose(asked: &Asked<'_>, model: &'static Model, turn: Turn) -> Answer {
    let division = asked.service.cache.charge(model, &turn, asked.exchange.test_id.as_deref());
    asked.compose(model, turn, division)
}

/// Records what a client is told.
pub(crate) fn complete(asked: &mut Asked<'_>, text: &str) {
    asked.exchange.completion_sha256 = draw::sha256(text);
    if let Some(content) = &mut asked.exchange.content {
        text.clone_into(&mut content.completion);
    }
}

//! What the operations that run a model have in common: read a turn, compose its answer, write it.

use spanproof_schemas::ledger::{Operation, Planted, Task};

use crate::answer::{Answer, Stop};
use crate::asked::{Asked, Subject};
use crate::cache::Division;
use crate::draw;
use crate::error::ServiceError;
use crate::families::{self, Family};
use crate::fault::Limits;
use crate::guardrail::Guarding;
use crate::model::{self, Model};
use crate::operations::{Converse, InvokeModel, Stated, Written, WrittenBody};
use crate::request;
use crate::scripted::{Facts, Recorded};
use crate::turn::Turn;

/// How an operation that runs a model reads requests and writes answers.
pub(crate) trait Shape: Sync {
    /// What it does with a model of `family`.
    fn task(&self, family: &dyn Family) -> Task {
        family.task()
    }

    /// Reads the body of a request.
    fn read(&self, family: &dyn Family, body: &[u8], model: &Model) -> Result<Turn, ServiceError>;

    /// Writes an answer.
    fn write(&self, family: &dyn Family, answer: &Answer) -> Written;

    /// The word in which answers say why they ended.
    fn stop_word<'s>(&self, family: &dyn Family, stop: &'s Stop) -> &'s str {
        let _ = family;
        stop.as_str()
    }

    /// What the answer's body states of itself.
    fn stated(&self, family: &dyn Family, answer: &Answer) -> Stated {
        let _ = (family, answer);
        Stated::default()
    }
}

/// Answers a request to run the model that the exchange names.
///
/// # Errors
///
/// What the service would answer in place of an answer.
pub(crate) fn answer(shape: &dyn Shape, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
    let service = asked.service;
    asked.exchange.markers = request::markers(asked.body, &service.prompt_stem);
    let model = model::resolve(&asked.exchange.model_id)?;
    asked.exchange.served_model = Some(model.id.clone());
    let family = families::of(model);
    asked.exchange.task = shape.task(family);
    let mut turn = shape.read(family, asked.body, model)?;
    asked.record(&turn);
    turn.validate(model)?;
    turn.outline = asked.outline()?;
    let guarding = Guarding::of(asked, &turn)?;
    let quota_tokens = match service.throttle.quota(model) {
        Some(_) => {
            let most = turn.parameters.max_tokens.unwrap_or(model.max_output_tokens);
            let held = service.cache.held(model, &turn, asked.exchange.test_id.as_deref());
            (turn.input_tokens(model) - held).saturating_add(most)
        }
        None => 0,
    };
    asked.admit(&Subject { model: Some(model), prompt: &turn.prompt, quota_tokens })?;
    let scripted = service.scripts.find(&Facts {
        operation: asked.exchange.operation,
        model_id: &asked.exchange.model_id,
        served_model: &model.id,
        prompt: &turn.prompt,
        prompt_sha256: &asked.exchange.prompt_sha256,
        user_messages: turn.user_messages,
        ends_with_tool_result: turn.ends_with_tool_result,
        test: asked.exchange.test_id.as_deref(),
    })?;
    if let Some((name, reply)) = scripted {
        asked.exchange.scripted_answer = Some(name.to_owned());
        if let Some(fault) = &reply.fault {
            asked.strike(fault, name)?;
        }
        if let Some(recorded) = &reply.recorded {
            return Ok(replay(recorded, asked, model));
        }
    }

    let limits = Limits::of(turn.parameters.max_tokens, &turn.tools, &turn.tool_choice);
    let division = match &guarding {
        Some(guarding) if guarding.refuses() => Division::default(),
        _ => service.cache.charge(model, &turn, asked.exchange.test_id.as_deref()),
    };
    // A guardrail would be about what was planted, not about what was asked.
    if guarding.is_none() {
        turn.aside = service.planted(turn.identity()).map(Planted::sentence);
    }
    let mut answer = asked.compose(model, turn, division);
    if let Some((_, reply)) = scripted {
        reply.apply(&mut answer);
    }
    asked.stop(&mut answer, &limits)?;
    if let Some(guarding) = guarding {
        guarding.apply(&mut answer, family);
    }
    let mut written = shape.write(family, &answer);
    if let (WrittenBody::Stream(script), Some(cadence)) = (&mut written.body, &answer.cadence) {
        script.retime(|chars| cadence.due(chars));
    }
    if let Some(told) = &answer.guardrail {
        asked.exchange.guardrail_action = Some(told.action().to_owned());
        written.body = written.body.map_whole(|body| told.whole(body));
    }
    let streams = matches!(written.body, WrittenBody::Stream(_));
    fill(shape, asked, family, &answer, streams);
    Ok(written)
}

/// The prompt of a request to run the model `model_id`, by an operation whose answers can be
/// replayed; `None` for others.
pub(crate) fn prompt(
    operation: Operation,
    model_id: &str,
    body: &[u8],
) -> Option<Result<String, ServiceError>> {
    let shape: &dyn Shape = match operation {
        Operation::Converse | Operation::ConverseStream => &Converse,
        Operation::InvokeModel | Operation::InvokeModelWithResponseStream => &InvokeModel,
        _ => return None,
    };
    Some(model::resolve(model_id).and_then(|model| {
        let turn = shape.read(families::of(model), body, model)?;
        Ok(turn.prompt)
    }))
}

/// A recorded answer, with what it says of itself in the record.
fn replay(recorded: &Recorded, asked: &mut Asked<'_>, model: &'static Model) -> Written {
    asked.exchange.stop_reason.clone_from(&recorded.stop_reason);
    asked.exchange.early_output_tokens = recorded.early_output_tokens;
    asked.exchange.exception = recorded.exception().map(ToOwned::to_owned);
    recorded.written(model)
}

/// Records what the answer will say.
fn fill(
    shape: &dyn Shape,
    asked: &mut Asked<'_>,
    family: &dyn Family,
    answer: &Answer,
    streams: bool,
) {
    let exchange = &mut *asked.exchange;
    let text = answer.text();
    exchange.completion_sha256 = draw::sha256(&text);
    if let Some(content) = &mut exchange.content {
        content.completion = text.into_owned();
    }
    if matches!(exchange.task, Task::Chat | Task::TextCompletion) {
        exchange.stop_reason = Some(shape.stop_word(family, &answer.stop).to_owned());
    }
    exchange.answer = Some(answer.held());
    exchange.markers.extend(answer.marker.clone());
    let stated = shape.stated(family, answer);
    exchange.response_id = stated.response_id;
    exchange.response_model = stated.response_model;
    exchange.early_output_tokens = stated.early_output_tokens.filter(|_| streams);
}

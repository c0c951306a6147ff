//! `CountTokens`: what a request would be charged for its input.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spanproof_schemas::ledger;

use super::{Operation, Written};
use crate::asked::{Asked, Subject};
use crate::converse_support;
use crate::error::ServiceError;
use crate::families;
use crate::model::{self, Capability, Model};
use crate::request;
use crate::route::Route;
use crate::turn::Turn;

/// `POST /model/{modelId}/count-tokens`
///
/// It reads a body as Converse or InvokeModel would, and counts by the same rule. What the prompt
/// cache would take counts too: the operation knows no cache, and promises what the same input
/// would be charged, which is input, cache reads and cache writes together.
pub(crate) struct CountTokens;

/// How long counting takes: a guess, well below the time to a first token.
const DUE: Duration = Duration::from_millis(80);

/// The longest model id that the operation takes, shorter than that of the others.
const LONGEST_MODEL_ID: usize = 256;

impl Operation for CountTokens {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::CountTokens
    }

    fn route(&self) -> Route {
        Route::post("/model/{modelId}/count-tokens")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let service = asked.service;
        asked.exchange.markers = request::markers(asked.body, &service.prompt_stem);
        let model = resolve(&asked.exchange.model_id)?;
        asked.exchange.served_model = Some(model.id.clone());
        let request: Request<'_> = asked.json()?;
        let Some(input) = request.input else { return Err(ServiceError::missing("input")) };
        let turn = read(&input, model)?;
        asked.record(&turn);
        asked.admit(&Subject { model: Some(model), prompt: &turn.prompt, quota_tokens: 0 })?;
        Ok(Written::json(&Body { input_tokens: turn.input_tokens(model) }, DUE))
    }
}

/// The model that counts: it is asked for by its base id, also when it is served through profiles
/// alone. That profiles cannot count is what third parties report.
fn resolve(id: &str) -> Result<&'static Model, ServiceError> {
    if id.len() > LONGEST_MODEL_ID {
        return Err(ServiceError::validation(format!(
            "1 validation error detected: Value '{id}' at 'modelId' failed to satisfy constraint: Member must have length less than or equal to {LONGEST_MODEL_ID}"
        )));
    }
    match model::base(id) {
        Some(model) if model.supports(Capability::CountTokens) => Ok(model),
        Some(_) => Err(unsupported()),
        None => model::resolve(id).and(Err(unsupported())),
    }
}

fn unsupported() -> ServiceError {
    ServiceError::validation("The provided model doesn't support counting tokens.")
}

fn read(input: &Input<'_>, model: &Model) -> Result<Turn, ServiceError> {
    let family = families::of(model);
    match (input.converse, &input.invoke_model) {
        (Some(body), None) => converse_support::read(family, body.get().as_bytes(), model, false),
        (None, Some(request)) => {
            let body = STANDARD.decode(&request.body).map_err(|_| ServiceError::unreadable())?;
            family.read(&body, model)
        }
        _ => Err(ServiceError::unreadable()),
    }
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    input: Option<Input<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    #[serde(borrow)]
    converse: Option<&'a RawValue>,
    invoke_model: Option<Invocation>,
}

#[derive(Deserialize)]
struct Invocation {
    /// In base64.
    body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    input_tokens: u64,
}

//! `InvokeModelWithBidirectionalStream`: events both ways, for models that speak.

use std::time::Duration;

use spanproof_schemas::ledger::{self, Usage};

use super::{Operation, Written, WrittenBody};
use crate::asked::{Asked, Subject};
use crate::draw::Fold;
use crate::error::ServiceError;
use crate::families;
use crate::model;
use crate::route::Route;
use crate::sonic::Session;

/// `POST /model/{modelId}/invoke-with-bidirectional-stream`
pub(crate) struct InvokeModelWithBidirectionalStream;

impl Operation for InvokeModelWithBidirectionalStream {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::InvokeModelWithBidirectionalStream
    }

    fn route(&self) -> Route {
        Route::post("/model/{modelId}/invoke-with-bidirectional-stream")
    }

    fn task(&self) -> ledger::Task {
        ledger::Task::Chat
    }

    fn converses(&self) -> bool {
        true
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let service = asked.service;
        let model = model::resolve(&asked.exchange.model_id)?;
        asked.exchange.served_model = Some(model.id.clone());
        if families::of(model).name() != "nova_sonic" {
            return Err(ServiceError::validation(
                "The provided model doesn't support bidirectional streaming.",
            ));
        }
        asked.admit(&Subject { model: Some(model), ..Subject::default() })?;
        let seed = service.config.seed;
        let mut key = Fold::new(seed);
        key.word(asked.exchange.sequence);
        let session = Session::new(seed, service.completion_stem.clone(), model, key.finish());
        Ok(Written {
            headers: Vec::new(),
            body: WrittenBody::Session(Box::new(session)),
            due: Duration::ZERO,
            usage: Usage::default(),
            model: Some(model),
        })
    }
}

//! RetrieveAndGenerate: an answer that cites the passages that it rests on.

use serde_json::{Value, json};
use spanproof_schemas::ledger;

use super::{Operation, Written};
use crate::agent_runtime::{Ends, GroundedRequest};
use crate::asked::Asked;
use crate::error::ServiceError;
use crate::route::Route;
use crate::wire;

/// `POST /retrieveAndGenerate`
pub(crate) struct RetrieveAndGenerate;

impl Operation for RetrieveAndGenerate {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::RetrieveAndGenerate
    }

    fn route(&self) -> Route {
        Route::post("/retrieveAndGenerate")
    }

    fn task(&self) -> ledger::Task {
        ledger::Task::Chat
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let request: GroundedRequest = asked.json()?;
        let grounded = request.answer(asked)?;
        let citations: Vec<Value> =
            grounded.citations.iter().map(|citation| citation.json(Ends::AtLast)).collect();
        let mut body = json!({
            "citations": citations,
            "output": { "text": grounded.text },
            "sessionId": grounded.session_id,
        });
        if let Some(action) = grounded.guardrail_action {
            body["guardrailAction"] = action.into();
        }
        body.sort_all_objects();
        Ok(Written::whole(&grounded.answer, wire::json(&body)))
    }
}

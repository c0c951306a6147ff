//! InvokeInlineAgent: the same with an agent that the request brings.

use spanproof_schemas::ledger;

use super::invoke_agent::session_headers;
use super::{Operation, Written};
use crate::agent_runtime::{self, InlineRequest, Run};
use crate::arn::Region;
use crate::asked::Asked;
use crate::error::ServiceError;
use crate::route::Route;

/// `POST /agents/{sessionId}`
pub(crate) struct InvokeInlineAgent;

impl Operation for InvokeInlineAgent {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::InvokeInlineAgent
    }

    fn route(&self) -> Route {
        Route::post("/agents/{sessionId}")
    }

    fn task(&self) -> ledger::Task {
        ledger::Task::InvokeAgent
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let request: InlineRequest = asked.json()?;
        let session_id = asked.labels.get("sessionId").to_owned();
        agent_runtime::check_session("sessionId", &session_id)?;
        request.model_id()?.clone_into(&mut asked.exchange.model_id);
        let agent = request.agent(&Region::of(&asked.head.headers))?;
        let run = Run {
            agent: &agent,
            task: &request.task,
            session_id: &session_id,
            guardrail: request.guardrail_configuration.as_ref(),
            retrieval: request.retrieval(),
            said: request.said(&agent),
            idle: request.idle(),
            headers: session_headers(&session_id)?,
        };
        run.written(asked)
    }
}

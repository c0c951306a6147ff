//! InvokeAgent: what an agent says, and how it came to it.

use http::{HeaderName, HeaderValue};
use spanproof_schemas::ledger::{self, Conversation};

use super::{Operation, Written};
use crate::agent_runtime::{self, Agent, AgentTask, Run, Said};
use crate::arn::Region;
use crate::asked::Asked;
use crate::error::ServiceError;
use crate::route::Route;

const CONTENT_TYPE: HeaderName = HeaderName::from_static("x-amzn-bedrock-agent-content-type");
const SESSION: HeaderName = HeaderName::from_static("x-amz-bedrock-agent-session-id");
const MEMORY: HeaderName = HeaderName::from_static("x-amz-bedrock-agent-memory-id");

/// `POST /agents/{agentId}/agentAliases/{agentAliasId}/sessions/{sessionId}/text`
pub(crate) struct InvokeAgent;

impl Operation for InvokeAgent {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::InvokeAgent
    }

    fn route(&self) -> Route {
        Route::post("/agents/{agentId}/agentAliases/{agentAliasId}/sessions/{sessionId}/text")
    }

    fn task(&self) -> ledger::Task {
        ledger::Task::InvokeAgent
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let task: AgentTask = asked.json()?;
        let session_id = asked.labels.get("sessionId").to_owned();
        agent_runtime::check_session("sessionId", &session_id)?;
        let region = Region::of(&asked.head.headers);
        let labels = &asked.labels;
        let (id, alias_id) = (labels.get("agentId"), labels.get("agentAliasId"));
        let agent = Agent::named(asked.service.config.seed, id, alias_id, &region)?;
        let said = Said {
            prompt: task.text().to_owned(),
            conversation: Conversation { messages: 1, ..Conversation::default() },
            ..Said::default()
        };
        let mut headers = session_headers(&session_id)?;
        if let Some(memory) = &task.memory_id {
            agent_runtime::check_session("memoryId", memory)?;
            headers.push((MEMORY, header(memory)?));
        }
        let run = Run {
            agent: &agent,
            task: &task,
            session_id: &session_id,
            guardrail: None,
            retrieval: None,
            said,
            idle: agent_runtime::IDLE,
            headers,
        };
        run.written(asked)
    }
}

/// What both operations of agents state in headers.
pub(super) fn session_headers(
    session_id: &str,
) -> Result<Vec<(HeaderName, HeaderValue)>, ServiceError> {
    let json = HeaderValue::from_static("application/json");
    Ok(vec![(CONTENT_TYPE, json), (SESSION, header(session_id)?)])
}

fn header(id: &str) -> Result<HeaderValue, ServiceError> {
    HeaderValue::from_str(id).map_err(|_| ServiceError::unreadable())
}

//! What the operations of `bedrock-agent-runtime` share: knowledge bases, agents, and the streams in
//! which they tell what they do.
//!
//! An agent, a flow and a knowledge base exist for every well-formed id. Shapes follow recorded
//! exchanges of the service; where those and the service's model differ, as in the length of a
//! trace's id, the recordings win.

mod action;
mod agent;
mod citation;
mod filter;
mod generation;
mod grounded;
mod guard;
mod inline;
mod knowledge_base;
mod orchestration;
mod retrieval;
mod session;
mod task;
mod timeline;
mod trace;

pub(crate) use agent::{Agent, DEFAULT_MODEL};
pub(crate) use citation::Ends;
pub(crate) use generation::{Said, admit, chat_model, complete, compose, record};
pub(crate) use grounded::Request as GroundedRequest;
pub(crate) use guard::{Guard, GuardrailConfiguration, Verdict};
pub(crate) use inline::InlineRequest;
pub(crate) use knowledge_base::{KnowledgeBase, Passage};
pub(crate) use orchestration::Run;
pub(crate) use retrieval::RetrievalConfiguration;
pub(crate) use session::{IDLE, Sessions};
pub(crate) use task::Task as AgentTask;
pub(crate) use timeline::Timeline;

/// The median time of a search in a knowledge base; a plausible one.
pub(crate) const MEDIAN_SEARCH_MS: f64 = 350.0;

/// Checks the form of a session's id, which clients choose.
///
/// # Errors
///
/// A `ValidationException` for one that is too short, too long, or of other letters.
pub(crate) fn check_session(at: &str, id: &str) -> Result<(), crate::error::ServiceError> {
    crate::constraint::length(at, id, &(2..=100))?;
    let is_id = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-'));
    crate::constraint::pattern(at, id, "[0-9a-zA-Z._:-]+", is_id)
}

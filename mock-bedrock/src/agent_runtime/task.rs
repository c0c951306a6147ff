//! What a request asks of an agent.

use serde::Deserialize;
use serde_json::Value;

use super::session::Remembered;
use crate::constraint;
use crate::error::ServiceError;
use crate::turn::Turn;

/// The members that both requests to agents have.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Task {
    pub(super) input_text: Option<String>,
    #[serde(default)]
    pub(super) enable_trace: Option<bool>,
    #[serde(default)]
    pub(super) end_session: Option<bool>,
    #[serde(alias = "inlineSessionState")]
    pub(super) session_state: Option<SessionState>,
    pub(super) streaming_configurations: Option<Streaming>,
    pub(crate) memory_id: Option<String>,
}

/// What the client knows of the session.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionState {
    conversation_history: Option<History>,
    files: Option<Vec<Value>>,
    pub(super) knowledge_base_configurations: Option<Vec<KnowledgeBaseConfiguration>>,
    prompt_session_attributes: Option<serde_json::Map<String, Value>>,
    pub(super) return_control_invocation_results: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
struct History {
    messages: Option<Vec<Message>>,
}

#[derive(Debug, Deserialize)]
struct Message {
    role: Option<String>,
    content: Option<Vec<Block>>,
}

#[derive(Debug, Deserialize)]
struct Block {
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KnowledgeBaseConfiguration {
    pub(super) knowledge_base_id: Option<String>,
    pub(super) retrieval_configuration: Option<super::RetrievalConfiguration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Streaming {
    stream_final_response: Option<bool>,
    apply_guardrail_interval: Option<i64>,
}

impl Task {
    /// Whether the session is to end, and nothing else to be done.
    pub(super) fn ends_session(&self) -> bool {
        self.end_session == Some(true)
    }

    /// Whether the answer is to be told as it is generated.
    pub(super) fn streams(&self) -> bool {
        self.streaming_configurations
            .as_ref()
            .is_some_and(|streaming| streaming.stream_final_response == Some(true))
    }

    /// What the client did when it was given control.
    pub(super) fn results(&self) -> &[Value] {
        let state = self.session_state.as_ref();
        state
            .and_then(|state| state.return_control_invocation_results.as_deref())
            .unwrap_or_default()
    }

    /// The text that the client asks with.
    pub(crate) fn text(&self) -> &str {
        self.input_text.as_deref().unwrap_or_default()
    }

    /// What the client says, as its session remembers it: what it did when it was given control
    /// stands in place of a text.
    pub(super) fn said(&self) -> Remembered {
        match self.results() {
            [] => Remembered::user(self.text()),
            results => Remembered::user(Value::from(results).to_string()),
        }
    }

    /// # Errors
    ///
    /// A `ValidationException` for a task without a text, for results that are none, and for members
    /// out of bounds. The service's text for the first is not known.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        if let Some(id) = &self.memory_id {
            super::check_session("memoryId", id)?;
        }
        if let Some(streaming) = &self.streaming_configurations
            && let Some(interval) = streaming.apply_guardrail_interval
        {
            let at = "streamingConfigurations.applyGuardrailInterval";
            constraint::number(at, interval, &(1..=i64::MAX))?;
        }
        if let Some(state) = &self.session_state {
            state.check()?;
        }
        if self.text().trim().is_empty() && self.results().is_empty() && !self.ends_session() {
            return Err(ServiceError::validation(
                "The inputText field is empty. Add a text to inputText, and try again.",
            ));
        }
        Ok(())
    }

    /// Adds to `turn` what was said before, and what is said now.
    pub(super) fn converse(&self, turn: &mut Turn) {
        let state = self.session_state.as_ref();
        let history = state.and_then(|state| state.conversation_history.as_ref());
        for message in history.iter().flat_map(|history| history.messages.iter().flatten()) {
            turn.begin_message(message.role.as_deref().unwrap_or_default());
            for block in message.content.iter().flatten() {
                turn.add_text(block.text.as_deref().unwrap_or_default());
            }
        }
        turn.begin_message("user");
        if self.results().is_empty() {
            turn.add_text(self.text());
        }
        for result in self.results() {
            turn.add_structure(&result.to_string());
        }
        let Some(state) = state else { return };
        for file in state.files.iter().flatten() {
            turn.add_media(&file.to_string());
        }
        if let Some(attributes) = &state.prompt_session_attributes {
            turn.add_structure(&Value::Object(attributes.clone()).to_string());
        }
    }
}

impl SessionState {
    fn check(&self) -> Result<(), ServiceError> {
        let at = "sessionState";
        if let Some(results) = &self.return_control_invocation_results {
            let at = format!("{at}.returnControlInvocationResults");
            constraint::count(&at, results.len(), &(1..=5))?;
            for (n, result) in results.iter().enumerate() {
                let members = result.as_object();
                let one = members.filter(|members| members.len() == 1).and_then(|members| {
                    members.get("functionResult").or_else(|| members.get("apiResult"))
                });
                let at = format!("{at}.{}.member", n + 1);
                let one = constraint::required(&at, one)?;
                constraint::required(&format!("{at}.actionGroup"), one["actionGroup"].as_str())?;
            }
        }
        let history = self.conversation_history.as_ref();
        for (n, message) in history.iter().flat_map(|all| all.messages.iter().flatten()).enumerate()
        {
            let at = format!("{at}.conversationHistory.messages.{}.member", n + 1);
            let role = constraint::required(&format!("{at}.role"), message.role.as_deref())?;
            constraint::one_of(&format!("{at}.role"), role, &["user", "assistant"])?;
            constraint::required(&format!("{at}.content"), message.content.as_ref())?;
        }
        for configuration in self.knowledge_base_configurations.iter().flatten() {
            configuration.check(&format!("{at}.knowledgeBaseConfigurations"))?;
        }
        Ok(())
    }
}

impl KnowledgeBaseConfiguration {
    pub(super) fn check(&self, at: &str) -> Result<(), ServiceError> {
        let at = format!("{at}.knowledgeBaseId");
        let id = constraint::required(&at, self.knowledge_base_id.as_deref())?;
        constraint::length(&at, id, &(0..=10))?;
        constraint::pattern(&at, id, "[0-9a-zA-Z]+", constraint::is_alphanumeric(id))
    }
}

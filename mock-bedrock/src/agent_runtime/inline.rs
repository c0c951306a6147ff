//! Agents that a request brings.

use std::time::Duration;

use serde::Deserialize;
use spanproof_schemas::ledger::{Conversation, Parameters};

use super::RetrievalConfiguration;
use super::action::ActionGroup;
use super::agent::{Agent, Inference};
use super::generation::Said;
use super::guard::GuardrailConfiguration;
use super::session::IDLE;
use super::task::{KnowledgeBaseConfiguration, Task};
use crate::arn::Region;
use crate::constraint::{self, required};
use crate::error::ServiceError;

/// The body of InvokeInlineAgent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InlineRequest {
    foundation_model: Option<String>,
    instruction: Option<String>,
    action_groups: Option<Vec<ActionGroup>>,
    knowledge_bases: Option<Vec<KnowledgeBaseConfiguration>>,
    pub(crate) guardrail_configuration: Option<GuardrailConfiguration>,
    prompt_override_configuration: Option<PromptOverrides>,
    #[serde(rename = "idleSessionTTLInSeconds")]
    idle_session_ttl_in_seconds: Option<i64>,
    #[serde(flatten)]
    pub(crate) task: Task,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptOverrides {
    prompt_configurations: Option<Vec<PromptConfiguration>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptConfiguration {
    prompt_type: Option<String>,
    inference_configuration: Option<InferenceConfiguration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InferenceConfiguration {
    maximum_length: Option<i64>,
    stop_sequences: Option<Vec<String>>,
    temperature: Option<f64>,
    top_k: Option<i64>,
    top_p: Option<f64>,
}

impl InlineRequest {
    /// The model that the agent is to have, by id or ARN.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for a request that names none.
    pub(crate) fn model_id(&self) -> Result<&str, ServiceError> {
        let id = required("foundationModel", self.foundation_model.as_deref())?;
        constraint::length("foundationModel", id, &(1..=2_048))?;
        Ok(id)
    }

    /// How long the session lives on when nothing is said.
    pub(crate) fn idle(&self) -> Duration {
        let seconds =
            self.idle_session_ttl_in_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        seconds.map_or(IDLE, Duration::from_secs)
    }

    /// The agent.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for an agent without a model or an instruction, and for members out
    /// of bounds.
    pub(crate) fn agent(&self, region: &Region) -> Result<Agent, ServiceError> {
        let model_id = self.model_id()?.to_owned();
        let instruction = required("instruction", self.instruction.clone())?;
        constraint::length("instruction", &instruction, &(40..=usize::MAX))?;
        if let Some(seconds) = self.idle_session_ttl_in_seconds {
            constraint::number("idleSessionTTLInSeconds", seconds, &(60..=3_600))?;
        }
        let mut agent = Agent::inline(model_id, instruction, region);
        for (n, group) in self.action_groups.iter().flatten().enumerate() {
            agent.actions.extend(group.actions(&format!("actionGroups.{}.member", n + 1))?);
        }
        for (n, base) in self.knowledge_bases.iter().flatten().enumerate() {
            base.check(&format!("knowledgeBases.{}.member", n + 1))?;
        }
        agent.knowledge_base = self.base().and_then(|base| base.knowledge_base_id.clone());
        agent.inference = self.inference()?;
        Ok(agent)
    }

    /// How its knowledge base is to be searched.
    pub(crate) fn retrieval(&self) -> Option<&RetrievalConfiguration> {
        self.base()?.retrieval_configuration.as_ref()
    }

    /// What the request says: the instruction, and the client's text.
    pub(crate) fn said(&self, agent: &Agent) -> Said {
        let mut prompt = agent.instruction.clone();
        if let Some(text) = &self.task.input_text {
            prompt.push('\n');
            prompt.push_str(text);
        }
        let Inference { maximum_length, stop_sequences, temperature, top_k, top_p } =
            agent.inference.clone();
        Said {
            prompt,
            conversation: Conversation {
                messages: 1,
                system_blocks: 1,
                tools: u32::try_from(agent.actions.len()).unwrap_or(u32::MAX),
            },
            parameters: Parameters {
                max_tokens: maximum_length,
                temperature,
                top_p,
                #[expect(clippy::cast_precision_loss, reason = "at most 500")]
                top_k: top_k.map(|top_k| top_k as f64),
                stop_sequences: stop_sequences.unwrap_or_default(),
                guardrail_id: None,
            },
        }
    }

    fn base(&self) -> Option<&KnowledgeBaseConfiguration> {
        self.knowledge_bases.as_ref()?.first()
    }

    /// How the model is to generate when it orchestrates.
    fn inference(&self) -> Result<Inference, ServiceError> {
        let overrides = self.prompt_override_configuration.as_ref();
        let prompts = overrides.and_then(|overrides| overrides.prompt_configurations.as_deref());
        let at = "promptOverrideConfiguration.promptConfigurations";
        constraint::count(at, prompts.map_or(0, <[_]>::len), &(0..=10))?;
        let prompt = prompts
            .unwrap_or_default()
            .iter()
            .find(|prompt| prompt.prompt_type.as_deref() == Some("ORCHESTRATION"));
        let Some(asked) = prompt.and_then(|prompt| prompt.inference_configuration.as_ref()) else {
            return Ok(Inference::default());
        };
        let at = |member: &str| format!("{at}.1.member.inferenceConfiguration.{member}");
        if let Some(length) = asked.maximum_length {
            constraint::number(&at("maximumLength"), length, &(0..=8_192))?;
        }
        if let Some(top_k) = asked.top_k {
            constraint::number(&at("topK"), top_k, &(0..=500))?;
        }
        for (name, value) in [("temperature", asked.temperature), ("topP", asked.top_p)] {
            if let Some(value) = value {
                constraint::number(&at(name), value, &(0.0..=1.0))?;
            }
        }
        let sequences = asked.stop_sequences.as_ref().map_or(0, Vec::len);
        constraint::count(&at("stopSequences"), sequences, &(0..=4))?;
        let mut stop_sequences = asked.stop_sequences.clone();
        if let Some(all) = &mut stop_sequences {
            all.retain(|sequence| !sequence.is_empty());
        }
        Ok(Inference {
            maximum_length: asked.maximum_length.and_then(|length| u64::try_from(length).ok()),
            stop_sequences,
            temperature: asked.temperature,
            top_k: asked.top_k.and_then(|top_k| u64::try_from(top_k).ok()),
            top_p: asked.top_p,
        })
    }
}

//! Agents: those that exist for every id, and those that a request brings.

use rand::RngExt;
use serde_json::{Value, json};

use super::action::Action;
use super::knowledge_base::identifier;
use crate::arn::Region;
use crate::constraint;
use crate::draw::{self, Fold, Purpose};
use crate::error::ServiceError;
use crate::model::Model;
use crate::prose;

/// The model of agents that do not say which they have.
pub(crate) const DEFAULT_MODEL: &str = "amazon.nova-pro-v1:0";
/// The most tokens that an agent lets its model generate at once, as recorded.
pub(super) const DEFAULT_MAXIMUM_LENGTH: u64 = 2_048;
/// The alias of an agent's working draft.
const DRAFT_ALIAS: &str = "TSTALIASID";
/// What stands for the id of an agent that a request brings.
pub(super) const INLINE: &str = "INLINE_AGENT";

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(super) id: String,
    pub(super) alias_id: String,
    pub(super) alias_arn: String,
    /// Absent from an agent that a request brings.
    pub(super) version: Option<String>,
    /// The model as the request or the agent names it.
    pub(super) model_id: String,
    pub(super) instruction: String,
    /// The id of the knowledge base that it searches.
    pub(super) knowledge_base: Option<String>,
    pub(super) actions: Vec<Action>,
    pub(super) inference: Inference,
}

/// How an agent lets its model generate.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Inference {
    pub(super) maximum_length: Option<u64>,
    pub(super) stop_sequences: Option<Vec<String>>,
    pub(super) temperature: Option<f64>,
    pub(super) top_k: Option<u64>,
    pub(super) top_p: Option<f64>,
}

/// What an agent that exists for every id can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Equipment {
    Plain,
    KnowledgeBase,
    Action,
    ReturnControl,
}

impl Equipment {
    /// An id that begins with `KB`, `AG`, `RC` or `PL` tells what the agent has, so that a test can
    /// choose: a knowledge base, an action that a Lambda function does, one that returns control, or
    /// nothing. For other ids it is drawn.
    fn of(id: &str, draws: &mut rand_chacha::ChaCha8Rng) -> Self {
        let any = [Self::Plain, Self::KnowledgeBase, Self::Action, Self::ReturnControl]
            [draws.random_range(0..4_usize)];
        match id.get(..2) {
            Some("PL") => Equipment::Plain,
            Some("KB") => Equipment::KnowledgeBase,
            Some("AG") => Equipment::Action,
            Some("RC") => Equipment::ReturnControl,
            _ => any,
        }
    }
}

impl Agent {
    /// The agent that exists for an id, at one of its aliases.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for what is no id.
    pub(crate) fn named(
        seed: u64,
        id: &str,
        alias_id: &str,
        region: &Region,
    ) -> Result<Self, ServiceError> {
        for (at, id) in [("agentId", id), ("agentAliasId", alias_id)] {
            constraint::length(at, id, &(0..=10))?;
            constraint::pattern(at, id, "[0-9a-zA-Z]+", constraint::is_alphanumeric(id))?;
        }
        let mut key = Fold::new(seed);
        key.bytes(id.as_bytes());
        let mut draws = draw::generator(key.finish(), Purpose::Agent);
        let equipment = Equipment::of(id, &mut draws);
        let mut instruction = String::new();
        prose::write(&mut instruction, 160, &mut draws);
        let subject = prose::words(1, &mut draws);
        let actions = match equipment {
            Equipment::Plain | Equipment::KnowledgeBase => Vec::new(),
            Equipment::Action | Equipment::ReturnControl => vec![Action::function(
                &format!("{subject}_actions"),
                &format!("find_{subject}"),
                &subject,
                equipment == Equipment::ReturnControl,
            )],
        };
        let version = if alias_id == DRAFT_ALIAS {
            "DRAFT".to_owned()
        } else {
            draws.random_range(1..=12_u8).to_string()
        };
        let knowledge_base =
            (equipment == Equipment::KnowledgeBase).then(|| identifier(&mut draws));
        Ok(Agent {
            alias_arn: region.resource(&format!("agent-alias/{id}/{alias_id}")),
            id: id.to_owned(),
            alias_id: alias_id.to_owned(),
            version: Some(version),
            model_id: DEFAULT_MODEL.to_owned(),
            instruction,
            knowledge_base,
            actions,
            // As recorded of an agent that nobody tuned.
            inference: Inference {
                maximum_length: Some(DEFAULT_MAXIMUM_LENGTH),
                stop_sequences: Some(Vec::new()),
                temperature: Some(0.0),
                top_k: Some(250),
                top_p: Some(1.0),
            },
        })
    }

    /// An agent that a request brings; what it has is filled in.
    pub(super) fn inline(model_id: String, instruction: String, region: &Region) -> Self {
        Agent {
            id: INLINE.to_owned(),
            alias_id: DRAFT_ALIAS.to_owned(),
            alias_arn: region.resource(&format!("agent-alias/{INLINE}/{DRAFT_ALIAS}")),
            version: None,
            model_id,
            instruction,
            knowledge_base: None,
            actions: Vec::new(),
            inference: Inference::default(),
        }
    }

    /// The most tokens that `model` may generate at once.
    pub(super) fn max_tokens(&self, model: &Model) -> u64 {
        self.inference.maximum_length.unwrap_or(DEFAULT_MAXIMUM_LENGTH).min(model.max_output_tokens)
    }

    /// `inferenceConfiguration` of a trace, if the agent has any.
    pub(super) fn inference_configuration(&self) -> Option<Value> {
        if self.inference == Inference::default() {
            return None;
        }
        let Inference { maximum_length, stop_sequences, temperature, top_k, top_p } =
            &self.inference;
        let mut configuration = json!({
            "maximumLength": maximum_length,
            "stopSequences": stop_sequences,
            "temperature": temperature,
            "topK": top_k,
            "topP": top_p,
        });
        if let Value::Object(members) = &mut configuration {
            members.retain(|_, value| !value.is_null());
        }
        Some(configuration)
    }
}

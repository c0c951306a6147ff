//! Guardrails that look at what is said.

mod assess;
mod assessment;
mod compiled;
mod config;
mod content;
mod grounding;
mod pii;
mod resolve;
mod sensitive;
mod units;
mod words;

pub use config::{
    Action, ContentFilter, ContentFilterType, ContentPolicy, ContextualGroundingPolicy,
    GroundingFilter, GroundingType, Guardrail, GuardrailError, ManagedWords, ManagedWordsType,
    PiiEntity, RegexEntity, SensitiveInformationPolicy, Sides, Strength, Topic, TopicPolicy, Word,
    WordPolicy,
};
pub use pii::PiiType;
pub(crate) use resolve::Guardrails;

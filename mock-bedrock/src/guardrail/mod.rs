//! Guardrails that look at what is said.

mod asked;
mod assess;
mod assessment;
mod compiled;
mod config;
mod content;
mod grounding;
mod guarding;
mod pii;
mod resolve;
mod sensitive;
mod told;
mod units;
mod words;

pub(crate) use asked::ConverseConfig;
pub(crate) use assess::{How, Looked, assess};
pub(crate) use assessment::{Done, sorted};
pub(crate) use compiled::Source;
pub use config::{
    Action, ContentFilter, ContentFilterType, ContentPolicy, ContextualGroundingPolicy,
    GroundingFilter, GroundingType, Guardrail, GuardrailError, ManagedWords, ManagedWordsType,
    Modality, PiiEntity, RegexEntity, SensitiveInformationPolicy, Sides, Strength, Topic,
    TopicPolicy, Word, WordPolicy,
};
pub(crate) use content::{PromptAttack, attack, confidence, severity};
pub(crate) use guarding::Guarding;
pub use pii::PiiType;
pub(crate) use pii::find_all;
pub(crate) use resolve::{Guardrails, Named};
pub(crate) use told::Told;
pub(crate) use units::{Guarded, text_units};
pub(crate) use words::Folded;

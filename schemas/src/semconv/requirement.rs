//! How much an attribute is required, and the conditions under which it is, as codes.

use serde::{Deserialize, Serialize};

/// How much an attribute is required, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// Always.
    Required,
    /// Whenever the condition holds.
    ConditionallyRequired(Condition),
    /// By default.
    Recommended,
    /// By default, whenever the condition holds.
    RecommendedIf(Condition),
    /// Only when the user asks for it.
    OptIn,
}

impl Requirement {
    /// The level in words, such as `conditionally required (streaming)`.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Requirement::Required => "required".to_owned(),
            Requirement::ConditionallyRequired(condition) => {
                format!("required {}", condition.describe())
            }
            Requirement::Recommended => "recommended".to_owned(),
            Requirement::RecommendedIf(condition) => {
                format!("recommended {}", condition.describe())
            }
            Requirement::OptIn => "opt-in".to_owned(),
        }
    }
}

/// The conditions, each with its meaning in words that follow "required".
macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident => $words:literal,)*) => {
        /// When a conditional requirement applies. The engine decides those it can from the span
        /// and the ledger, and says what it cannot decide as information.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Condition {
            $($(#[$doc])* $name,)*
        }

        impl Condition {
            /// Every condition.
            pub const ALL: &[Condition] = &[$(Condition::$name,)*];

            /// The condition in words that follow "required", such as `if streaming`.
            #[must_use]
            pub fn describe(self) -> &'static str {
                match self {
                    $(Condition::$name => $words,)*
                }
            }
        }
    };
}

conditions! {
    /// The operation ended in an error.
    OnError => "on error",
    /// The value is available to the instrumentation.
    IfAvailable => "if available",
    /// The concept applies to the operation or to the provider.
    IfApplicable => "if applicable",
    /// `server.address` is set too.
    IfServerAddress => "if server.address is set",
    /// The request is streaming.
    Streaming => "if streaming",
    /// The request carries a choice count other than 1.
    ChoiceCountNotOne => "if the request's choice count is not 1",
    /// The request carries a seed.
    SeedInRequest => "if the request has a seed",
    /// The request asks for an output format.
    OutputFormatInRequest => "if the request has an output format",
    /// The request names a guardrail. The conventions list `aws.bedrock.guardrail.id` as required
    /// without a condition, which cannot be meant for calls without a guardrail.
    GuardrailInRequest => "if the request names a guardrail",
    /// The span's kind is CLIENT.
    ClientSpan => "on CLIENT spans",
    /// The port is not 443.
    PortNotDefault => "if the port is not 443",
    /// `exception.message` is not set.
    NoExceptionMessage => "if exception.message is not set",
    /// `exception.type` is not set.
    NoExceptionType => "if exception.type is not set",
    /// The application provides the value.
    AppProvided => "if the application provides it",
    /// The library knows the conversation, or the application tells it.
    ConversationKnown => "if the conversation is known",
    /// A named prompt template is used.
    NamedPrompt => "if a named prompt is used",
    /// `gen_ai.prompt.name` is set, and a version is known.
    PromptVersion => "if a named prompt has a version",
    /// The request points at a previous response whose id is available.
    PreviousResponse => "if the request points at a previous response",
    /// The fetch resumes a stream from an earlier position.
    ResumesStream => "if a stream is resumed",
    /// The library allows exactly one model for each agent.
    SingleModelAgent => "if the agent has a single model",
    /// A named external GenAI provider or service handles the operation.
    ExternalProvider => "if an external provider handles it",
    /// The operation calls a GenAI provider.
    ProviderCall => "if a provider is called",
    /// The operation concerns one specific memory record.
    SpecificRecord => "if it concerns one record",
    /// Memory records are involved and their count is available.
    RecordCount => "if the record count is available",
    /// The request has a service tier other than `auto`.
    TierRequested => "if the request has a service tier",
    /// A response arrived and states a service tier.
    TierInResponse => "if the response has a service tier",
    /// The skill attribute is available.
    SkillKnown => "if the skill is known",
    /// The name of the skill's resource is available.
    SkillResourceKnown => "if the skill's resource is known",
    /// The tool runs exactly one process, and the value is available.
    SingleProcess => "if the tool runs one process",
    /// The tool reports one command or process exit code.
    SingleExitCode => "if the tool reports one exit code",
    /// A condition of other areas than GenAI, such as RPC or MCP.
    Undecidable => "under a condition of its own",
}

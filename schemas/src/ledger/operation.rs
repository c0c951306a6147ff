//! What was called, and what for.

use serde::{Deserialize, Serialize};

/// The operations that the mock serves: those of `bedrock-runtime` first, then those of
/// `bedrock-agent-runtime` and of the control plane.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Operation {
    /// `POST /model/{modelId}/converse`
    #[default]
    Converse,
    /// `POST /model/{modelId}/converse-stream`
    ConverseStream,
    /// `POST /model/{modelId}/invoke`
    InvokeModel,
    /// `POST /model/{modelId}/invoke-with-response-stream`
    InvokeModelWithResponseStream,
    /// `POST /model/{modelId}/invoke-with-bidirectional-stream`
    InvokeModelWithBidirectionalStream,
    /// `POST /model/{modelId}/count-tokens`
    CountTokens,
    /// `POST /guardrail/{guardrailIdentifier}/version/{guardrailVersion}/apply`
    ApplyGuardrail,
    /// `POST /guardrail-checks/invoke`
    InvokeGuardrailChecks,
    /// `POST /async-invoke`
    StartAsyncInvoke,
    /// `GET /async-invoke/{invocationArn}`
    GetAsyncInvoke,
    /// `GET /async-invoke`
    ListAsyncInvokes,
    /// `POST /openai/v1/chat/completions`, the body of `OpenAI`
    ChatCompletions,
    /// `POST /anthropic/v1/messages`, the body of Anthropic
    Messages,
    /// `POST /agents/{agentId}/agentAliases/{agentAliasId}/sessions/{sessionId}/text`
    InvokeAgent,
    /// `POST /agents/{sessionId}`
    InvokeInlineAgent,
    /// `POST /flows/{flowIdentifier}/aliases/{flowAliasIdentifier}`
    InvokeFlow,
    /// `POST /knowledgebases/{knowledgeBaseId}/retrieve`
    Retrieve,
    /// `POST /retrieveAndGenerate`
    RetrieveAndGenerate,
    /// `POST /retrieveAndGenerateStream`
    RetrieveAndGenerateStream,
    /// `POST /rerank`
    Rerank,
    /// `GET /foundation-models`
    ListFoundationModels,
    /// `GET /foundation-models/{modelIdentifier}`
    GetFoundationModel,
    /// `GET /inference-profiles`
    ListInferenceProfiles,
}

impl Operation {
    /// Every operation, in the order of the enum.
    pub const ALL: &[Operation] = &[
        Operation::Converse,
        Operation::ConverseStream,
        Operation::InvokeModel,
        Operation::InvokeModelWithResponseStream,
        Operation::InvokeModelWithBidirectionalStream,
        Operation::CountTokens,
        Operation::ApplyGuardrail,
        Operation::InvokeGuardrailChecks,
        Operation::StartAsyncInvoke,
        Operation::GetAsyncInvoke,
        Operation::ListAsyncInvokes,
        Operation::ChatCompletions,
        Operation::Messages,
        Operation::InvokeAgent,
        Operation::InvokeInlineAgent,
        Operation::InvokeFlow,
        Operation::Retrieve,
        Operation::RetrieveAndGenerate,
        Operation::RetrieveAndGenerateStream,
        Operation::Rerank,
        Operation::ListFoundationModels,
        Operation::GetFoundationModel,
        Operation::ListInferenceProfiles,
    ];

    /// The name in the service's model, such as `ConverseStream`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Operation::Converse => "Converse",
            Operation::ConverseStream => "ConverseStream",
            Operation::InvokeModel => "InvokeModel",
            Operation::InvokeModelWithResponseStream => "InvokeModelWithResponseStream",
            Operation::InvokeModelWithBidirectionalStream => "InvokeModelWithBidirectionalStream",
            Operation::CountTokens => "CountTokens",
            Operation::ApplyGuardrail => "ApplyGuardrail",
            Operation::InvokeGuardrailChecks => "InvokeGuardrailChecks",
            Operation::StartAsyncInvoke => "StartAsyncInvoke",
            Operation::GetAsyncInvoke => "GetAsyncInvoke",
            Operation::ListAsyncInvokes => "ListAsyncInvokes",
            Operation::ChatCompletions => "ChatCompletions",
            Operation::Messages => "Messages",
            Operation::InvokeAgent => "InvokeAgent",
            Operation::InvokeInlineAgent => "InvokeInlineAgent",
            Operation::InvokeFlow => "InvokeFlow",
            Operation::Retrieve => "Retrieve",
            Operation::RetrieveAndGenerate => "RetrieveAndGenerate",
            Operation::RetrieveAndGenerateStream => "RetrieveAndGenerateStream",
            Operation::Rerank => "Rerank",
            Operation::ListFoundationModels => "ListFoundationModels",
            Operation::GetFoundationModel => "GetFoundationModel",
            Operation::ListInferenceProfiles => "ListInferenceProfiles",
        }
    }

    /// Whether the answer is always an event stream. [`Operation::ChatCompletions`] and
    /// [`Operation::Messages`] stream when the body asks for it.
    #[must_use]
    pub fn is_streamed(self) -> bool {
        matches!(
            self,
            Operation::ConverseStream
                | Operation::InvokeModelWithResponseStream
                | Operation::InvokeModelWithBidirectionalStream
                | Operation::InvokeAgent
                | Operation::InvokeInlineAgent
                | Operation::InvokeFlow
                | Operation::RetrieveAndGenerateStream
        )
    }
}

/// What a call does with its model, in the words of `gen_ai.operation.name` where it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Messages in, a message out.
    #[default]
    Chat,
    /// A prompt in, its continuation out.
    TextCompletion,
    /// Text in, a vector out.
    Embeddings,
    /// A task for an agent.
    InvokeAgent,
    /// A query in, passages out.
    Retrieval,
    /// Documents in, their order out.
    Rerank,
    /// Nothing that generates: tokens counted, guardrails applied, models listed. Instrumentations
    /// owe no span for it.
    Administration,
}

impl Task {
    /// Every task, in the order of the enum.
    pub const ALL: &[Task] = &[
        Task::Chat,
        Task::TextCompletion,
        Task::Embeddings,
        Task::InvokeAgent,
        Task::Retrieval,
        Task::Rerank,
        Task::Administration,
    ];

    /// The value of `gen_ai.operation.name`; a name of ours where the conventions have none.
    #[must_use]
    pub fn operation_name(self) -> &'static str {
        match self {
            Task::Chat => "chat",
            Task::TextCompletion => "text_completion",
            Task::Embeddings => "embeddings",
            Task::InvokeAgent => "invoke_agent",
            Task::Retrieval => "retrieval",
            Task::Rerank => "rerank",
            Task::Administration => "administration",
        }
    }

    /// Whether the service generates text for it.
    #[must_use]
    pub fn generates(self) -> bool {
        matches!(self, Task::Chat | Task::TextCompletion | Task::InvokeAgent)
    }
}

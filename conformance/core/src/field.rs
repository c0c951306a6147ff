//! The attributes that the engine reads by meaning, whatever they are called in a version.

use crate::otlp::Value;

/// What an attribute means to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    /// `gen_ai.operation.name`
    Operation,
    /// `gen_ai.system`
    System,
    /// `gen_ai.provider.name`
    Provider,
    /// `gen_ai.request.model`
    RequestModel,
    /// `gen_ai.response.model`
    ResponseModel,
    /// `gen_ai.response.id`
    ResponseId,
    /// The request id of the service's answer, under any of its names.
    RequestId,
    /// `gen_ai.response.finish_reasons`
    FinishReasons,
    /// `gen_ai.usage.input_tokens`
    InputTokens,
    /// `gen_ai.usage.output_tokens`
    OutputTokens,
    /// The older name of the input tokens, read where the current one is absent.
    FormerInputTokens,
    /// The older name of the output tokens, read where the current one is absent.
    FormerOutputTokens,
    /// `gen_ai.usage.cache_read.input_tokens`
    CacheReadTokens,
    /// `gen_ai.usage.cache_creation.input_tokens`, and its unreleased successor.
    CacheWriteTokens,
    /// `gen_ai.usage.reasoning.output_tokens`
    ReasoningTokens,
    /// The sum of all tokens, which no version has a name for.
    TotalTokens,
    /// `gen_ai.request.max_tokens`
    MaxTokens,
    /// `gen_ai.request.temperature`
    Temperature,
    /// `gen_ai.request.top_p`
    TopP,
    /// `gen_ai.request.top_k`
    TopK,
    /// `gen_ai.response.time_to_first_chunk`
    TimeToFirstChunk,
    /// `gen_ai.request.stream`
    Stream,
    /// `aws.bedrock.guardrail.id`
    Guardrail,
    /// `server.address`
    ServerAddress,
    /// `error.type`
    ErrorType,
    /// `gen_ai.token.type`
    TokenType,
    /// `spanproof.invocation_id`
    InvocationId,
    /// The kind of span in the vocabulary of OpenInference.
    OpenInferenceKind,
    /// The model in the vocabulary of OpenInference.
    OpenInferenceModel,
    /// Input tokens in the vocabulary of OpenInference.
    OpenInferenceInputTokens,
    /// Output tokens in the vocabulary of OpenInference.
    OpenInferenceOutputTokens,
    /// The operation in the vocabulary of the Vercel AI SDK.
    VercelOperation,
}

const COUNT: usize = Field::VercelOperation as usize + 1;

/// Which name is which field. Names that no registry holds are among them.
pub(crate) const EXTRA_NAMES: &[(&str, Field)] = &[
    ("gen_ai.operation.name", Field::Operation),
    ("gen_ai.system", Field::System),
    ("gen_ai.provider.name", Field::Provider),
    ("gen_ai.request.model", Field::RequestModel),
    ("gen_ai.response.model", Field::ResponseModel),
    ("gen_ai.response.id", Field::ResponseId),
    ("aws.request_id", Field::RequestId),
    ("aws.request.id", Field::RequestId),
    ("gen_ai.response.finish_reasons", Field::FinishReasons),
    ("gen_ai.usage.input_tokens", Field::InputTokens),
    ("gen_ai.usage.output_tokens", Field::OutputTokens),
    ("gen_ai.usage.prompt_tokens", Field::FormerInputTokens),
    ("gen_ai.usage.completion_tokens", Field::FormerOutputTokens),
    ("gen_ai.usage.cache_read.input_tokens", Field::CacheReadTokens),
    ("gen_ai.usage.cache_creation.input_tokens", Field::CacheWriteTokens),
    ("gen_ai.usage.cache_write.input_tokens", Field::CacheWriteTokens),
    ("gen_ai.usage.reasoning.output_tokens", Field::ReasoningTokens),
    ("gen_ai.usage.total_tokens", Field::TotalTokens),
    ("llm.usage.total_tokens", Field::TotalTokens),
    ("gen_ai.request.max_tokens", Field::MaxTokens),
    ("gen_ai.request.temperature", Field::Temperature),
    ("gen_ai.request.top_p", Field::TopP),
    ("gen_ai.request.top_k", Field::TopK),
    ("gen_ai.response.time_to_first_chunk", Field::TimeToFirstChunk),
    ("gen_ai.request.stream", Field::Stream),
    ("aws.bedrock.guardrail.id", Field::Guardrail),
    ("server.address", Field::ServerAddress),
    ("error.type", Field::ErrorType),
    ("gen_ai.token.type", Field::TokenType),
    ("spanproof.invocation_id", Field::InvocationId),
    ("openinference.span.kind", Field::OpenInferenceKind),
    ("llm.model_name", Field::OpenInferenceModel),
    ("llm.token_count.prompt", Field::OpenInferenceInputTokens),
    ("llm.token_count.completion", Field::OpenInferenceOutputTokens),
    ("ai.operationId", Field::VercelOperation),
];

/// The values of the fields of one set of attributes.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    values: [Option<&'a Value>; COUNT],
    present: u64,
    has_content: bool,
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Fields { values: [None; COUNT], present: 0, has_content: false }
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn set(&mut self, field: Field, value: Option<&'a Value>) {
        self.present |= 1 << field as u64;
        self.values[field as usize] = value;
    }

    /// Notes that one of the attributes holds content that a schema describes.
    pub(crate) fn note_content(&mut self) {
        self.has_content = true;
    }

    /// Whether one of the attributes holds content that a schema describes.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.has_content
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&'a Value> {
        self.values[field as usize]
    }

    /// Whether the attribute is there, even with an empty value.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        self.present >> field as u64 & 1 == 1
    }

    /// The text of a field, if it is a string that is not empty.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&'a str> {
        crate::value::text(self.get(field)).filter(|text| !text.is_empty())
    }

    /// The number that a field states, whole or not.
    #[must_use]
    pub fn number(&self, field: Field) -> Option<f64> {
        crate::value::number(self.get(field))
    }

    /// The count that a field states.
    #[must_use]
    pub fn count(&self, field: Field) -> Option<u64> {
        crate::value::count(self.get(field))
    }
}

impl Field {
    /// The field that a name stands for.
    #[must_use]
    pub fn of(name: &str) -> Option<Field> {
        crate::catalogue::catalogue().name(name).and_then(|name| name.field)
    }
}

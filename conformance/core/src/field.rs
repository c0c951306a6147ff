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
    /// `gen_ai.request.stop_sequences`
    StopSequences,
    /// The kind of span in the vocabulary of OpenInference.
    OpenInferenceKind,
    /// The operation in the vocabulary of the Vercel AI SDK.
    VercelOperation,
    /// The kind of request in the older vocabulary of OpenLLMetry.
    TraceloopRequest,
    /// The kind of observation in the vocabulary of Langfuse.
    LangfuseKind,
    /// Token counts in the vocabulary of Langfuse, as JSON.
    LangfuseUsage,
    /// The model in the vocabulary of Datadog.
    DatadogModel,
    /// The model in any other vocabulary.
    ForeignModel,
    /// Input tokens in any vocabulary beside the conventions.
    ForeignInputTokens,
    /// Output tokens in any vocabulary beside the conventions.
    ForeignOutputTokens,
    /// The finish reason in any vocabulary beside the conventions.
    ForeignFinishReason,
}

const COUNT: usize = Field::ForeignFinishReason as usize + 1;

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
    ("gen_ai.request.stop_sequences", Field::StopSequences),
    ("openinference.span.kind", Field::OpenInferenceKind),
    ("ai.operationId", Field::VercelOperation),
    ("llm.request.type", Field::TraceloopRequest),
    ("langfuse.observation.type", Field::LangfuseKind),
    ("langfuse.observation.usage_details", Field::LangfuseUsage),
    ("bedrock.request.model", Field::DatadogModel),
    ("llm.model_name", Field::ForeignModel),
    ("llm.request.model", Field::ForeignModel),
    ("ai.model.id", Field::ForeignModel),
    ("langfuse.observation.model.name", Field::ForeignModel),
    ("llm.token_count.prompt", Field::ForeignInputTokens),
    ("llm.usage.prompt_tokens", Field::ForeignInputTokens),
    ("ai.usage.promptTokens", Field::ForeignInputTokens),
    ("ai.usage.inputTokens", Field::ForeignInputTokens),
    ("bedrock.usage.prompt_tokens", Field::ForeignInputTokens),
    ("llm.token_count.completion", Field::ForeignOutputTokens),
    ("llm.usage.completion_tokens", Field::ForeignOutputTokens),
    ("ai.usage.completionTokens", Field::ForeignOutputTokens),
    ("ai.usage.outputTokens", Field::ForeignOutputTokens),
    ("bedrock.usage.completion_tokens", Field::ForeignOutputTokens),
    ("llm.finish_reason", Field::ForeignFinishReason),
    ("ai.response.finishReason", Field::ForeignFinishReason),
];

/// The values of the fields of one set of attributes.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    values: [Option<&'a Value>; COUNT],
    present: FieldSet,
    has_content: bool,
}

/// Which fields are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(u64);

impl FieldSet {
    /// The fields for which the condition beside them holds.
    #[must_use]
    pub fn of(fields: &[(Field, bool)]) -> FieldSet {
        let bits = fields.iter().filter(|(_, is_there)| *is_there);
        FieldSet(bits.fold(0, |set, (field, _)| set | 1 << *field as u32))
    }

    /// Whether the attribute is there, even with an empty value.
    #[must_use]
    pub fn has(self, field: Field) -> bool {
        self.0 >> field as u32 & 1 == 1
    }
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Fields { values: [None; COUNT], present: FieldSet::default(), has_content: false }
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn set(&mut self, field: Field, value: Option<&'a Value>) {
        self.present.0 |= 1 << field as u32;
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
        self.present.has(field)
    }

    /// Which fields are there.
    #[must_use]
    pub fn present(&self) -> FieldSet {
        self.present
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

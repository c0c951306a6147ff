//! What a span is: a call to a model, another GenAI operation, or neither; and which span type of
//! the conventions describes it.

use crate::catalogue::{Conventions, SpanType};
use crate::field::{Field, Fields};
use crate::model::Role;
use crate::otlp::SpanKind;
use crate::vocabulary::Vocabulary;

/// What a span with these fields is to the judge; nothing for a span that is not GenAI.
#[must_use]
pub fn role(kind: SpanKind, fields: &Fields<'_>) -> Option<Role> {
    let operation = fields.text(Field::Operation);
    if operation.is_some_and(is_orchestration) {
        return Some(Role::Orchestration);
    }
    if !matches!(kind, SpanKind::Client | SpanKind::Internal | SpanKind::Unspecified) {
        return None;
    }
    let has_model = fields.has(Field::RequestModel);
    match operation {
        Some("chat" | "text_completion" | "generate_content" | "embeddings") => {
            Some(Role::ModelCall)
        }
        // An operation that the conventions do not name is a call to a model if it names one.
        Some(_) if has_model => Some(Role::ModelCall),
        Some(_) => Some(Role::Orchestration),
        None if has_model && (fields.has(Field::System) || fields.has(Field::Provider)) => {
            Some(Role::ModelCall)
        }
        None => foreign(fields).map(Role::Foreign),
    }
}

/// Operations around model calls, in any version.
fn is_orchestration(operation: &str) -> bool {
    matches!(
        operation,
        "invoke_agent"
            | "create_agent"
            | "execute_tool"
            | "invoke_workflow"
            | "retrieval"
            | "plan"
            | "fetch_response"
            | "search_memory"
            | "create_memory"
            | "update_memory"
            | "upsert_memory"
            | "delete_memory"
            | "create_memory_store"
            | "delete_memory_store"
    )
}

/// The vocabulary of a call to a model that does not speak the conventions.
fn foreign(fields: &Fields<'_>) -> Option<Vocabulary> {
    if matches!(fields.text(Field::OpenInferenceKind), Some("LLM" | "EMBEDDING")) {
        return Some(Vocabulary::OpenInference);
    }
    if matches!(fields.text(Field::LangfuseKind), Some("generation" | "embedding")) {
        return Some(Vocabulary::Langfuse);
    }
    if fields.has(Field::DatadogModel) {
        return Some(Vocabulary::Datadog);
    }
    if let Some(operation) = fields.text(Field::VercelOperation) {
        // `ai.generateText` is the whole of a call with its steps, `ai.generateText.doGenerate` one
        // request to the model.
        let last = operation.rsplit('.').next().unwrap_or_default();
        return matches!(last, "doGenerate" | "doStream" | "doEmbed")
            .then_some(Vocabulary::VercelAi);
    }
    let request = fields.text(Field::TraceloopRequest);
    matches!(request, Some("chat" | "completion" | "embedding")).then_some(Vocabulary::OpenLlmetry)
}

/// The span type of a GenAI span in a version, if the version has one for it.
#[must_use]
pub fn span_type(
    semconv: &'static Conventions,
    kind: SpanKind,
    fields: &Fields<'_>,
    default_provider: &str,
) -> Option<&'static SpanType> {
    let provider =
        fields.text(Field::Provider).or(fields.text(Field::System)).unwrap_or(default_provider);
    span_type_for(semconv, kind, fields.text(Field::Operation), provider)
}

/// Of the span types that describe an operation, the one for the provider, else the one of the
/// kind. An operation that no span type names is taken for a chat: no other span names a model.
#[must_use]
pub fn span_type_for(
    semconv: &'static Conventions,
    kind: SpanKind,
    operation: Option<&str>,
    provider: &str,
) -> Option<&'static SpanType> {
    let operation = operation.unwrap_or("chat");
    let mut types = semconv.span_types_for(operation);
    if types.is_empty() && !is_orchestration(operation) {
        types = semconv.span_types_for("chat");
    }
    let general = || types.iter().filter(|span_type| span_type.is_general);
    types
        .iter()
        .find(|span_type| span_type.provider.as_deref() == Some(provider))
        .or_else(|| {
            general().find(|span_type| span_type.kinds.first() == Some(&semconv_kind(kind)))
        })
        .or_else(|| general().next())
}

/// The kind in the words of the registries; INTERNAL is what SDKs export by default.
fn semconv_kind(kind: SpanKind) -> spanproof_schemas::semconv::SpanKind {
    use spanproof_schemas::semconv;
    match kind {
        SpanKind::Client => semconv::SpanKind::Client,
        SpanKind::Server => semconv::SpanKind::Server,
        SpanKind::Producer => semconv::SpanKind::Producer,
        SpanKind::Consumer => semconv::SpanKind::Consumer,
        SpanKind::Internal | SpanKind::Unspecified => semconv::SpanKind::Internal,
    }
}

//! What a span is: a call to a model, another GenAI operation, or neither; and which span type of
//! the conventions describes it.

use crate::catalogue::{Conventions, SpanType};
use crate::field::{Field, Fields};
use crate::model::{Role, Vocabulary};
use crate::otlp::SpanKind;

/// What a span with these fields is to the judge; nothing for a span that is not GenAI.
#[must_use]
pub fn role(kind: SpanKind, fields: &Fields<'_>) -> Option<Role> {
    let operation = fields.text(Field::Operation);
    if operation.is_some_and(|operation| orchestration(operation, kind).is_some()) {
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

fn foreign(fields: &Fields<'_>) -> Option<Vocabulary> {
    if matches!(fields.text(Field::OpenInferenceKind), Some("LLM" | "EMBEDDING")) {
        return Some(Vocabulary::OpenInference);
    }
    // `ai.generateText` is the whole of a call with its steps, `ai.generateText.doGenerate` one
    // request to the model.
    let operation = fields.text(Field::VercelOperation)?;
    let last = operation.rsplit('.').next().unwrap_or_default();
    matches!(last, "doGenerate" | "doStream" | "doEmbed").then_some(Vocabulary::VercelAi)
}

/// The span type of a GenAI span in a version, if the version has one for it.
#[must_use]
pub fn span_type<'v>(
    semconv: &'v Conventions,
    kind: SpanKind,
    fields: &Fields<'_>,
    default_provider: &str,
) -> Option<&'v SpanType> {
    let operation = fields.text(Field::Operation).unwrap_or_default();
    if let Some(ids) = orchestration(operation, kind) {
        return ids.iter().find_map(|id| semconv.span_type(id));
    }
    let provider =
        fields.text(Field::Provider).or(fields.text(Field::System)).unwrap_or(default_provider);
    let id = match (operation, provider) {
        ("embeddings", _) => "span.gen_ai.embeddings.client",
        (_, "aws.bedrock") => "span.aws.bedrock.client",
        _ => GENERAL[0],
    };
    semconv.span_type(id).or_else(|| GENERAL.iter().find_map(|id| semconv.span_type(id)))
}

/// The span type of any call to a model; the oldest versions have no other, and call it so.
const GENERAL: [&str; 3] =
    ["span.gen_ai.inference.client", "span.gen_ai.client", "trace.gen_ai.client"];

/// The span types that may describe an operation around model calls, preferred first; nothing for
/// other operations.
fn orchestration(operation: &str, kind: SpanKind) -> Option<&'static [&'static str]> {
    match (operation, kind) {
        ("invoke_agent", SpanKind::Client) => {
            Some(&["span.gen_ai.invoke_agent.client", "span.gen_ai.invoke_agent.internal"])
        }
        ("invoke_agent", _) => {
            Some(&["span.gen_ai.invoke_agent.internal", "span.gen_ai.invoke_agent.client"])
        }
        ("create_agent", _) => Some(&["span.gen_ai.create_agent.client"]),
        ("execute_tool", _) => Some(&["span.gen_ai.execute_tool.internal"]),
        ("invoke_workflow", _) => Some(&["span.gen_ai.invoke_workflow.internal"]),
        ("retrieval", _) => Some(&["span.gen_ai.retrieval.client"]),
        _ => None,
    }
}

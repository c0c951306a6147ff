use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::{Condition, Requirement};

use crate::catalogue::catalogue;
use crate::field::{Field, Fields};
use crate::finding::Finding;
use crate::otlp::SpanKind;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{CallView, PointView, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "presence/required-attribute",
    summary: "every attribute that the span type requires is there",
    level: Level::Violation,
    basis: Basis::Must("requirement levels Required and Conditionally Required"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The attributes that the judged version requires for the span's type, or \
            for the points of a metric: those always required; those required under a condition \
            where the span shows that it holds (`server.port` beside `server.address`, \
            `gen_ai.request.stream` beside `gen_ai.response.time_to_first_chunk`); and where the \
            ledger shows it, `gen_ai.request.stream` (a streamed call) and \
            `aws.bedrock.guardrail.id` (a guardrail in the request; the conventions list it \
            without the condition, which cannot be meant). `error.type` is judged by \
            `status/error-type`, the request model by `truth/request-model`. Conditions that \
            neither span nor ledger can decide are never a violation: \
            `presence/undecided-condition` lists them.",
        why: "Required attributes are what every consumer may rely on: without the operation or \
            the provider, a span is not found by any query over GenAI calls.",
        example: "A span with `gen_ai.system = aws.bedrock` and no `gen_ai.provider.name`, judged \
            by 1.41.1.",
        how_to_mend: "Set the attribute when the span is created.",
    },
    checks: &[Check::Span(check_span), Check::Point(check_point), Check::Call(check_call)],
};

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    let Some(span_type) = view.span_type else { return Vec::new() };
    let is_client = view.span.kind() == SpanKind::Client;
    span_type
        .required
        .iter()
        .filter(|(id, requirement)| {
            is_due(*requirement, &view.fields, is_client) && view.attribute(*id).is_none()
        })
        .map(|(id, _)| absent(&catalogue().by_id(*id).text, view.semconv.version.as_str()))
        .collect()
}

fn check_point(view: &PointView<'_>) -> Vec<Finding> {
    let Some(definition) = view.definition else { return Vec::new() };
    let is_there =
        |name: &str| view.attributes.iter().any(|seen| seen.key == name && seen.value.is_some());
    let required = definition
        .attributes
        .iter()
        .filter(|(_, requirement)| is_due(**requirement, &view.fields, false));
    required
        .filter(|(name, _)| !is_there(name))
        .map(|(name, _)| absent(name, view.semconv.version.as_str()))
        .collect()
}

/// Whether what is there shows that an attribute has to be there too.
fn is_due(requirement: Requirement, fields: &Fields<'_>, is_client: bool) -> bool {
    match requirement {
        Requirement::Required => true,
        Requirement::ConditionallyRequired(Condition::IfServerAddress) => {
            fields.has(Field::ServerAddress)
        }
        // Only a stream has a first chunk to wait for.
        Requirement::ConditionallyRequired(Condition::Streaming) => {
            fields.has(Field::TimeToFirstChunk)
        }
        Requirement::ConditionallyRequired(Condition::ClientSpan) => is_client,
        _ => false,
    }
}

fn check_call(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.span() else { return Vec::new() };
    let exchange = view.call.last();
    let mut findings = Vec::new();
    let mut due = |name: &'static str, is_absent: bool| {
        let is_defined =
            catalogue().name(name).is_some_and(|name| name.defined.contains(view.semconv().index));
        if is_absent && is_defined {
            findings.push(absent(name, view.semconv().version.as_str()));
        }
    };
    due("gen_ai.request.stream", exchange.operation.is_streamed() && span.stream != Some(true));
    due("aws.bedrock.guardrail.id", exchange.has_guardrail && !span.has_guardrail);
    findings
}

fn absent(name: &'static str, version: &str) -> Finding {
    Finding::new(format!("`{name}` is required by {version} and is not there")).attribute(name)
}

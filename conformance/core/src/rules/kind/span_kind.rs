use spanproof_schemas::report::Level;
use spanproof_schemas::semconv;

use crate::finding::Finding;
use crate::model::Role;
use crate::otlp::SpanKind;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "kind/span-kind",
    summary: "a call to a remote model is a CLIENT span",
    level: Level::Violation,
    basis: Basis::Should("GenAI spans, \"Span kind SHOULD be CLIENT\""),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The kind of GenAI spans. A call to a model is CLIENT: INTERNAL is for \
            models within the process, and AWS Bedrock is not. Spans of agents, tools and \
            workflows have the kinds of their span type; another one is an improvement.",
        why: "Service maps and dependency views are drawn from CLIENT spans. An INTERNAL span \
            hides that the service depends on the model at all.",
        example: "A span `chat anthropic.claude-3-haiku-20240307-v1:0` of kind INTERNAL, which is \
            the default of most SDKs.",
        how_to_mend: "Start the span with the kind CLIENT.",
    },
    checks: &[Check::Span(check)],
};

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let Some(span_type) = view.span_type else { return Vec::new() };
    let actual = view.span.kind();
    let expected = span_type.kinds.first().copied().unwrap_or(semconv::SpanKind::Client);
    let fits = match view.role {
        Role::Orchestration => span_type.kinds.iter().any(|kind| otlp_kind(*kind) == actual),
        Role::ModelCall | Role::Foreign(_) => otlp_kind(expected) == actual,
    };
    if fits {
        return Vec::new();
    }
    let finding = match view.role {
        Role::Orchestration => {
            Finding::new("the span has another kind than its span type").level(Level::Improvement)
        }
        Role::ModelCall | Role::Foreign(_) => {
            Finding::new("a call to a remote model is not a CLIENT span")
        }
    };
    vec![finding.attribute("span kind").expected(word(otlp_kind(expected))).actual(word(actual))]
}

fn otlp_kind(kind: semconv::SpanKind) -> SpanKind {
    match kind {
        semconv::SpanKind::Client => SpanKind::Client,
        semconv::SpanKind::Server => SpanKind::Server,
        semconv::SpanKind::Internal => SpanKind::Internal,
        semconv::SpanKind::Producer => SpanKind::Producer,
        semconv::SpanKind::Consumer => SpanKind::Consumer,
    }
}

fn word(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "UNSPECIFIED",
        SpanKind::Internal => "INTERNAL",
        SpanKind::Server => "SERVER",
        SpanKind::Client => "CLIENT",
        SpanKind::Producer => "PRODUCER",
        SpanKind::Consumer => "CONSUMER",
    }
}

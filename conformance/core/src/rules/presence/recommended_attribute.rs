use spanproof_schemas::report::Level;

use crate::call::Outcome;
use crate::catalogue::{SpanType, catalogue};
use crate::field::Field;
use crate::finding::Finding;
use crate::model::Role;
use crate::otlp::SpanKind;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::span_type::span_type_for;
use crate::view::{CallView, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "presence/recommended-attribute",
    summary: "a recommended attribute is there where the call shows that it could be",
    level: Level::Improvement,
    basis: Basis::Should("requirement level Recommended"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Attributes that the judged version recommends for the span's type, where \
            it is plain that the instrumentation had the value. `server.address` on CLIENT spans \
            of calls to models, always. With a ledger: `gen_ai.request.max_tokens`, \
            `.temperature`, `.top_p`, `.top_k` and `.stop_sequences` where the request had them; \
            and, of a call whose answer arrived in full, `gen_ai.response.model` and \
            `gen_ai.response.id` where the body states them, \
            `gen_ai.response.time_to_first_chunk` of a stream, and \
            `gen_ai.usage.reasoning.output_tokens` where there were such tokens. A stream that \
            the program may have closed early is left alone. Finish reasons are \
            `truth/finish-reasons`, token counts `usage/input-tokens`, `usage/output-tokens` and \
            `usage/cache-tokens`. Attributes to be set when the span starts are not told from \
            those set later: an exported span does not show it.",
        why: "Recommended attributes are what most instrumentations have, and what dashboards are \
            built on. A request parameter that is missing makes two different calls look alike.",
        example: "The request had `maxTokens: 512` and `stopSequences`, and the span has \
            `gen_ai.request.max_tokens` only.",
        how_to_mend: "Set the attribute from what the finding says had the value: the request or \
            the answer.",
    },
    checks: &[Check::Span(check_span), Check::Call(check_call)],
};

/// What a request has, and what an answer has, by the attribute that states it.
const OF_REQUEST: [(Field, &str); 5] = [
    (Field::MaxTokens, "gen_ai.request.max_tokens"),
    (Field::Temperature, "gen_ai.request.temperature"),
    (Field::TopP, "gen_ai.request.top_p"),
    (Field::TopK, "gen_ai.request.top_k"),
    (Field::StopSequences, "gen_ai.request.stop_sequences"),
];
const OF_ANSWER: [(Field, &str); 4] = [
    (Field::ResponseModel, "gen_ai.response.model"),
    (Field::ResponseId, "gen_ai.response.id"),
    (Field::TimeToFirstChunk, "gen_ai.response.time_to_first_chunk"),
    (Field::ReasoningTokens, "gen_ai.usage.reasoning.output_tokens"),
];

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    let is_due = view.role == Role::ModelCall
        && view.span.kind() == SpanKind::Client
        && view.span_type.is_some_and(|span_type| recommends(span_type, "server.address"));
    if !is_due || view.fields.has(Field::ServerAddress) {
        return Vec::new();
    }
    vec![
        Finding::new("the span of a call to a service does not say which address it called")
            .attribute("server.address"),
    ]
}

fn check_call(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.span() else { return Vec::new() };
    let exchange = view.call.last();
    let text = |symbol| view.symbols.option(symbol);
    let span_type = span_type_for(
        view.semconv(),
        span.kind,
        text(span.operation),
        text(span.provider).unwrap_or(&view.settings.provider),
    );
    let Some(span_type) = span_type else { return Vec::new() };
    let is_answered =
        view.call.outcome(view.symbols) == Outcome::Succeeded && !view.may_have_been_closed();
    let absent = |fields: &[(Field, &'static str)], message: &'static str| {
        fields
            .iter()
            .filter(|(field, _)| exchange.shown.has(*field) && !span.present.has(*field))
            .filter(|(_, name)| recommends(span_type, name))
            .map(|(_, name)| Finding::new(message).attribute(*name))
            .collect::<Vec<_>>()
    };
    let mut findings =
        absent(&OF_REQUEST, "the request had a parameter that the span does not state");
    if is_answered {
        let message = "the answer had a value that the span does not state";
        findings.extend(absent(&OF_ANSWER, message));
    }
    findings
}

fn recommends(span_type: &SpanType, name: &str) -> bool {
    catalogue()
        .name(name)
        .is_some_and(|name| span_type.recommended.iter().any(|(id, _)| *id == name.id))
}

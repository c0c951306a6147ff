use serde_json::Value as Json;
use spanproof_schemas::content::Kind;
use spanproof_schemas::report::Level;

use super::shape;
use crate::field::{Field, Fields};
use crate::finding::Finding;
use crate::held::Held;
use crate::otlp::Value;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{EventView, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "content/messages",
    summary: "input and output messages have the shape of the conventions",
    level: Level::Violation,
    basis: Basis::Must("input and output messages, \"MUST follow the JSON schema\""),
    since: Some("1.37.0"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.input.messages` and `gen_ai.output.messages` on GenAI spans and \
            events, structured or as JSON text, against the JSON Schema of the judged version: a \
            list of messages, each with a `role` and a list of `parts`, each part with a `type`; \
            output messages with a `finish_reason` (up to 1.41.1), and as many of them as \
            `gen_ai.response.finish_reasons` has entries. Roles and types beside those that the \
            conventions name are allowed. A part of a named type without the members of that type \
            is an improvement, since the conventions leave the types of parts open. Where content \
            is off, that messages are there is `redaction/content-leak`; text that was cut is \
            `content/truncated-json`. Placeholders of redaction such as `[REDACTED]` are left \
            alone, and so is an empty text.",
        why: "Whoever shows or evaluates a conversation reads these members. Messages in the form \
            of one provider, such as Bedrock's `content` blocks, show as nothing.",
        example: "`gen_ai.input.messages = [{\"role\": \"user\", \"content\": \"hi\"}]`, which has \
            no `parts`.",
        how_to_mend: "Translate messages into roles and parts: `{\"role\": \"user\", \"parts\": \
            [{\"type\": \"text\", \"content\": \"hi\"}]}`.",
    },
    checks: &[Check::Span(check_span), Check::Event(check_event)],
};

const KINDS: &[Kind] = &[Kind::InputMessages, Kind::OutputMessages];

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    let mut findings = shape(view.contents, KINDS, view.semconv.version);
    findings.extend(choices(view.contents, &view.fields));
    findings
}

fn check_event(view: &EventView<'_>) -> Vec<Finding> {
    let mut findings = shape(view.contents, KINDS, view.semconv.version);
    findings.extend(choices(view.contents, &view.fields));
    findings
}

/// Each output message is a choice, and each choice has a finish reason.
fn choices(contents: &[Held<'_>], fields: &Fields<'_>) -> Option<Finding> {
    let output = contents.iter().find(|held| held.kind == Kind::OutputMessages)?;
    let messages = output.json().and_then(Json::as_array)?.len();
    let Some(Value::ArrayValue(reasons)) = fields.get(Field::FinishReasons) else { return None };
    let reasons = reasons.values.len();
    // That there is a finish reason is `truth/finish-reasons`.
    (reasons > 0 && messages != reasons).then(|| {
        Finding::new("there are not as many output messages as finish reasons")
            .attribute(Kind::OutputMessages.name())
            .expected(format!("{reasons} as gen_ai.response.finish_reasons has"))
            .actual(messages.to_string())
    })
}

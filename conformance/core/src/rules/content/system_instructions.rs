use spanproof_schemas::content::Kind;
use spanproof_schemas::report::Level;

use super::shape;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{EventView, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "content/system-instructions",
    summary: "system instructions are a list of parts",
    level: Level::Violation,
    basis: Basis::Must("gen_ai.system_instructions, \"MUST follow the JSON schema\""),
    since: Some("1.37.0"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.system_instructions` on GenAI spans and events, structured or as JSON text, against the JSON Schema of the judged version: a list of parts, each with a `type` and without a role. A part of a named type without the members of that type is an improvement, since the conventions leave the types of parts open. Where content is off, that the attribute is there is `redaction/content-leak`; text that was cut is `content/truncated-json`.",
        why: "Instructions steer every answer, and those who evaluate answers read them first. As plain text, or as a message with a role, they are in nobody's schema.",
        example: "`gen_ai.system_instructions = be brief`, where `[{\"type\": \"text\", \"content\": \"be brief\"}]` is due.",
        how_to_mend: "Encode the instructions as a list of parts.",
    },
    checks: &[Check::Span(check_span), Check::Event(check_event)],
};

const KINDS: &[Kind] = &[Kind::SystemInstructions];

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    shape(view.contents, KINDS, view.semconv.version)
}

fn check_event(view: &EventView<'_>) -> Vec<Finding> {
    shape(view.contents, KINDS, view.semconv.version)
}

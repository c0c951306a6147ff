use spanproof_schemas::content::Kind;
use spanproof_schemas::report::Level;

use super::shape;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{EventView, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "content/tool-definitions",
    summary: "tool definitions are a list of tools",
    level: Level::Violation,
    basis: Basis::Must("gen_ai.tool.definitions, JSON schema of tool definitions"),
    since: Some("1.38.0"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.tool.definitions` on GenAI spans and events, structured or as JSON text: a list of objects; from 1.41.1 on each has a `type` and a `name`, and the `parameters` of a function are a JSON Schema. Versions before leave the form of a tool to its provider.",
        why: "Which tools a model could call explains which it called. A list in the form of one provider is read by nobody who knows the conventions.",
        example: "Tools as Bedrock has them, `[{\"toolSpec\": {\"name\": \"get_weather\"}}]`, judged by 1.41.1.",
        how_to_mend: "Write each tool as `{\"type\": \"function\", \"name\": …, \"description\": …, \"parameters\": …}`.",
    },
    checks: &[Check::Span(check_span), Check::Event(check_event)],
};

const KINDS: &[Kind] = &[Kind::ToolDefinitions];

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    shape(view.contents, KINDS, view.semconv.version)
}

fn check_event(view: &EventView<'_>) -> Vec<Finding> {
    shape(view.contents, KINDS, view.semconv.version)
}

use spanproof_schemas::content::Kind;
use spanproof_schemas::report::Level;

use super::shape;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{EventView, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "content/tool-call",
    summary: "arguments and results of a tool call are objects",
    level: Level::Improvement,
    basis: Basis::Should(
        "gen_ai.tool.call.arguments and gen_ai.tool.call.result, expected to be an object",
    ),
    since: Some("1.38.0"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.tool.call.arguments` and `gen_ai.tool.call.result` on GenAI spans and events: an object, structured or as JSON text. Where content is off, that they are there is `redaction/content-leak`.",
        why: "Tools are debugged by what they were given and gave. Text that is no JSON, or JSON encoded twice, is not compared with the schema of the tool.",
        example: "`gen_ai.tool.call.arguments` with the text `Paris`.",
        how_to_mend: "Record the arguments as the object that the tool was called with; decode text that holds JSON.",
    },
    checks: &[Check::Span(check_span), Check::Event(check_event)],
};

const KINDS: &[Kind] = &[Kind::ToolCallArguments, Kind::ToolCallResult];

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    shape(view.contents, KINDS, view.semconv.version)
}

fn check_event(view: &EventView<'_>) -> Vec<Finding> {
    shape(view.contents, KINDS, view.semconv.version)
}

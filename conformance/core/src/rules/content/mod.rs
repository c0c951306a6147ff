//! What is said of prompts and completions where content is on.

pub(super) mod messages;
pub(super) mod retrieval_documents;
pub(super) mod system_instructions;
pub(super) mod tool_call;
pub(super) mod tool_definitions;
pub(super) mod truncated_json;

use spanproof_schemas::content::Kind;
use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::Version;

use crate::content_schema;
use crate::finding::Finding;
use crate::held::{Held, Reading};

/// What is wrong with the shape of the contents of some kinds. Text that was cut is left to
/// `content/truncated-json`.
fn shape(contents: &[Held<'_>], kinds: &[Kind], version: Version) -> Vec<Finding> {
    let held = contents.iter().filter(|held| kinds.contains(&held.kind));
    held.flat_map(|held| match &held.reading {
        Reading::Withheld | Reading::Cut => Vec::new(),
        Reading::NotJson(line, column) => {
            let bytes = held.text().map_or(0, str::len);
            vec![
                Finding::new(format!("the {} are text that is not JSON", words(held.kind)))
                    .attribute(held.kind.name())
                    .expected("JSON")
                    .actual(format!("{bytes} bytes, wrong at line {line} column {column}")),
            ]
        }
        Reading::Json(json) => {
            let faults = content_schema::faults(held.kind, version, json);
            faults.into_iter().map(|fault| finding(held.kind, &fault)).collect()
        }
    })
    .collect()
}

fn finding(kind: Kind, fault: &content_schema::Fault) -> Finding {
    let mut finding = Finding::new(format!("the {}: {}", words(kind), fault.what));
    if !fault.place.is_empty() {
        finding = finding.actual(format!("at {}", fault.place));
    }
    if fault.is_open {
        finding = finding.level(Level::Improvement);
    }
    finding.attribute(kind.name())
}

/// A kind of content, as people call it.
fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::InputMessages => "input messages",
        Kind::OutputMessages => "output messages",
        Kind::SystemInstructions => "system instructions",
        Kind::ToolDefinitions => "tool definitions",
        Kind::ToolCallArguments => "arguments of the tool call",
        Kind::ToolCallResult => "results of the tool call",
        Kind::RetrievalDocuments => "retrieved documents",
        Kind::MemoryRecords => "memory records",
        Kind::SystemMessage
        | Kind::UserMessage
        | Kind::AssistantMessage
        | Kind::ToolMessage
        | Kind::Choice => "members of the event's body",
    }
}

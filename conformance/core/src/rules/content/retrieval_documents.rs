use spanproof_schemas::content::Kind;
use spanproof_schemas::report::Level;

use super::shape;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{EventView, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "content/retrieval-documents",
    summary: "retrieved documents are a list with ids and scores",
    level: Level::Violation,
    basis: Basis::Must("gen_ai.retrieval.documents, \"MUST follow the JSON schema\""),
    since: Some("1.40.0"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.retrieval.documents` on GenAI spans and events, structured or as JSON text: a list of objects; up to 1.41.1 each has an `id` and a numeric `score`.",
        why: "Whether a retrieval found the right documents is told by their ids and scores; texts in their place are large, and leak.",
        example: "Documents without a score: `[{\"id\": \"doc_1\"}]`, judged by 1.41.1.",
        how_to_mend: "Give each document its id and its score.",
    },
    checks: &[Check::Span(check_span), Check::Event(check_event)],
};

const KINDS: &[Kind] = &[Kind::RetrievalDocuments];

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    shape(view.contents, KINDS, view.semconv.version)
}

fn check_event(view: &EventView<'_>) -> Vec<Finding> {
    shape(view.contents, KINDS, view.semconv.version)
}

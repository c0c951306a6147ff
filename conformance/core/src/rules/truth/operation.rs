use spanproof_schemas::ledger::Task;
use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/operation",
    summary: "embeddings are embeddings, and nothing else is",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.operation.name` of the span against what the model was asked for: \
            `embeddings` for an embedding, and for nothing else. Between `chat`, \
            `text_completion` and `generate_content` nothing settles what InvokeModel is, so each \
            of them is right for text.",
        why: "Embeddings come in great numbers and cost next to nothing. Counted as chats they \
            hide the chats in every rate, latency and price.",
        example: "`gen_ai.operation.name = chat` for an InvokeModel of \
            `amazon.titan-embed-text-v2:0`.",
        how_to_mend: "Tell the operation from the model's family or from the request's body.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some(stated) = view.span().and_then(|span| view.symbols.option(span.operation)) else {
        return Vec::new();
    };
    let task = view.call.last().task;
    if (stated == Task::Embeddings.operation_name()) == (task == Task::Embeddings) {
        return Vec::new();
    }
    vec![
        Finding::new("the operation is not what the model was asked for")
            .attribute("gen_ai.operation.name")
            .expected(task.operation_name())
            .actual(stated),
    ]
}

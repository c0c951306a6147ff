use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/request-model",
    summary: "gen_ai.request.model is the model id exactly as it was sent",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.request.model` of the span against the `modelId` of the request, \
            character by character: base ids, inference profiles with their prefix, and ARNs \
            alike. An absent model is a finding too, for every Bedrock request names one. The \
            model of a span in another vocabulary, such as `llm.model_name`, is compared too, \
            where it is there.",
        why: "Price, quota and latency hang on the exact id: `us.anthropic.…` is another profile \
            than `anthropic.…`, and an id without vendor and version matches no price list.",
        example: "`gen_ai.request.model = claude-3-7-sonnet-20250219-v1:0` for a call to \
            `us.anthropic.claude-3-7-sonnet-20250219-v1:0`.",
        how_to_mend: "Copy the `modelId` parameter unchanged.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.any_span() else { return Vec::new() };
    let sent = view.call.last().model;
    let finding = match span.model {
        Some(stated) if stated == sent => return Vec::new(),
        Some(stated) => Finding::new("the request model is not the model id that was sent")
            .actual(view.symbols.text(stated)),
        None if view.span().is_none() => return Vec::new(),
        None => Finding::new("a model id was sent and the span does not state it").actual("absent"),
    };
    vec![finding.attribute("gen_ai.request.model").expected(view.symbols.text(sent))]
}

use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "usage/reasoning-tokens",
    summary: "reasoning tokens are those that were served",
    level: Level::Violation,
    basis: Basis::Truth,
    since: Some("1.41.1"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.usage.reasoning.output_tokens` of the span, where it is there, \
            against the tokens of reasoning among those served. An absent count is left alone: \
            most answers do not tell it.",
        why: "Reasoning is billed as output that nobody reads. Its share decides whether a budget \
            for thinking is worth its price.",
        example: "`gen_ai.usage.reasoning.output_tokens = 512`, estimated from the length of the \
            text, for 483 tokens.",
        how_to_mend: "Set the count that the answer states, and leave it out where it states none.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let span = view.span().filter(|_| view.call.was_told_usage(view.symbols));
    let Some(stated) = span.and_then(|span| span.usage.reasoning) else { return Vec::new() };
    let served = view.call.usage().reasoning_output_tokens;
    if stated == served {
        return Vec::new();
    }
    vec![
        Finding::new("the reasoning tokens are not those served")
            .attribute("gen_ai.usage.reasoning.output_tokens")
            .expected(served.to_string())
            .actual(stated.to_string()),
    ]
}

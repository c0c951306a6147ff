use spanproof_schemas::report::{Level, Subject};

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{CallView, Match};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/duplicate-span",
    summary: "no call has more than one GenAI span",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "GenAI spans of model calls that no call is left for: one around or \
            within the span of a call, one with the same response or invocation id, one beside \
            it under the same parent over the same time, or one over the same time with the same \
            model and tokens. Spans of agents, tools and workflows are not counted.",
        why: "Every sum over spans counts such a call twice: calls, tokens, cost.",
        example: "A hand-written wrapper span `chat …` around boto3, which is instrumented too.",
        how_to_mend: "Let one layer make the span. Switch the library's instrumentation off, or \
            have the wrapper set attributes on the current span instead of starting its own.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Match::Span(own, _) = view.matched else { return Vec::new() };
    let first = crate::model::hex(&own.id.span);
    view.duplicates
        .iter()
        .map(|span| {
            Finding::new("the call has another span already")
                .expected(format!("one span, {first}"))
                .about(Subject {
                    exchange: Some(view.call.last().sequence),
                    ..span.subject(view.symbols)
                })
        })
        .collect()
}

use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::usage::expected;
use crate::view::StandingView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "usage/agent-usage",
    summary: "tokens on the span of an agent are those of the calls within it",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Tokens on the spans of agents, workflows and tools that have calls of the \
            ledger within them, at any depth, and no others: they are the sum over these calls. \
            Where they are, it is information, since whoever sums over all spans counts them \
            twice; the conventions have no other names for such sums.",
        why: "The tokens of an agent are read as what its answer cost. Those of the last call only \
            hide the others, those of earlier invocations grow without end.",
        example: "An agent asks twice, for 100 and for 300 tokens, and its span states 300.",
        how_to_mend: "Leave tokens to the spans of the calls; or add up those of this invocation, \
            and of it alone.",
    },
    checks: &[Check::Standing(check)],
};

fn check(view: &StandingView<'_>) -> Vec<Finding> {
    let told = view.undertaking.filter(|within| within.calls > 0 && within.others == 0);
    let Some(within) = told else { return Vec::new() };
    let span = view.span;
    let served = expected(within.usage, view.semconv());
    let counts = [
        ("gen_ai.usage.input_tokens", span.usage.input, served.input_tokens),
        ("gen_ai.usage.output_tokens", span.usage.output, served.output_tokens),
    ];
    let finding = |(name, stated, sum): (&'static str, Option<u64>, u64)| {
        let stated = stated?;
        let finding = if stated == sum {
            Finding::new("the span repeats the tokens of the calls within it")
                .level(Level::Information)
        } else {
            Finding::new("the tokens are not those of the calls within the span")
        };
        let expected = format!("{sum}, the sum over {} calls", within.calls);
        Some(finding.attribute(name).expected(expected).actual(stated.to_string()))
    };
    counts.into_iter().filter_map(finding).collect()
}

use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{Standing, StandingView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "trace/agent-parent",
    summary: "the calls of an agent are within its span",
    level: Level::Improvement,
    basis: Basis::Agreement("the spans of a trace"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Spans of agents and workflows without any model call within them, while \
            calls of the same instrumentation scope were made during that time beside them, under \
            the same parent, or as traces of their own. An agent that the service runs, and that \
            the ledger therefore has a call for, is left alone.",
        why: "Whoever opens the agent's span looks for what it did. Calls in traces of their own \
            cannot be counted by agent, and the trace of the agent is empty.",
        example: "`invoke_agent weather` of ten seconds without children, and three `chat` spans \
            without a parent in the same ten seconds.",
        how_to_mend: "Carry the context into the tasks and generators in which the steps run; in \
            Python by `contextvars`, across threads by attaching the context.",
    },
    checks: &[Check::Standing(check)],
};

fn check(view: &StandingView<'_>) -> Vec<Finding> {
    let operation = view.symbols.option(view.span.operation);
    let is_agent = matches!(operation, Some("invoke_agent" | "invoke_workflow"));
    let astray = view.undertaking.map_or(0, |within| within.astray);
    if astray == 0 || !is_agent || view.standing != Standing::Free {
        return Vec::new();
    }
    vec![
        Finding::new("the agent has no call within its span, and calls were made beside it")
            .attribute("parent span")
            .expected(view.symbols.text(view.span.name))
            .actual(format!("{astray} calls beside it or in traces of their own")),
    ]
}

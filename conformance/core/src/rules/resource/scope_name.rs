use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::ScopeView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "resource/scope-name",
    summary: "an instrumentation scope has a name",
    level: Level::Improvement,
    basis: Basis::Should("trace API, get a tracer: the name SHOULD identify the scope"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The name of every instrumentation scope that emits GenAI spans: it is not \
            empty. Which name is right, nothing but its author knows.",
        why: "The scope tells who made a span. Without it two instrumentations of the same call \
            cannot be told apart, and none can be switched off by name.",
        example: "`tracer = provider.get_tracer(\"\")`.",
        how_to_mend: "Ask for the tracer by the name of the library that instruments.",
    },
    checks: &[Check::Scope(check)],
};

fn check(view: &ScopeView<'_>) -> Vec<Finding> {
    let has_spans = view.facts.spans > 0 || !view.facts.foreign.is_empty();
    if has_spans && view.name.trim().is_empty() {
        vec![Finding::new("the instrumentation scope has no name").attribute("scope name")]
    } else {
        Vec::new()
    }
}

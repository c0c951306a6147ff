use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::{Condition, Requirement};

use crate::catalogue::catalogue;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::ScopeView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "presence/undecided-condition",
    summary: "attributes that are required under a condition that nothing here decides",
    level: Level::Information,
    basis: Basis::Must("requirement level Conditionally Required"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The GenAI attributes that the judged version requires of the scope's span \
            types under a condition, where none of the scope's spans has the attribute and \
            neither telemetry nor ledger tells whether the condition ever held: whether a \
            conversation id was available, say, or an agent had a description. They are listed \
            once for each scope, with their conditions, as information: it may all be as it \
            should. Conditions that can be decided are judged by `presence/required-attribute`; \
            with a ledger these are more, since it knows which calls were streamed or named a \
            guardrail.",
        why: "An attribute that is never set is easily forgotten, and no check can tell that from \
            one that never applies. Whoever knows the instrumentation can, at a glance.",
        example: "No span of a scope has `gen_ai.conversation.id`, which is required if available.",
        how_to_mend: "Look through the list. Set what the instrumentation could know; leave the \
            rest.",
    },
    checks: &[Check::Scope(check)],
};

fn check(view: &ScopeView<'_>) -> Vec<Finding> {
    let mut undecided: Vec<(&str, Condition)> = view
        .facts
        .span_types
        .iter()
        .flat_map(|span_type| &span_type.required)
        .filter_map(|(id, requirement)| match requirement {
            Requirement::ConditionallyRequired(condition)
                if !is_decided(*condition, view.has_ledger) && !view.facts.names.contains(*id) =>
            {
                let name = catalogue().by_id(*id);
                name.is_gen_ai.then_some((&*name.text, *condition))
            }
            _ => None,
        })
        .collect();
    if undecided.is_empty() {
        return Vec::new();
    }
    undecided.sort_unstable();
    undecided.dedup();
    let listed: Vec<String> = undecided
        .iter()
        .map(|(name, condition)| format!("`{name}` ({})", condition.describe()))
        .collect();
    vec![Finding::new(format!(
        "no span has these attributes, which are required under conditions that nothing here \
         decides: {}",
        listed.join(", ")
    ))]
}

/// Whether another rule decides the condition, from spans or with the help of the ledger.
fn is_decided(condition: Condition, has_ledger: bool) -> bool {
    match condition {
        Condition::OnError | Condition::IfServerAddress | Condition::ClientSpan => true,
        Condition::Streaming | Condition::GuardrailInRequest => has_ledger,
        _ => false,
    }
}

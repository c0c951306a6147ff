use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::{Condition, Requirement};

use crate::field::Field;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::EventView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "events/required-attribute",
    summary: "every attribute that an event requires is there",
    level: Level::Violation,
    basis: Basis::Must("event definitions, requirement levels Required and Conditionally Required"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The attributes that the judged version requires of the event: those always \
            required; `server.port` where `server.address` is there; and of \
            `gen_ai.client.operation.exception` one of `exception.type` and `exception.message`. \
            Conditions that the event itself cannot decide are left alone.",
        why: "An event is stored apart from its span. Without the operation it is found by no \
            query over GenAI calls, and an exception without type and message says nothing.",
        example: "An event `gen_ai.client.inference.operation.details` without \
            `gen_ai.operation.name`.",
        how_to_mend: "Set the attribute on the event with the value that the span has.",
    },
    checks: &[Check::Event(check)],
};

fn check(view: &EventView<'_>) -> Vec<Finding> {
    let Some(definition) = view.definition else { return Vec::new() };
    let is_there =
        |name: &str| view.attributes.iter().any(|seen| seen.key == name && seen.value.is_some());
    let is_due = |requirement| match requirement {
        Requirement::Required => true,
        Requirement::ConditionallyRequired(Condition::IfServerAddress) => {
            view.fields.has(Field::ServerAddress)
        }
        Requirement::ConditionallyRequired(Condition::NoExceptionMessage) => {
            !is_there("exception.message")
        }
        _ => false,
    };
    let required = definition.attributes.iter().filter(|(_, requirement)| is_due(**requirement));
    required
        .filter(|(name, _)| !is_there(name))
        .map(|(name, _)| {
            let version = view.semconv.version;
            Finding::new(format!("`{name}` is required of the event by {version} and is not there"))
                .attribute(name.as_str())
        })
        .collect()
}

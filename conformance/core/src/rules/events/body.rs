use spanproof_schemas::report::Level;

use crate::content_schema::{self, Fault};
use crate::finding::Finding;
use crate::held::{Held, Reading};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::value;
use crate::view::EventView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "events/body",
    summary: "the body of an event has the members that the conventions give it",
    level: Level::Violation,
    basis: Basis::Must("event definitions, body fields"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Log records that are `gen_ai.*` events. The body of an event of one \
            message, such as `gen_ai.user.message`, is a map; that of `gen_ai.tool.message` has \
            the `id` of the tool call, that of `gen_ai.choice` `index` and `finish_reason`, and \
            each tool call its `id`, `type` and `function` with a `name`. A record without a body \
            is left alone, as the body is opt-in. Events that tell everything in attributes, such \
            as `gen_ai.client.inference.operation.details`, have no body.",
        why: "A body that is text, or that lacks what tells its messages apart, cannot be put \
            together to a conversation again.",
        example: "`gen_ai.choice` with the body `{\"message\": {\"content\": \"…\"}}`, which says \
            neither which choice it is nor why it ended.",
        how_to_mend: "Give the body the members that the finding names; set `finish_reason` to \
            `error` where none was received.",
    },
    checks: &[Check::Event(check)],
};

fn check(view: &EventView<'_>) -> Vec<Finding> {
    let Some(record) = view.log() else { return Vec::new() };
    let Some(definition) = view.definition else { return Vec::new() };
    let Some(body) = value::inner(record.body.as_ref()) else { return Vec::new() };
    let Some(held) = view.contents.iter().find(|held| held.kind.is_body()) else {
        let has_attributes = !definition.attributes.is_empty();
        let finding = || {
            Finding::new("the event has a body, where the conventions have attributes only")
                .level(Level::Improvement)
                .attribute("body")
                .actual(value::kind_word(Some(body)))
        };
        return has_attributes.then(finding).into_iter().collect();
    };
    shape(view, held)
}

fn shape(view: &EventView<'_>, held: &Held<'_>) -> Vec<Finding> {
    let is_structured = held.text().is_none();
    match &held.reading {
        Reading::Json(json) if is_structured => {
            let faults = content_schema::faults(held.kind, view.semconv.version, json);
            faults.into_iter().map(|fault| finding(view, &fault)).collect()
        }
        Reading::Withheld => Vec::new(),
        _ => vec![
            Finding::new("the body of the event is text, where a map is due")
                .attribute("body")
                .expected("map")
                .actual("string"),
        ],
    }
}

fn finding(view: &EventView<'_>, fault: &Fault) -> Finding {
    let finding = Finding::new(format!("the body of `{}`: {}", view.name, fault.what));
    let finding = finding.attribute("body");
    if fault.place.is_empty() { finding } else { finding.actual(format!("at {}", fault.place)) }
}

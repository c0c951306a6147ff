use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::held::Reading;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::EventView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "events/structured-content",
    summary: "messages on a log record are structured, not JSON text",
    level: Level::Violation,
    basis: Basis::Must(
        "gen_ai.input.messages, \"on events, it MUST be recorded in structured form\"",
    ),
    since: Some("1.37.0"),
    until: None,
    docs: Docs {
        what_it_checks: "The attributes of log records that hold messages, instructions, tool \
            definitions and the like: the value is a list of maps. JSON text is allowed on spans, \
            whose attributes may not be able to hold more, and on events of spans, which are \
            attributes of the same kind.",
        why: "Consumers of events read the members without parsing, and a limit on text cuts \
            nothing of a structured value.",
        example: "`gen_ai.input.messages` of an event \
            `gen_ai.client.inference.operation.details` as the text `[{\"role\": \"user\", …}]`.",
        how_to_mend: "Set the messages as lists and maps on the log record; every SDK's log records \
            take them.",
    },
    checks: &[Check::Event(check)],
};

fn check(view: &EventView<'_>) -> Vec<Finding> {
    if view.log().is_none() {
        return Vec::new();
    }
    let texts = view.contents.iter().filter(|held| {
        !held.kind.is_body() && held.text().is_some() && held.reading != Reading::Withheld
    });
    texts
        .map(|held| {
            Finding::new("content of an event is text, where it must be structured")
                .attribute(held.kind.name())
                .expected("a list of maps")
                .actual("string")
        })
        .collect()
}

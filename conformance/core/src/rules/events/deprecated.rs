use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::EventView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "events/deprecated",
    summary: "no event that the judged version has deprecated",
    level: Level::Violation,
    basis: Basis::Should("event definitions, deprecated"),
    since: Some("1.37.0"),
    until: None,
    docs: Docs {
        what_it_checks: "The events of one message each, such as `gen_ai.user.message` and \
            `gen_ai.choice`, judged by a version that has deprecated them. Judged by 1.36.0, they \
            are what is asked for.",
        why: "Since 1.37.0 a conversation stands in `gen_ai.input.messages`, \
            `gen_ai.output.messages` and `gen_ai.system_instructions`, on the span or on one event \
            for each call. Whoever reads those finds nothing of a call that is told in one event \
            for each message.",
        example: "A log record `gen_ai.user.message` with `gen_ai.provider.name`, an attribute \
            that only versions have which deprecate the event.",
        how_to_mend: "Set the messages on the span, or on one event \
            `gen_ai.client.inference.operation.details`; or speak 1.36.0 throughout, with \
            `gen_ai.system`.",
    },
    checks: &[Check::Event(check)],
};

fn check(view: &EventView<'_>) -> Vec<Finding> {
    let is_deprecated = view.definition.is_some_and(|event| event.deprecated.is_some());
    let finding = || {
        Finding::new(format!("the event is deprecated in {}", view.semconv.version))
            .attribute("event name")
            .actual(view.name)
    };
    is_deprecated.then(finding).into_iter().collect()
}

use spanproof_schemas::report::Level;

use crate::catalogue::catalogue;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::value;
use crate::view::EventView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "events/name",
    summary: "a gen_ai.* event has a name of the judged version, in the field that is kept for it",
    level: Level::Improvement,
    basis: Basis::Should("events, \"events MUST have a name\" that identifies their structure"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The names of log records and of events of GenAI spans that begin with \
            `gen_ai.`: the judged version defines an event of that name. And, on log records, the \
            name stands in the record's own field `event_name`, not in an attribute `event.name` \
            only. A record whose field and whose attribute name two different events is a \
            violation.",
        why: "Whoever reads events selects them by name. A name that no version has is selected by \
            nobody, and one that stands in an attribute is missed by those who read the field.",
        example: "A log record without an event name and with the attribute `event.name = \
            gen_ai.choice`.",
        how_to_mend: "Emit the event through the events API of the SDK, or set `event_name` on the \
            log record; use the names of the version that is stated.",
    },
    checks: &[Check::Event(check)],
};

fn check(view: &EventView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(unknown(view));
    findings.extend(misplaced(view));
    findings
}

fn unknown(view: &EventView<'_>) -> Option<Finding> {
    if view.definition.is_some() {
        return None;
    }
    let finding = match catalogue().event(view.name).oldest() {
        Some(oldest) => Finding::new(format!(
            "the event is not one of {}, the version judged by; {} has it",
            view.semconv.version,
            catalogue().conventions(oldest).version
        )),
        None => Finding::new(
            "the event is in a namespace of the conventions, and no known version has it",
        ),
    };
    Some(finding.attribute("event name").actual(view.name))
}

fn misplaced(view: &EventView<'_>) -> Option<Finding> {
    let record = view.log()?;
    let named = view.attributes.iter().find(|seen| seen.key == "event.name")?;
    let named = value::text(named.value)?;
    if record.event_name.is_empty() {
        let finding = Finding::new("the event's name stands in an attribute only");
        return Some(finding.attribute("event.name").expected("the record's field event_name"));
    }
    (named != record.event_name).then(|| {
        Finding::new("field and attribute name two different events")
            .level(Level::Violation)
            .attribute("event.name")
            .expected(record.event_name.clone())
            .actual(named)
    })
}

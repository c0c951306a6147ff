use spanproof_schemas::report::{Level, Subject};

use crate::finding::Finding;
use crate::model::hex;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{EventView, RunView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "events/trace-context",
    summary: "an event carries the ids of the span of its call",
    level: Level::Violation,
    basis: Basis::Should("GenAI events, \"SHOULD be parented to the GenAI operation span\""),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Log records that are `gen_ai.*` events: they have a trace id of 16 bytes \
            and a span id of 8, and, where there is a ledger, the span with these ids, if it was \
            exported, is a GenAI span. `gen_ai.evaluation.result` may do without where it names the response by \
            `gen_ai.response.id`. Ids of a span that was never exported are left alone: the trace \
            may not have been sampled, and `truth/unended-span` tells of the rest.",
        why: "The ids are all that ties the messages of a conversation to the call, its model and \
            its tokens. An event that was emitted after the span had ended carries the ids of \
            whatever span was current then, or none.",
        example: "`gen_ai.choice` of a stream that was read outside the request handler: a log \
            record without a trace id.",
        how_to_mend: "Emit the event in the context of the span, before the span ends; where the \
            context is gone by then, pass it to the logger explicitly.",
    },
    checks: &[Check::Event(check_event), Check::Run(check_run)],
};

fn check_event(view: &EventView<'_>) -> Vec<Finding> {
    let Some(record) = view.log() else { return Vec::new() };
    let is_zero = |id: &[u8]| id.iter().all(|byte| *byte == 0);
    let names_response = view.name == "gen_ai.evaluation.result"
        && view.attributes.iter().any(|seen| seen.key == "gen_ai.response.id");
    let mut findings = Vec::new();
    for (name, id, length) in [("trace_id", &record.trace_id, 16), ("span_id", &record.span_id, 8)]
    {
        if is_zero(id) {
            if !names_response {
                let finding = Finding::new(format!("the event has no `{name}`"));
                findings.push(finding.attribute(name));
            }
        } else if id.len() != length {
            findings.push(
                Finding::new(format!("the event's `{name}` is of another length"))
                    .attribute(name)
                    .expected(format!("{length} bytes"))
                    .actual(format!("{} bytes", id.len())),
            );
        }
    }
    findings
}

fn check_run(view: &RunView<'_>) -> Vec<Finding> {
    let with_events = view.astray.iter().filter(|(_, attached)| attached.has_events());
    with_events
        .map(|(span, attached)| {
            let scope = &attached.scope;
            Finding::new("the event carries the ids of a span that is no GenAI span")
                .attribute("span_id")
                .about(Subject {
                    trace_id: Some(hex(&span.trace)),
                    span_id: Some(hex(&span.span)),
                    scope: Some(scope.to_string()).filter(|scope| !scope.is_empty()),
                    ..Subject::default()
                })
        })
        .collect()
}

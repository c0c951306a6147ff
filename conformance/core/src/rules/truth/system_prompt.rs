use spanproof_schemas::ledger::Operation;
use spanproof_schemas::report::Level;

use super::captured;
use crate::attached::Side;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/system-prompt",
    summary: "a captured prompt includes the system prompt, in the place that is kept for it",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Where content is allowed, spans of model calls with their events that \
            hold the messages of a request with a system prompt: the system prompt is there too, \
            as `gen_ai.system_instructions`, as an event `gen_ai.system.message`, or as a message \
            with the role `system`. Of Converse and ConverseStream, which keep it apart from the \
            messages, it is an improvement to find it among them.",
        why: "The system prompt explains most of an answer. A conversation that is replayed or \
            evaluated without it gives other answers.",
        example: "A Converse call with `system`, and a span with `gen_ai.input.messages` only.",
        how_to_mend: "Set `gen_ai.system_instructions` from the `system` of the request.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some((captured, served)) = captured(view) else { return Vec::new() };
    if !served.has_system || captured.input != Side::Whole || captured.system != Side::Absent {
        return Vec::new();
    }
    let is_kept_apart =
        matches!(view.call.last().operation, Operation::Converse | Operation::ConverseStream);
    let finding = match (captured.system_in_messages, is_kept_apart) {
        (false, _) => Finding::new("the system prompt is missing from what was captured"),
        (true, true) => {
            Finding::new("the system prompt stands among the messages, which the request has not")
                .level(Level::Improvement)
        }
        (true, false) => return Vec::new(),
    };
    vec![finding.attribute("gen_ai.system_instructions").expected("the system prompt")]
}

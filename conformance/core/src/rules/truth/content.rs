use spanproof_schemas::ledger::Task;
use spanproof_schemas::report::Level;

use super::{answer_was_read, captured};
use crate::attached::{Captured, Side};
use crate::finding::Finding;
use crate::model::Served;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/content",
    summary: "captured messages hold the texts that were asked and served",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Where content is allowed, spans of model calls with their events, if they \
            hold any messages: every marker that the client planted in the prompt stands in what \
            was captured of the prompt, and the one that the mock planted in the answer in what \
            was captured of the answer; an answer with text has text, also beside tool calls. \
            Looked at on the answer's side only where the answer arrived in full, and on neither \
            where its messages are redacted, cut or no JSON, which other rules tell. A prompt \
            without its answer, and the other way round, is an improvement, since it may be asked \
            for. The system prompt is `truth/system-prompt`, tool calls are `truth/tool-calls`. \
            The texts themselves are never printed.",
        why: "Evaluation and debugging take the captured conversation for what was said. Messages \
            that lack a part, or are those of another call, lead to wrong conclusions and to no \
            error.",
        example: "An answer of a sentence and a tool call, of which the span holds the tool call \
            only.",
        how_to_mend: "Gather every content block of the answer in its order, in streams by its \
            index, and set the messages when the answer is complete.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some((captured, served)) = captured(view) else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(prompt(captured, served));
    let task = view.call.last().task;
    if matches!(task, Task::Chat | Task::TextCompletion) && answer_was_read(view) {
        findings.extend(answer(captured, served));
        findings.extend(one_side(captured, served));
    }
    findings
}

fn prompt(captured: &Captured, served: &Served) -> Option<Finding> {
    // Nothing tells whether a marker stood in the system prompt.
    let lacks_system =
        served.has_system && captured.system != Side::Whole && !captured.system_in_messages;
    if captured.input != Side::Whole || lacks_system {
        return None;
    }
    let missing = missing(&served.prompt_markers, captured);
    (missing > 0).then(|| {
        Finding::new("text of the prompt is missing from the captured messages")
            .attribute("gen_ai.input.messages")
            .expected(format!("{} markers", served.prompt_markers.len()))
            .actual(format!("{missing} missing"))
    })
}

fn answer(captured: &Captured, served: &Served) -> Option<Finding> {
    if captured.output != Side::Whole {
        return None;
    }
    let held = served.answer.as_ref()?;
    if held.has_text && !captured.has_text {
        let finding = Finding::new("the text of the answer is missing from the captured messages");
        return Some(finding.attribute("gen_ai.output.messages").expected("text"));
    }
    // The marker may stand in the arguments of a tool call.
    let missing = missing(&served.answer_markers, captured);
    (missing > 0 && held.tool_calls.is_empty()).then(|| {
        Finding::new("text of the answer is missing from the captured messages")
            .attribute("gen_ai.output.messages")
            .expected(format!("{} markers", served.answer_markers.len()))
            .actual(format!("{missing} missing"))
    })
}

fn one_side(captured: &Captured, served: &Served) -> Option<Finding> {
    let held = served.answer.as_ref();
    let has_answer = held.is_some_and(|held| held.has_text || !held.tool_calls.is_empty());
    let (message, attribute) = match (captured.input, captured.output) {
        (Side::Whole, Side::Absent) if has_answer => {
            ("the prompt is captured, and the answer is not", "gen_ai.output.messages")
        }
        (Side::Absent, Side::Whole) => {
            ("the answer is captured, and the prompt is not", "gen_ai.input.messages")
        }
        _ => return None,
    };
    Some(Finding::new(message).level(Level::Improvement).attribute(attribute))
}

fn missing(markers: &[u64], captured: &Captured) -> usize {
    markers.iter().filter(|marker| !captured.markers.contains(marker)).count()
}

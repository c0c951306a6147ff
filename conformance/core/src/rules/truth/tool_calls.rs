use spanproof_schemas::ledger::Operation;
use spanproof_schemas::report::Level;

use super::{answer_was_read, captured};
use crate::attached::{Arguments, Captured, Side, ToolCall};
use crate::finding::Finding;
use crate::model::ServedAnswer;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/tool-calls",
    summary: "a captured answer holds every tool call that was served, with its arguments",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Where content is allowed, spans of model calls with their events that \
            hold an answer which arrived in full: each tool call that was served is there by its \
            name, with the arguments that were served, structured or as JSON text, and no other \
            is. Answers that the mock replayed from a recording are left alone. Of Converse and ConverseStream, which give each call an id, it has one. Redacted, \
            cut and broken messages are left to other rules.",
        why: "In streams the arguments come in pieces of JSON. Instrumentations that do not put \
            them together record `{}` or a piece, and then nobody sees what an agent did.",
        example: "A `tool_call` part with `arguments: {}`, where the answer called \
            `get_weather` with a city.",
        how_to_mend: "Gather the pieces of `input` by content block index, parse them when the \
            block stops, and record name, id and arguments.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some((captured, served)) = captured(view) else { return Vec::new() };
    let Some(served) = &served.answer else { return Vec::new() };
    if captured.output != Side::Whole || !answer_was_read(view) {
        return Vec::new();
    }
    let mut findings = compare(captured, served);
    let gives_ids =
        matches!(view.call.last().operation, Operation::Converse | Operation::ConverseStream);
    if gives_ids && captured.tool_calls.iter().any(|call| !call.has_id) {
        findings.push(finding("a captured tool call has no id", None));
    }
    findings
}

fn compare(captured: &Captured, served: &ServedAnswer) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_served =
        |call: &ToolCall| served.tool_calls.contains(&(call.name.clone(), call.arguments));
    for (name, arguments) in &served.tool_calls {
        let mut named = captured.tool_calls.iter().filter(|call| call.name == *name);
        if named.clone().any(|call| call.arguments == *arguments) {
            continue;
        }
        // What belongs to another call of the tool tells nothing of this one.
        let message = match named.find(|call| !is_served(call)).map(|call| call.arguments) {
            None => "a tool call is missing from the captured answer",
            Some(Arguments::Empty) => "a captured tool call has no arguments, and the answer had",
            Some(Arguments::Broken) => "the arguments of a captured tool call are no whole JSON",
            Some(Arguments::Sha256(_)) => {
                "the arguments of a captured tool call are not those of the answer"
            }
        };
        findings.push(finding(message, Some(name)));
    }
    let is_of_the_answer =
        |call: &ToolCall| served.tool_calls.iter().any(|(name, _)| *name == call.name);
    for call in captured.tool_calls.iter().filter(|call| !is_of_the_answer(call)) {
        let message = "a captured tool call is none of the answer";
        findings.push(finding(message, None).actual(call.name.as_ref()));
    }
    findings
}

fn finding(message: &'static str, name: Option<&str>) -> Finding {
    let finding = Finding::new(message).attribute("gen_ai.output.messages");
    match name {
        Some(name) => finding.expected(format!("a call of {name}")),
        None => finding,
    }
}

use spanproof_schemas::report::Level;

use crate::call::Outcome;
use crate::finding::Finding;
use crate::model::{FinishReasons, SpanFacts};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/finish-reasons",
    summary: "gen_ai.response.finish_reasons is an array with the stop reason that was served",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.response.finish_reasons` of spans whose call was answered with a \
            stop reason. It must be an array with that reason, in the service's word or in the \
            one that instrumentations map it to: the conventions do not settle a vocabulary, so \
            `end_turn` and `stop` are both right, as are `max_tokens` and `length`, `tool_use` and \
            `tool_call`. A call that failed before it had a stop reason states none, or `error`. An \
            absent attribute is an improvement, for it is recommended. One that is no array is \
            `types/attribute-type`. The finish reason of a span in another vocabulary is \
            compared too, where it is there.",
        why: "The finish reason tells truncated answers and blocked ones from good ones. A \
            constant `stop` hides both.",
        example: "`gen_ai.response.finish_reasons = [\"stop\"]` for an answer that ended with \
            `max_tokens`.",
        how_to_mend: "Take the stop reason from the answer, in streams from the event that \
            carries it (`messageStop`, `message_delta`), and set it as an array of one.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.any_span() else { return Vec::new() };
    let Some(served) = view.symbols.option(view.call.last().stop_reason) else {
        return none_was_served(view, span);
    };
    if view.call.outcome(view.symbols) != Outcome::Succeeded {
        return Vec::new();
    }
    let finding = match &span.finish_reasons {
        FinishReasons::NotArray(_) => return Vec::new(),
        FinishReasons::Absent if view.span().is_none() => return Vec::new(),
        FinishReasons::Absent => {
            Finding::new("the answer had a stop reason and the span does not state it")
                .level(Level::Improvement)
                .actual("absent")
        }
        FinishReasons::Array(reasons) => {
            let stated: Vec<&str> = reasons
                .iter()
                .map(|reason| view.symbols.option(*reason).unwrap_or("null"))
                .collect();
            if stated.len() == 1 && reasons[0].is_some() && is_same(served, stated[0]) {
                return Vec::new();
            }
            Finding::new("the finish reasons are not the stop reason that was served")
                .actual(format!("[{}]", stated.join(", ")))
        }
    };
    let words = mapped(served).iter().filter(|word| **word != served);
    let expected = words.fold(format!("[{served}]"), |all, word| format!("{all} or [{word}]"));
    vec![finding.attribute("gen_ai.response.finish_reasons").expected(expected)]
}

/// A call that failed before its answer had a stop reason.
fn none_was_served(view: &CallView<'_>, span: &SpanFacts) -> Vec<Finding> {
    let FinishReasons::Array(reasons) = &span.finish_reasons else { return Vec::new() };
    let has_failed = matches!(view.call.outcome(view.symbols), Outcome::Failed(_));
    let stated: Vec<&str> =
        reasons.iter().map(|reason| view.symbols.option(*reason).unwrap_or("null")).collect();
    if !has_failed || stated.iter().all(|reason| *reason == "error") {
        return Vec::new();
    }
    vec![
        Finding::new("the call failed and the span states a finish reason")
            .attribute("gen_ai.response.finish_reasons")
            .expected("absent")
            .actual(format!("[{}]", stated.join(", "))),
    ]
}

fn is_same(served: &str, stated: &str) -> bool {
    stated.eq_ignore_ascii_case(served)
        || mapped(served).iter().any(|word| stated.eq_ignore_ascii_case(word))
}

/// The words that instrumentations map a stop reason of any model family to.
fn mapped(served: &str) -> &'static [&'static str] {
    match served.to_ascii_lowercase().as_str() {
        "end_turn" | "stop_sequence" | "finish" | "complete" | "stop_criteria_met" => &["stop"],
        "max_tokens" | "length" | "model_context_window_exceeded" => &["length", "max_tokens"],
        "tool_use" | "tool_call" | "tool_calls" => &["tool_call", "tool_calls", "tool_use"],
        "content_filter" | "content_filtered" | "guardrail_intervened" | "refusal" => {
            &["content_filter"]
        }
        "malformed_model_output" | "malformed_tool_use" => &["error"],
        _ => &[],
    }
}

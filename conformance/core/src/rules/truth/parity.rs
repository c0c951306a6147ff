use spanproof_schemas::ledger::Operation;
use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{Parity, ScopeView, Telling};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "truth/parity",
    summary: "whichever operation is called, spans say the same of it",
    level: Level::Improvement,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "What the spans of one instrumentation scope say of calls through \
            Converse, ConverseStream, InvokeModel and InvokeModelWithResponseStream that were \
            answered in full: tokens, finish reasons, the most tokens and the temperature that \
            the request asked for. What the spans of one operation never say, in three calls or \
            more, although others do, is an improvement. Tokens that streams never state are a \
            violation: of one stream it cannot be told whether the program closed it before its \
            end, of all of them it can.",
        why: "The same answer costs the same whichever way it is asked for. An application that \
            moves to streams must not lose its bill.",
        example: "A scope whose `Converse` spans state tokens, and whose `ConverseStream` spans \
            state none, since the metadata event is never read.",
        how_to_mend: "Read what streams say at their end: the metadata event of ConverseStream, \
            the invocation metrics of InvokeModelWithResponseStream.",
    },
    checks: &[Check::Scope(check)],
};

/// How many calls of an operation must lack something.
const FEWEST: u64 = 3;

fn check(view: &ScopeView<'_>) -> Vec<Finding> {
    let parity = &view.facts.parity;
    if parity.len() < 2 {
        return Vec::new();
    }
    let said_elsewhere = |telling: Telling| {
        parity.iter().find(|(_, parity)| parity.of(telling).said > 0).map(|(other, _)| *other)
    };
    let of_operation = |(operation, parity): (&Operation, &Parity)| {
        let (operation, parity) = (*operation, *parity);
        Telling::ALL.into_iter().filter_map(move |telling| {
            let tellings = parity.of(telling);
            let is_lacking = tellings.due >= FEWEST && tellings.said == 0;
            let other = said_elsewhere(telling).filter(|_| is_lacking)?;
            finding(operation, other, telling, tellings.due)
        })
    };
    parity.iter().flat_map(of_operation).collect()
}

fn finding(operation: Operation, other: Operation, telling: Telling, due: u64) -> Option<Finding> {
    let is_usage = matches!(telling, Telling::InputTokens | Telling::OutputTokens);
    let finding = match (is_usage, operation.is_streamed()) {
        (true, true) => Finding::new("streams never state tokens, although other calls do")
            .level(Level::Violation),
        // Each such call is a finding of its own.
        (true, false) => return None,
        (false, _) => Finding::new("an operation never states what others do"),
    };
    Some(
        finding
            .attribute(telling.attribute())
            .expected(format!("on spans of {}, as on those of {}", operation.name(), other.name()))
            .actual(format!("on none of {due}")),
    )
}

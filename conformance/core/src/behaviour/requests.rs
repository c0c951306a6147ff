//! The calls of a run: requests, with those that try again counted to the one that they repeat.

use std::collections::{BTreeMap, BTreeSet};

use spanproof_schemas::ledger::{Exchange, Operation, SentRequest};

/// A call: its first request, and what became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// The sequence of its first request in the ledger.
    pub sequence: u64,
    /// Which operation was called.
    pub operation: Operation,
    /// The first request.
    pub request: SentRequest,
    /// How often it was sent.
    pub attempts: usize,
    /// Whether the last answer was read to its end, or was one that ended before.
    pub is_read_whole: bool,
    /// When the first request arrived and the last answer ended, in nanoseconds since 1970.
    pub(crate) lasted: (u64, u64),
}

/// A value of a request that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `path`, or the JSON pointer in the body.
    pub place: String,
    /// Without instrumentation; nothing where it was not there.
    pub without: Option<String>,
    /// With.
    pub with: Option<String>,
}

/// The calls of a run in the order in which they began.
pub(super) fn calls(exchanges: &[Exchange]) -> Vec<Call> {
    let mut sorted: Vec<&Exchange> = exchanges.iter().collect();
    sorted.sort_by_key(|exchange| exchange.sequence);
    let mut calls: Vec<Call> = Vec::new();
    let mut by_invocation: BTreeMap<&str, usize> = BTreeMap::new();
    for exchange in sorted {
        let known = exchange.invocation_id.as_deref().and_then(|id| by_invocation.get(id));
        if let Some(call) = known.and_then(|at| calls.get_mut(*at)) {
            call.attempts += 1;
            call.is_read_whole = is_read_whole(exchange);
            call.lasted.1 = exchange.finished_unix_nanos;
            continue;
        }
        if let Some(id) = &exchange.invocation_id {
            by_invocation.insert(id, calls.len());
        }
        calls.push(Call {
            sequence: exchange.sequence,
            operation: exchange.operation,
            request: exchange.request.as_deref().cloned().unwrap_or_default(),
            attempts: 1,
            is_read_whole: is_read_whole(exchange),
            lasted: (exchange.arrived_unix_nanos, exchange.finished_unix_nanos),
        });
    }
    calls
}

/// An answer that a fault cut short was never there to be read.
fn is_read_whole(exchange: &Exchange) -> bool {
    exchange.delivered || exchange.fault.is_some()
}

/// Whether none of `calls` began before the one before it had ended.
pub(super) fn are_sequential(calls: &[Call]) -> bool {
    calls.windows(2).all(|two| two[0].lasted.1 <= two[1].lasted.0)
}

/// Where the requests of two calls differ, headers aside.
pub(super) fn changes(without: &Call, with: &Call) -> Vec<Change> {
    let mut changes = Vec::new();
    let (without, with) = (&without.request, &with.request);
    if without.target != with.target {
        changes.push(Change {
            place: "path".to_owned(),
            without: Some(without.target.clone()),
            with: Some(with.target.clone()),
        });
    }
    for place in places(without, with) {
        let (before, after) = (without.body.get(place), with.body.get(place));
        if before != after {
            changes.push(Change {
                place: place.clone(),
                without: before.cloned(),
                with: after.cloned(),
            });
        }
    }
    changes
}

/// In how many places the bodies of two calls differ.
pub(super) fn distance(without: &Call, with: &Call) -> usize {
    let (without, with) = (&without.request, &with.request);
    places(without, with)
        .into_iter()
        .filter(|place| without.body.get(*place) != with.body.get(*place))
        .count()
}

fn places<'a>(one: &'a SentRequest, other: &'a SentRequest) -> BTreeSet<&'a String> {
    one.body.keys().chain(other.body.keys()).collect()
}

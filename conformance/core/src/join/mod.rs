//! Joining the calls of the ledger with GenAI spans, by the surest means first.
//!
//! Each means sees only what the surer ones left over. Calls come by arrival and spans by
//! identity, so the result does not depend on the order of ingestion.
//!
//! The surest means, the invocation id and a span that the request carried, depend on nothing that
//! comes much later, so [`decided`] tells what they come to while more comes in. What they leave over
//! is joined at the end, by all means and by the same code.

mod assign;
mod decided;
mod duplicates;
mod nearby;
mod surroundings;
mod time;
mod trace;

use std::cell::LazyCell;

use rustc_hash::FxHashMap;
use spanproof_schemas::ledger::Task;
use spanproof_schemas::report::JoinMeans;

pub(crate) use self::decided::Decided;
use self::trace::Tree;
use crate::call::Call;
use crate::ledger::Ledger;
use crate::model::{Role, SpanFacts};
use crate::otlp::SpanKind;
use crate::symbol::Symbols;
use crate::view::{Absence, Carried, LateChild, Standing, Undertaking};
use crate::window::Window;

/// Calls and spans, brought together.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// For each call, its span and the means.
    pub(crate) by_call: Vec<Option<(usize, JoinMeans)>>,
    /// For each span, whether it is a call's.
    pub(crate) by_span: Vec<bool>,
    /// For each call, further spans that stand for it.
    pub(crate) duplicates: Vec<Vec<usize>>,
    /// For each call without a span, why.
    pub(crate) absences: Vec<Absence>,
    /// For each call, what its last request carried as the current span.
    pub(crate) carried: Vec<Carried>,
    /// For the spans of calls that have some, the spans below that started when it had ended.
    pub(crate) late_children: FxHashMap<usize, Vec<LateChild>>,
    /// For the spans of agents, workflows and tools, what was done within them.
    pub(crate) undertakings: FxHashMap<usize, Undertaking>,
}

impl Joined {
    /// What each of the spans is beside the ledger.
    pub(crate) fn standing(&self, spans: &[SpanFacts]) -> Vec<Standing> {
        let of = |(joined, span): (&bool, &SpanFacts)| match (*joined, span.came.is_late) {
            (true, _) => Standing::Joined,
            (false, true) => Standing::Late,
            (false, false) => Standing::Free,
        };
        let mut standing: Vec<Standing> = self.by_span.iter().zip(spans).map(of).collect();
        for duplicate in self.duplicates.iter().flatten() {
            standing[*duplicate] = Standing::Duplicate;
        }
        standing
    }
}

/// Both sides, and what has been joined so far.
struct Joiner<'a> {
    calls: &'a [Call<'a>],
    window: &'a Window,
    spans: &'a [SpanFacts],
    symbols: &'a Symbols,
    by_call: Vec<Option<(usize, JoinMeans)>>,
    by_span: Vec<Option<usize>>,
}

/// The tree of spans, which is only built where something has to be looked up in it.
type LazyTree<'a> = LazyCell<Tree, Box<dyn FnOnce() -> Tree + 'a>>;

/// Joins calls with the spans of the window by all means.
pub(crate) fn join(calls: &[Call<'_>], window: &Window, symbols: &Symbols) -> Joined {
    let mut joiner = Joiner::new(calls, window, symbols);
    let tree: LazyTree<'_> = LazyCell::new(Box::new(|| Tree::new(window)));
    joiner.by_invocation_id();
    let mut duplicates = vec![Vec::new(); calls.len()];
    let mut absences = vec![Absence::Missing; calls.len()];
    if !calls.is_empty() && !joiner.is_complete() {
        joiner.by_carried_span(&tree);
        joiner.by_trace(&tree);
        joiner.by_answer_id();
        joiner.by_time();
        duplicates = joiner.duplicates(&tree);
        absences = joiner.absences(&tree);
    }
    joiner.joined(duplicates, absences, &tree)
}

/// Joins calls with the spans of the window by what is sure before the end, and says which of both
/// can be settled.
pub(crate) fn join_surely(
    calls: &[Call<'_>],
    window: &Window,
    ledger: &Ledger,
    symbols: &Symbols,
) -> (Joined, Decided) {
    let mut joiner = Joiner::new(calls, window, symbols);
    let tree: LazyTree<'_> = LazyCell::new(Box::new(|| Tree::new(window)));
    joiner.by_invocation_id();
    joiner.by_carried_span(&tree);
    let duplicates = joiner.duplicates(&tree);
    let decided = joiner.decided(ledger, &duplicates, &tree);
    let absences = vec![Absence::Missing; calls.len()];
    (joiner.joined(duplicates, absences, &tree), decided)
}

impl<'a> Joiner<'a> {
    fn new(calls: &'a [Call<'a>], window: &'a Window, symbols: &'a Symbols) -> Joiner<'a> {
        Joiner {
            calls,
            window,
            spans: &window.spans,
            symbols,
            by_call: vec![None; calls.len()],
            by_span: vec![None; window.spans.len()],
        }
    }

    fn joined(
        self,
        duplicates: Vec<Vec<usize>>,
        absences: Vec<Absence>,
        tree: &LazyTree<'_>,
    ) -> Joined {
        let carried = |call| {
            if self.carries_own(call) { Carried::Own } else { self.carried(call, tree) }
        };
        let has_undertakings = self.spans.iter().any(|span| span.role == Role::Orchestration);
        Joined {
            carried: (0..self.calls.len()).map(carried).collect(),
            late_children: self.late_children(),
            undertakings: if has_undertakings {
                self.undertakings(tree)
            } else {
                FxHashMap::default()
            },
            by_span: self.by_span.iter().map(Option::is_some).collect(),
            by_call: self.by_call,
            duplicates,
            absences,
        }
    }
}

impl Joiner<'_> {
    fn pair(&mut self, call: usize, span: usize, means: JoinMeans) {
        self.by_call[call] = Some((span, means));
        self.by_span[span] = Some(call);
    }

    fn is_complete(&self) -> bool {
        let is_model_call = |span: usize| self.spans[span].role.is_model_call();
        self.by_call.iter().all(Option::is_some) && !self.free_spans().any(is_model_call)
    }

    fn free_calls(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.calls.len()).filter(|call| self.by_call[*call].is_none())
    }

    /// Spans that no call has been joined with and that one may be: those of model calls, and those
    /// of agents and retrievals, which the service runs, too.
    fn free_spans(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.spans.len())
            .filter(|span| self.by_span[*span].is_none() && self.may_be_a_call(*span))
    }

    fn may_be_a_call(&self, span: usize) -> bool {
        let facts = &self.spans[span];
        facts.role.is_model_call()
            || matches!(self.symbols.option(facts.operation), Some("invoke_agent" | "retrieval"))
    }

    /// Whether a span may stand for what a call did.
    fn is_same_task(&self, call: usize, span: usize) -> bool {
        let task = self.calls[call].first().task;
        let facts = &self.spans[span];
        let stated = self.symbols.option(facts.operation);
        match task {
            Task::InvokeAgent | Task::Retrieval => stated == Some(task.operation_name()),
            _ if !facts.role.is_model_call() => false,
            _ => stated.is_none_or(|stated| (stated == "embeddings") == (task == Task::Embeddings)),
        }
    }

    fn by_invocation_id(&mut self) {
        let mut spans: FxHashMap<&str, usize> = FxHashMap::default();
        for at in self.free_spans() {
            let Some(invocation) = self.spans[at].invocation_id.as_deref() else { continue };
            let best = spans.entry(invocation).or_insert(at);
            if preference(&self.spans[at]) < preference(&self.spans[*best]) {
                *best = at;
            }
        }
        for call in 0..self.calls.len() {
            let invocation = self.calls[call].first().invocation_id.as_deref();
            if let Some(&span) = invocation.and_then(|invocation| spans.get(invocation)) {
                self.pair(call, span, JoinMeans::InvocationId);
            }
        }
    }

    /// The id of the answer, in its body or its head, where it names one call and one span.
    fn by_answer_id(&mut self) {
        let mut calls: FxHashMap<&str, Option<usize>> = FxHashMap::default();
        for call in self.free_calls() {
            for exchange in self.calls[call].exchanges() {
                let ids = [Some(&*exchange.request_id), exchange.response_id.as_deref()];
                for id in ids.into_iter().flatten().filter(|id| !id.is_empty()) {
                    note(&mut calls, id, call);
                }
            }
        }
        let mut spans: FxHashMap<&str, Option<usize>> = FxHashMap::default();
        for span in self.free_spans() {
            let facts = &self.spans[span];
            let ids = [facts.response_id.as_deref(), facts.request_id.as_deref()];
            for id in ids.into_iter().flatten() {
                note(&mut spans, id, span);
            }
        }
        let free: Vec<usize> = self.free_spans().collect();
        for span in free {
            let facts = &self.spans[span];
            let ids = [facts.response_id.as_deref(), facts.request_id.as_deref()];
            let call = ids.into_iter().flatten().find_map(|id| {
                let only = spans.get(id).copied().flatten() == Some(span);
                calls.get(id).copied().flatten().filter(|_| only)
            });
            if let Some(call) = call.filter(|call| self.by_call[*call].is_none()) {
                self.pair(call, span, JoinMeans::ResponseId);
            }
        }
    }
}

/// Notes who has an id; nobody, once a second one has it too.
fn note<'a>(owners: &mut FxHashMap<&'a str, Option<usize>>, id: &'a str, owner: usize) {
    owners
        .entry(id)
        .and_modify(|known| {
            if *known != Some(owner) {
                *known = None;
            }
        })
        .or_insert(Some(owner));
}

/// Which of several spans with the same claim is the call's: a CLIENT span, the earliest.
fn preference(span: &SpanFacts) -> impl Ord + use<> {
    (span.kind != SpanKind::Client, span.start, span.id)
}

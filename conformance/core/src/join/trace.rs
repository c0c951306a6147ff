//! Joining by trace context: the request carried the id of the span that was current.

use rustc_hash::{FxHashMap, FxHashSet};
use spanproof_schemas::report::JoinMeans;

use super::assign::{Pair, assign};
use super::nearby::Nearby;
use super::{Joiner, LazyTree, time};
use crate::model::{SpanId, TraceId};
use crate::view::Absence;
use crate::window::Window;

/// The parents of the spans of the window, and of those that have been settled.
pub(super) struct Tree {
    parents: FxHashMap<SpanId, [u8; 8]>,
    traces: FxHashSet<TraceId>,
    named_as_parent: FxHashSet<SpanId>,
}

/// No span is looked for further up; parents that form a ring end here.
const DEEPEST: usize = 128;

/// Rounds of assigning within traces; what is left over by one has other candidates in the next.
const ROUNDS: usize = 4;

impl Tree {
    pub(super) fn new(window: &Window) -> Tree {
        let all = || {
            let spans = window.spans.iter().map(|span| (span.id, span.parent));
            let nodes = window.nodes.iter().map(|node| (node.id, node.parent));
            let ghosts = window.ghosts.values().map(|ghost| (ghost.id, ghost.parent));
            spans.chain(nodes).chain(ghosts)
        };
        Tree {
            parents: all().collect(),
            traces: all().map(|(id, _)| id.trace).collect(),
            named_as_parent: all()
                .filter(|(_, parent)| *parent != [0; 8])
                .map(|(id, parent)| id.sibling(parent))
                .collect(),
        }
    }

    /// The ancestors of a span, nearest first.
    pub(super) fn ancestors(&self, id: SpanId) -> impl Iterator<Item = SpanId> + '_ {
        std::iter::successors(self.parent(id), |id| self.parent(*id)).take(DEEPEST)
    }

    /// Whether a span has come.
    pub(super) fn has(&self, id: SpanId) -> bool {
        self.parents.contains_key(&id)
    }

    fn parent(&self, id: SpanId) -> Option<SpanId> {
        let parent = *self.parents.get(&id)?;
        (parent != [0; 8]).then(|| id.sibling(parent))
    }
}

impl Joiner<'_> {
    /// By the span that the request carried as the current one, where it is the call's own or one
    /// within it.
    pub(super) fn by_carried_span(&mut self, tree: &LazyTree<'_>) {
        let by_id: FxHashMap<SpanId, usize> =
            self.free_spans().map(|span| (self.spans[span].id, span)).collect();
        if by_id.is_empty() {
            return;
        }
        // The current span is the call's own span.
        let free = |joiner: &Self, call: usize, id: SpanId| {
            let span = by_id.get(&id).copied();
            span.filter(|span| joiner.by_span[*span].is_none() && joiner.is_same_task(call, *span))
        };
        self.pair_by_trace(free);
        // The current span is that of the transport, within the call's span.
        self.pair_by_trace(|joiner, call, current| {
            tree.ancestors(current).find_map(|id| free(joiner, call, id))
        });
    }

    /// By the trace, where the current span is around the call's span, or beside it.
    pub(super) fn by_trace(&mut self, tree: &Tree) {
        for _ in 0..ROUNDS {
            let assigned = assign(self.in_the_same_trace(tree));
            if assigned.is_empty() {
                break;
            }
            for (call, span) in assigned {
                self.pair(call, span, JoinMeans::TraceContext);
            }
        }
    }

    /// The likeliest pairs of what is left over in each trace.
    fn in_the_same_trace(&self, tree: &Tree) -> Vec<Pair> {
        let mut in_trace: FxHashMap<TraceId, Vec<usize>> = FxHashMap::default();
        for span in self.free_spans() {
            in_trace.entry(self.spans[span].id.trace).or_default().push(span);
        }
        let in_trace: FxHashMap<TraceId, Nearby> = in_trace
            .into_iter()
            .map(|(trace, spans)| (trace, Nearby::new(self.spans, spans)))
            .collect();
        let mut pairs = Vec::new();
        let mut candidates: Vec<Pair> = Vec::new();
        for call in self.free_calls() {
            let (arrived, finished) = self.times(call);
            for current in self.currents(call) {
                let Some(nearby) = in_trace.get(&current.trace) else { continue };
                let pair = |span| {
                    let cost = self.cost(call, span).filter(|_| self.is_same_task(call, span));
                    cost.map(|cost| Pair { cost, call, span })
                };
                candidates.clear();
                candidates.extend(nearby.around(arrived, finished).filter_map(pair));
                candidates.sort_unstable();
                candidates.truncate(time::CANDIDATES);
                for candidate in &mut candidates {
                    let id = self.spans[candidate.span].id;
                    if !tree.ancestors(id).any(|id| id == current) {
                        candidate.cost = candidate.cost.saturating_add(time::DISAGREES);
                    }
                }
                pairs.extend_from_slice(&candidates);
            }
        }
        pairs
    }

    /// The spans that were current when the attempts of a call were made, the last first.
    fn currents(&self, call: usize) -> Vec<SpanId> {
        let mut all: Vec<SpanId> =
            self.calls[call].exchanges().iter().rev().filter_map(|e| e.current_span).collect();
        all.dedup();
        all
    }

    fn pair_by_trace(&mut self, find: impl Fn(&Self, usize, SpanId) -> Option<usize>) {
        for call in 0..self.calls.len() {
            if self.by_call[call].is_some() {
                continue;
            }
            let mut currents = self.currents(call).into_iter();
            let found = currents.find_map(|current| find(self, call, current));
            // A parent that ended before the request arrived is no sign of anything.
            if let Some(span) = found.filter(|span| self.overlaps(call, *span)) {
                self.pair(call, span, JoinMeans::TraceContext);
            }
        }
    }

    /// Why each call without a span has none.
    pub(super) fn absences(&self, tree: &Tree) -> Vec<Absence> {
        let spans = self.spans.iter().map(|span| span.id);
        let gen_ai: FxHashSet<SpanId> = spans.chain(self.window.ghosts.keys().copied()).collect();
        let is_within_gen_ai = |current: &SpanId| {
            gen_ai.contains(current) || tree.ancestors(*current).any(|id| gen_ai.contains(&id))
        };
        let absence = |call: usize| {
            let currents = self.currents(call);
            let sampled = self.calls[call].exchanges().iter().all(|exchange| exchange.sampled);
            let started = currents.iter().any(|current| {
                !tree.has(*current)
                    && (tree.traces.contains(&current.trace)
                        || tree.named_as_parent.contains(current))
            });
            if self.calls[call].exchanges().iter().all(|exchange| exchange.came.is_late) {
                Absence::Late
            } else if !sampled {
                Absence::NotSampled
            } else if started {
                Absence::Unended
            } else if currents.iter().any(is_within_gen_ai) {
                Absence::Suppressed
            } else {
                Absence::Missing
            }
        };
        (0..self.calls.len())
            .map(|call| if self.by_call[call].is_some() { Absence::Missing } else { absence(call) })
            .collect()
    }
}

//! What is decided before the run ends, and can be settled.
//!
//! A call and its span are, when both have been passed by a whole generation: whatever else belongs
//! to them has come by then. A further span of such a call is, if no call that is still without a
//! span can be its own; an agent or a tool is, if every model call within it is. All else waits for
//! the end: a call without a span, since its span may come in the next file; a span without a
//! call; and calls that only a trace, the id of an answer or the time tells.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use spanproof_schemas::report::JoinMeans;
use spanproof_schemas::time::UnixNanos;

use super::surroundings::astray;
use super::time::TOLERANCE;
use super::{Joiner, LazyTree};
use crate::interval::Intervals;
use crate::ledger::Ledger;
use crate::model::{Role, SpanId};
use crate::view::{Standing, Undertaking};
use crate::window::Ghost;

/// What can be settled, and what that leaves to what cannot.
#[derive(Debug)]
pub(crate) struct Decided {
    /// For each call.
    pub(crate) calls: Vec<bool>,
    /// For each span.
    pub(crate) spans: Vec<bool>,
    /// What the settled spans add to agents and tools that are not.
    pub(crate) credits: BTreeMap<SpanId, Undertaking>,
    /// The latest end of a settled span that has an ancestor which has not come.
    pub(crate) unresolved_until: Option<UnixNanos>,
}

impl Joiner<'_> {
    pub(super) fn decided(
        &self,
        ledger: &Ledger,
        duplicates: &[Vec<usize>],
        tree: &LazyTree<'_>,
    ) -> Decided {
        let mut decided = Decided {
            calls: vec![false; self.calls.len()],
            spans: vec![false; self.spans.len()],
            credits: BTreeMap::new(),
            unresolved_until: None,
        };
        let is_explained = self.explained(ledger, duplicates);
        let decide = |decided: &mut Decided, call: usize, span: usize| {
            if duplicates[call].iter().all(|span| is_explained[*span]) {
                decided.calls[call] = true;
                decided.spans[span] = true;
                duplicates[call].iter().for_each(|span| decided.spans[*span] = true);
            }
        };
        let pairs = || {
            let calls = self.by_call.iter().enumerate();
            let pairs =
                calls.filter_map(|(call, joined)| joined.map(|(span, by)| (call, span, by)));
            pairs.filter(|(call, span, by)| self.is_settled_pair(*call, *span, *by))
        };
        let is_model_call = |span: usize| self.spans[span].role.is_model_call();
        for (call, span, _) in pairs().filter(|(_, span, _)| is_model_call(*span)) {
            decide(&mut decided, call, span);
        }
        let open_calls = self.open_calls(&decided);
        let open = around_all(&open_calls, tree);
        for (call, span, _) in pairs().filter(|(_, span, _)| !is_model_call(*span)) {
            if !open.contains(&self.spans[span].id) {
                decide(&mut decided, call, span);
            }
        }
        for span in 0..self.spans.len() {
            let may_be_joined =
                self.by_span[span].is_some() || ledger.has_agents && self.may_be_a_call(span);
            if !is_model_call(span)
                && self.is_passed(span)
                && !may_be_joined
                && !open.contains(&self.spans[span].id)
                && astray(&self.spans[span], &open_calls) == 0
            {
                decided.spans[span] = true;
            }
        }
        self.credit_settled(&mut decided, tree);
        decided
    }

    /// Whether a whole generation has passed a span.
    fn is_passed(&self, span: usize) -> bool {
        self.spans[span].came.generation < self.window.generation
    }

    /// Whether a whole generation has passed a call and its span, and no other call may claim the
    /// span by a surer means.
    fn is_settled_pair(&self, call: usize, span: usize, by: JoinMeans) -> bool {
        let attempts = self.calls[call].exchanges();
        let is_claimed = by != JoinMeans::InvocationId && self.spans[span].invocation_id.is_some();
        let is_passed =
            attempts.iter().all(|attempt| attempt.came.generation < self.window.generation);
        is_passed && self.is_passed(span) && !is_claimed
    }

    /// For each span, whether it is a further span of its call and of no other.
    fn explained(&self, ledger: &Ledger, duplicates: &[Vec<usize>]) -> Vec<bool> {
        let mut explained = vec![false; self.spans.len()];
        let mut open = None;
        for (call, further) in duplicates.iter().enumerate() {
            let Some((own, _)) = self.by_call[call] else { continue };
            for &span in further {
                let open = open.get_or_insert_with(|| OpenCalls::new(self));
                // Where clocks differ, nothing tells which calls have come in.
                let is_read = self.overlaps(call, own) && ledger.latest >= self.spans[span].end;
                explained[span] = is_read && self.is_passed(span) && !open.may_have(self, span);
            }
        }
        explained
    }

    /// The spans of model calls whose own call is open, by start; none where nothing is around
    /// calls.
    fn open_calls(&self, decided: &Decided) -> Vec<Ghost> {
        if self.spans.iter().all(|span| span.role != Role::Orchestration) {
            return Vec::new();
        }
        let all = self.spans.iter().enumerate().filter(|(at, span)| {
            self.by_span[*at].is_none() && !decided.spans[*at] && span.role.is_model_call()
        });
        let mut open: Vec<Ghost> = all.map(|(_, span)| Ghost::of(span, Standing::Free)).collect();
        open.sort_unstable_by_key(|span| (span.start, span.id));
        open
    }

    fn credit_settled(&self, decided: &mut Decided, tree: &LazyTree<'_>) {
        let Decided { spans, credits, unresolved_until, .. } = decided;
        for (at, span) in self.spans.iter().enumerate() {
            if !spans[at] || !span.role.is_model_call() || span.parent == [0; 8] {
                continue;
            }
            let mut last = span.id;
            for ancestor in tree.ancestors(span.id) {
                last = ancestor;
                let place = self.window.by_id.get(&ancestor).map(|place| *place as usize);
                if let Some(place) = place.filter(|place| !spans[*place])
                    && self.spans[place].role == Role::Orchestration
                {
                    self.credit(at, credits.entry(ancestor).or_default());
                }
            }
            if !tree.has(last) {
                *unresolved_until = (*unresolved_until).max(Some(span.end));
            }
        }
    }
}

/// Every span that is around one of some.
fn around_all(spans: &[Ghost], tree: &LazyTree<'_>) -> FxHashSet<SpanId> {
    spans.iter().flat_map(|span| tree.ancestors(span.id)).collect()
}

/// The calls without a span.
struct OpenCalls<'a> {
    times: Intervals,
    answer_ids: FxHashSet<&'a str>,
}

impl<'a> OpenCalls<'a> {
    fn new(joiner: &Joiner<'a>) -> OpenCalls<'a> {
        let exchanges = joiner.free_calls().flat_map(|call| joiner.calls[call].exchanges());
        let ids = exchanges.flat_map(|e| [Some(&*e.request_id), e.response_id.as_deref()]);
        OpenCalls {
            times: joiner.free_calls().map(|call| joiner.times(call)).collect(),
            answer_ids: ids.flatten().filter(|id| !id.is_empty()).collect(),
        }
    }

    /// Whether one of them may be joined with a span, by whatever means.
    fn may_have(&self, joiner: &Joiner<'_>, span: usize) -> bool {
        let span = &joiner.spans[span];
        let ids = [span.response_id.as_deref(), span.request_id.as_deref()];
        let (start, end) =
            (span.start.saturating_sub(TOLERANCE), span.end.saturating_add(TOLERANCE));
        self.times.may_overlap(start, end)
            || ids.into_iter().flatten().any(|id| self.answer_ids.contains(id))
    }
}

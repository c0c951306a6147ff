//! What is around the spans of calls, and within them: the span that a request carried, agents
//! and tools, and spans that were put below a call long after it had ended.

use rustc_hash::FxHashMap;

use super::time::TOLERANCE;
use super::trace::Tree;
use super::{Joiner, LazyTree};
use crate::model::{Role, SpanFacts, SpanId};
use crate::view::{Carried, LateChild, Standing, Undertaking};
use crate::window::Ghost;

impl Joiner<'_> {
    /// Whether telling what a request carried takes no tree: it is the call's own span.
    pub(super) fn carries_own(&self, call: usize) -> bool {
        let own = self.by_call[call].map(|(span, _)| self.spans[span].id);
        own.is_none() || self.calls[call].last().current_span == own
    }

    /// Where the span that the last request of a call carried stands to the call's own.
    pub(super) fn carried(&self, call: usize, tree: &LazyTree<'_>) -> Carried {
        let Some((span, _)) = self.by_call[call] else { return Carried::Unknown };
        let Some(current) = self.calls[call].last().current_span else { return Carried::Unknown };
        let own = &self.spans[span];
        let parent = own.id.sibling(own.parent);
        let has_parent = own.parent != [0; 8];
        if current == own.id {
            Carried::Own
        } else if current.trace != own.id.trace {
            Carried::OtherTrace
        } else if has_parent
            && (current == parent || tree.ancestors(own.id).any(|id| id == current))
        {
            Carried::Around
        } else if tree.ancestors(current).any(|id| id == own.id) {
            Carried::Within
        } else if has_parent && tree.ancestors(current).any(|id| id == parent) {
            Carried::Beside
        } else {
            Carried::Unknown
        }
    }

    /// For the spans of calls that have some, the spans below that started when it had ended.
    pub(super) fn late_children(&self) -> FxHashMap<usize, Vec<LateChild>> {
        let around = self.spans.iter().filter(|span| span.role == Role::Orchestration);
        let around = around.map(|span| (span.id, span.parent, span.start));
        let ghosts = self.window.ghosts.values().filter(|span| span.role == Role::Orchestration);
        let around = around.chain(ghosts.map(|span| (span.id, span.parent, span.start)));
        let others = self.window.nodes.iter().map(|node| (node.id, node.parent, node.start));
        let mut children =
            around.chain(others).filter(|(_, parent, _)| *parent != [0; 8]).peekable();
        let mut late: FxHashMap<usize, Vec<LateChild>> = FxHashMap::default();
        if children.peek().is_none() {
            return late;
        }
        let joined = self.by_call.iter().flatten().map(|(span, _)| *span);
        let calls: FxHashMap<SpanId, usize> = joined
            .filter(|span| self.spans[*span].role == Role::ModelCall)
            .map(|span| (self.spans[span].id, span))
            .collect();
        let after_its_end = children.filter_map(|(id, parent, start)| {
            let parent = *calls.get(&id.sibling(parent))?;
            let is_late = start > self.spans[parent].end.saturating_add(TOLERANCE);
            is_late.then_some((parent, LateChild { id, start }))
        });
        let mut all: Vec<(usize, LateChild)> = after_its_end.collect();
        all.sort_by_key(|(_, child)| (child.id, child.start));
        // An export that was retried delivers its spans twice.
        all.dedup_by_key(|(_, child)| child.id);
        for (parent, child) in all {
            late.entry(parent).or_default().push(child);
        }
        late
    }

    /// For the spans of agents, workflows and tools, what was done within them.
    pub(super) fn undertakings(&self, tree: &Tree) -> FxHashMap<usize, Undertaking> {
        let orchestrations = || {
            let spans = self.spans.iter().enumerate();
            spans.filter(|(_, span)| span.role == Role::Orchestration)
        };
        let by_id: FxHashMap<SpanId, usize> =
            orchestrations().map(|(at, span)| (span.id, at)).collect();
        let credit = |id| self.window.credits.get(&id).copied().unwrap_or_default();
        let mut undertakings: FxHashMap<usize, Undertaking> =
            orchestrations().map(|(at, span)| (at, credit(span.id))).collect();
        for (span, facts) in self.spans.iter().enumerate() {
            if !facts.role.is_model_call() {
                continue;
            }
            for ancestor in tree.ancestors(facts.id) {
                let place = by_id.get(&ancestor).and_then(|at| undertakings.get_mut(at));
                if let Some(undertaking) = place {
                    self.credit(span, undertaking);
                }
            }
        }
        let mut by_start: Option<Vec<Ghost>> = None;
        for (at, span) in orchestrations() {
            let Some(undertaking) = undertakings.get_mut(&at) else { continue };
            if undertaking.calls + undertaking.others == 0 {
                let calls = by_start.get_or_insert_with(|| self.calls_by_start());
                undertaking.astray = astray(span, calls);
            }
        }
        undertakings
    }

    /// Adds the span of a model call to what was done within a span around it.
    pub(super) fn credit(&self, span: usize, undertaking: &mut Undertaking) {
        match self.by_span[span] {
            Some(call) => {
                undertaking.calls += 1;
                undertaking.usage += self.calls[call].usage();
            }
            None => undertaking.others += 1,
        }
    }

    fn calls_by_start(&self) -> Vec<Ghost> {
        let joined = self.by_call.iter().flatten().map(|(span, _)| &self.spans[*span]);
        let joined = joined.map(|span| Ghost::of(span, Standing::Joined));
        let settled = self.window.ghosts.values().copied();
        let settled = settled.filter(|ghost| ghost.standing == Standing::Joined);
        let mut calls: Vec<Ghost> =
            joined.chain(settled).filter(|span| span.role == Role::ModelCall).collect();
        calls.sort_unstable_by_key(|span| (span.start, span.id));
        calls
    }
}

/// How many calls that started during an agent's time are looked at.
const LOOKED_AT: usize = 1024;

/// How many of `calls`, sorted by their start, were made during the time of an agent beside it or
/// in traces of their own.
pub(super) fn astray(agent: &SpanFacts, calls: &[Ghost]) -> u64 {
    let first = calls.partition_point(|call| call.start < agent.start);
    let during = calls[first..].iter().take_while(|call| call.start <= agent.end).take(LOOKED_AT);
    let is_astray = |call: &&Ghost| {
        let is_beside = call.id.trace == agent.id.trace && call.parent == agent.parent;
        call.scope == agent.scope && call.end <= agent.end && (is_beside || call.parent == [0; 8])
    };
    during.filter(is_astray).count() as u64
}

//! Spans beside the one that a call was joined with.

use rustc_hash::FxHashMap;

use super::trace::Tree;
use super::{Joiner, LazyTree};
use crate::model::{ReportedUsage, SpanFacts, SpanId};
use crate::otlp::StatusCode;
use crate::symbol::Symbol;

impl Joiner<'_> {
    /// For each call, the further spans that stand for it.
    pub(super) fn duplicates(&self, tree: &LazyTree<'_>) -> Vec<Vec<usize>> {
        let mut found = vec![Vec::new(); self.calls.len()];
        let is_model_call = |span: &usize| self.spans[*span].role.is_model_call();
        if !self.free_spans().any(|span| is_model_call(&span)) {
            return found;
        }
        let index = Index::new(self, tree);
        for span in self.free_spans().filter(is_model_call) {
            if let Some(call) = index.call_of(self, tree, span) {
                found[call].push(span);
            }
        }
        found
    }
}

/// How many calls alike are tried for one span.
const LOOKED_AT: usize = 64;

/// The joined spans, by what a duplicate shares with them.
struct Index<'a> {
    by_id: FxHashMap<SpanId, usize>,
    /// Free spans around a joined span.
    around: FxHashMap<SpanId, usize>,
    by_key: FxHashMap<&'a str, usize>,
    by_siblings: FxHashMap<(SpanId, Option<Symbol>), Vec<usize>>,
    by_usage: FxHashMap<(Option<Symbol>, u64, u64), Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(joiner: &Joiner<'a>, tree: &Tree) -> Index<'a> {
        let mut index = Index {
            by_id: FxHashMap::default(),
            around: FxHashMap::default(),
            by_key: FxHashMap::default(),
            by_siblings: FxHashMap::default(),
            by_usage: FxHashMap::default(),
        };
        for (call, joined) in joiner.by_call.iter().enumerate() {
            let Some((span, _)) = joined else { continue };
            let span: &'a SpanFacts = &joiner.spans[*span];
            index.by_id.insert(span.id, call);
            for ancestor in tree.ancestors(span.id) {
                index.around.entry(ancestor).or_insert(call);
            }
            for exchange in joiner.calls[call].exchanges() {
                let keys = [
                    exchange.invocation_id.as_deref(),
                    exchange.response_id.as_deref(),
                    Some(&*exchange.request_id),
                ];
                for key in keys.into_iter().flatten().filter(|key| !key.is_empty()) {
                    index.by_key.entry(key).or_insert(call);
                }
            }
            let siblings = (span.id.sibling(span.parent), span.model);
            index.by_siblings.entry(siblings).or_default().push(call);
            if let Some(key) = usage_key(span.model, span.usage) {
                index.by_usage.entry(key).or_default().push(call);
            }
        }
        // By arrival, so that a span finds the calls that it may cover without looking at all.
        for calls in index.by_siblings.values_mut().chain(index.by_usage.values_mut()) {
            calls.sort_by_key(|call| (joiner.times(*call).0, *call));
        }
        index
    }

    fn call_of(&self, joiner: &Joiner<'_>, tree: &Tree, span: usize) -> Option<usize> {
        let facts = &joiner.spans[span];
        let keys = [
            facts.invocation_id.as_deref(),
            facts.response_id.as_deref(),
            facts.request_id.as_deref(),
        ];
        let by_key = keys.into_iter().flatten().find_map(|key| self.by_key.get(key).copied());
        let inside = || tree.ancestors(facts.id).find_map(|id| self.by_id.get(&id).copied());
        let around = || self.around.get(&facts.id).copied();
        let covered = |calls: &[usize]| {
            let first = calls.partition_point(|call| joiner.times(*call).0 < facts.start);
            let near = calls[first..].iter().take(LOOKED_AT).copied();
            near.take_while(|call| joiner.times(*call).0 <= facts.end)
                .find(|call| joiner.times(*call).1 <= facts.end)
        };
        // A failed span may be a call that never reached the service, so only one that tells of
        // an answer counts where nothing but time speaks for it.
        let answered = facts.status != StatusCode::Error;
        let beside = || {
            let key = (facts.id.sibling(facts.parent), facts.model);
            let has_parent = facts.parent != [0; 8];
            let calls = self.by_siblings.get(&key).filter(|_| answered && has_parent)?;
            covered(calls)
        };
        let alike = || {
            let key = usage_key(facts.model, facts.usage).filter(|_| answered)?;
            covered(self.by_usage.get(&key)?)
        };
        by_key.or_else(inside).or_else(around).or_else(beside).or_else(alike)
    }
}

/// Model and tokens, where a span states some.
fn usage_key(model: Option<Symbol>, usage: ReportedUsage) -> Option<(Option<Symbol>, u64, u64)> {
    let (input, output) = (usage.input?, usage.output?);
    (input > 0 && output > 0).then_some((model, input, output))
}

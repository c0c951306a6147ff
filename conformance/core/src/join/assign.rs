//! Assigning spans to calls: as many pairs as there can be, at little total cost.

use rustc_hash::{FxHashMap, FxHashSet};

/// A call and a span that may belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    /// How badly they fit.
    pub(super) cost: u64,
    pub(super) call: usize,
    pub(super) span: usize,
}

/// Rounds of exchanging partners; what is open together at once settles within a few.
const ROUNDS: usize = 16;

/// The longest search for a way to make room for a call, in calls visited.
const SEARCH: usize = 4096;

/// Assigns each call at most one span and each span at most one call: the cheapest pair first,
/// then room is made for calls left over, then partners are exchanged where both pairs together
/// get cheaper. The result depends on the set of pairs alone.
pub(super) fn assign(mut pairs: Vec<Pair>) -> Vec<(usize, usize)> {
    pairs.sort_unstable();
    pairs.dedup_by_key(|pair| (pair.call, pair.span));
    let mut matching = Matching::default();
    for pair in &pairs {
        matching.options.entry(pair.call).or_default().push(pair.span);
        matching.costs.entry((pair.call, pair.span)).or_insert(pair.cost);
    }
    for pair in &pairs {
        let taken = matching.by_call.contains_key(&pair.call);
        if !taken && !matching.by_span.contains_key(&pair.span) {
            matching.set(pair.call, pair.span);
        }
    }
    let mut calls: Vec<usize> = pairs.iter().map(|pair| pair.call).collect();
    calls.sort_unstable();
    calls.dedup();
    for &call in &calls {
        if !matching.by_call.contains_key(&call) {
            matching.make_room(call);
        }
    }
    for _ in 0..ROUNDS {
        let exchanged = calls.iter().filter(|call| matching.exchange(**call)).count();
        if exchanged == 0 {
            break;
        }
    }
    calls
        .into_iter()
        .filter_map(|call| matching.by_call.get(&call).map(|span| (call, *span)))
        .collect()
}

#[derive(Default)]
struct Matching {
    /// The spans that a call may have, cheapest first.
    options: FxHashMap<usize, Vec<usize>>,
    costs: FxHashMap<(usize, usize), u64>,
    by_call: FxHashMap<usize, usize>,
    by_span: FxHashMap<usize, usize>,
}

impl Matching {
    fn set(&mut self, call: usize, span: usize) {
        self.by_call.insert(call, span);
        self.by_span.insert(span, call);
    }

    /// Finds a span for `call` by moving other calls to other spans they may have: the shortest
    /// such chain, breadth first.
    fn make_room(&mut self, call: usize) {
        let mut queue = vec![call];
        let mut reached_from: FxHashMap<usize, usize> = FxHashMap::default();
        let mut seen: FxHashSet<usize> = FxHashSet::default();
        let mut at = 0;
        while at < queue.len() && at < SEARCH {
            let current = queue[at];
            at += 1;
            for &span in &self.options[&current] {
                if !seen.insert(span) {
                    continue;
                }
                reached_from.insert(span, current);
                match self.by_span.get(&span) {
                    Some(&owner) => queue.push(owner),
                    None => return self.shift(call, span, &reached_from),
                }
            }
        }
    }

    /// Moves every call along the chain that ends at the free span.
    fn shift(&mut self, first: usize, free: usize, reached_from: &FxHashMap<usize, usize>) {
        let mut span = free;
        loop {
            let call = reached_from[&span];
            let former = self.by_call.get(&call).copied();
            self.set(call, span);
            match former {
                Some(former) if call != first => span = former,
                _ => return,
            }
        }
    }

    /// Exchanges the span of `call` for a cheaper arrangement, if there is one.
    fn exchange(&mut self, call: usize) -> bool {
        let Some(&own) = self.by_call.get(&call) else { return false };
        for &other in &self.options[&call] {
            if other == own {
                continue;
            }
            let before = self.costs[&(call, own)];
            let after = self.costs[&(call, other)];
            match self.by_span.get(&other).copied() {
                None if after < before => {
                    self.by_span.remove(&own);
                    self.set(call, other);
                    return true;
                }
                None => {}
                Some(rival) => {
                    let Some(&back) = self.costs.get(&(rival, own)) else { continue };
                    let now = before.saturating_add(self.costs[&(rival, other)]);
                    if after.saturating_add(back) < now {
                        self.set(call, other);
                        self.set(rival, own);
                        return true;
                    }
                }
            }
        }
        false
    }
}

//! Assigning spans to calls: as many pairs as there can be, at little total cost.

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
    let calls = pairs.iter().map(|pair| pair.call + 1).max().unwrap_or(0);
    let spans = pairs.iter().map(|pair| pair.span + 1).max().unwrap_or(0);
    let mut matching = Matching {
        options: vec![Vec::new(); calls],
        by_call: vec![None; calls],
        by_span: vec![None; spans],
        reached_from: vec![None; spans],
    };
    for pair in &pairs {
        let options = &mut matching.options[pair.call];
        // A pair that is named twice keeps its lower cost, which comes first.
        if options.iter().all(|(_, span)| *span != pair.span) {
            options.push((pair.cost, pair.span));
        }
        if matching.by_call[pair.call].is_none() && matching.by_span[pair.span].is_none() {
            matching.set(pair.call, pair.span);
        }
    }
    for call in 0..calls {
        if matching.by_call[call].is_none() {
            matching.make_room(call);
        }
    }
    for _ in 0..ROUNDS {
        let exchanged = (0..calls).filter(|call| matching.exchange(*call)).count();
        if exchanged == 0 {
            break;
        }
    }
    let matched = matching.by_call.iter().enumerate();
    matched.filter_map(|(call, span)| span.map(|span| (call, span))).collect()
}

struct Matching {
    /// The spans that each call may have and what they cost, cheapest first.
    options: Vec<Vec<(u64, usize)>>,
    by_call: Vec<Option<usize>>,
    by_span: Vec<Option<usize>>,
    /// For the search at hand: the call that each span seen so far was reached from.
    reached_from: Vec<Option<usize>>,
}

impl Matching {
    fn set(&mut self, call: usize, span: usize) {
        self.by_call[call] = Some(span);
        self.by_span[span] = Some(call);
    }

    /// Finds a span for `call` by moving other calls to other spans they may have: the shortest
    /// such chain, breadth first.
    fn make_room(&mut self, call: usize) {
        let mut queue = vec![call];
        let mut seen = Vec::new();
        let mut free = None;
        let mut at = 0;
        'search: while at < queue.len() && at < SEARCH {
            let current = queue[at];
            at += 1;
            for &(_, span) in &self.options[current] {
                if self.reached_from[span].is_some() {
                    continue;
                }
                self.reached_from[span] = Some(current);
                seen.push(span);
                if let Some(owner) = self.by_span[span] {
                    queue.push(owner);
                } else {
                    free = Some(span);
                    break 'search;
                }
            }
        }
        // Each call along the chain takes the span that its successor gave up.
        while let Some(span) = free {
            let Some(owner) = self.reached_from[span] else { break };
            free = self.by_call[owner];
            self.set(owner, span);
        }
        for span in seen {
            self.reached_from[span] = None;
        }
    }

    fn cost(&self, call: usize, span: usize) -> Option<u64> {
        self.options[call].iter().find(|(_, option)| *option == span).map(|(cost, _)| *cost)
    }

    /// Exchanges the span of `call` for a cheaper arrangement, if there is one.
    fn exchange(&mut self, call: usize) -> bool {
        let Some(own) = self.by_call[call] else { return false };
        let Some(before) = self.cost(call, own) else { return false };
        for at in 0..self.options[call].len() {
            let (after, other) = self.options[call][at];
            if other == own {
                continue;
            }
            let Some(rival) = self.by_span[other] else {
                if after < before {
                    self.by_span[own] = None;
                    self.set(call, other);
                    return true;
                }
                continue;
            };
            let (Some(back), Some(theirs)) = (self.cost(rival, own), self.cost(rival, other))
            else {
                continue;
            };
            if after.saturating_add(back) < before.saturating_add(theirs) {
                self.set(call, other);
                self.set(rival, own);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Pair, assign};

    fn check(pairs: &[(u64, usize, usize)], expected: &[(usize, usize)]) {
        let pair = |&(cost, call, span): &(u64, usize, usize)| Pair { cost, call, span };
        let forward = pairs.iter().map(pair).collect();
        let backward = pairs.iter().rev().map(pair).collect();
        assert_eq!(assign(forward), expected);
        assert_eq!(assign(backward), expected);
    }

    #[test]
    fn the_cheapest_pair_comes_first() {
        check(&[(5, 0, 0), (1, 0, 1), (9, 1, 0)], &[(0, 1), (1, 0)]);
        check(&[], &[]);
    }

    #[test]
    fn room_is_made_for_a_call_with_one_option() {
        check(&[(1, 0, 0), (5, 0, 1), (2, 1, 0)], &[(0, 1), (1, 0)]);
        let chain = [(1, 0, 0), (1, 1, 1), (5, 0, 1), (5, 1, 2), (9, 2, 0)];
        check(&chain, &[(0, 1), (1, 2), (2, 0)]);
    }

    #[test]
    fn partners_are_exchanged_where_both_together_get_cheaper() {
        check(&[(1, 0, 0), (100, 1, 1), (2, 0, 1), (3, 1, 0)], &[(0, 1), (1, 0)]);
    }

    #[test]
    fn a_call_without_a_span_stays_without() {
        check(&[(1, 0, 0), (2, 1, 0)], &[(0, 0)]);
    }
}

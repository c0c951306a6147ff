//! Which call of one run is which of another.
//!
//! Threads make calls in any order, so that the place of a call says little. Calls with the same
//! request are paired in their order; of what is left, those of one operation and model that differ
//! least; then those of one operation; and what is left then has no partner.

use std::collections::BTreeMap;

use super::requests::{Call, distance};

/// Up to so many calls that could be one another's partner, each is compared with each.
const COMPARED: usize = 128;

/// The calls of two runs, by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairing {
    /// A call of the one run and the same of the other, by the first.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Calls of the one run without a partner.
    pub(super) left: Vec<usize>,
    /// Calls of the other run without a partner.
    pub(super) right: Vec<usize>,
}

impl Pairing {
    /// The partner of a call of the one run.
    pub(super) fn partner(&self, at: usize) -> Option<usize> {
        let found = self.pairs.binary_search_by_key(&at, |(one, _)| *one);
        found.ok().map(|place| self.pairs[place].1)
    }
}

pub(super) fn pair(one: &[Call], other: &[Call]) -> Pairing {
    let mut pairing = Pairing {
        pairs: Vec::new(),
        left: (0..one.len()).collect(),
        right: (0..other.len()).collect(),
    };
    by(&mut pairing, one, other, |call| (call.operation, &call.request.target, &call.request.body));
    by(&mut pairing, one, other, |call| (call.operation, &call.request.target));
    by(&mut pairing, one, other, |call| call.operation);
    pairing.pairs.sort_unstable();
    pairing
}

/// Pairs calls of the same key that have no partner yet, those that differ least first.
fn by<'a, K: Ord>(
    pairing: &mut Pairing,
    one: &'a [Call],
    other: &'a [Call],
    key: impl Fn(&'a Call) -> K,
) {
    let mut groups: BTreeMap<K, [Vec<usize>; 2]> = BTreeMap::new();
    for at in pairing.left.drain(..) {
        groups.entry(key(&one[at])).or_default()[0].push(at);
    }
    for at in pairing.right.drain(..) {
        groups.entry(key(&other[at])).or_default()[1].push(at);
    }
    for [mut left, mut right] in groups.into_values() {
        while let Some(&first) = left.first() {
            let candidates = right.iter().take(COMPARED).enumerate();
            let nearest = candidates.min_by_key(|(_, at)| distance(&one[first], &other[**at]));
            let Some((place, _)) = nearest else { break };
            left.remove(0);
            pairing.pairs.push((first, right.remove(place)));
        }
        pairing.left.append(&mut left);
        pairing.right.append(&mut right);
    }
    pairing.left.sort_unstable();
    pairing.right.sort_unstable();
}

//! The spans that a call may belong to by time, nearest first, without looking at all of them.

use std::cell::RefCell;

use spanproof_schemas::time::UnixNanos;

use super::time::TOLERANCE;
use crate::model::SpanFacts;

/// How many spans that started before a call, and after it, are looked at. A call's own span
/// starts right before it, so even among many that are open at once it is one of the nearest.
const BEFORE: usize = 256;
const AFTER: usize = 64;

/// Spans by start.
pub(super) struct Nearby {
    by_start: Vec<Entry>,
    /// For each place, the latest end of the spans up to it.
    latest_end: Vec<UnixNanos>,
    /// For each place, the last one no later that is not taken; a chain to follow.
    free_before: RefCell<Vec<usize>>,
}

struct Entry {
    start: UnixNanos,
    span: usize,
}

impl Nearby {
    pub(super) fn new(all: &[SpanFacts], mut spans: Vec<usize>) -> Nearby {
        spans.sort_by_key(|span| (all[*span].start, *span));
        let mut latest = 0;
        let latest_end = spans.iter().map(|span| {
            latest = latest.max(all[*span].end);
            latest
        });
        Nearby {
            latest_end: latest_end.collect(),
            // Place 0 stands for "none", so places are counted from 1.
            free_before: RefCell::new((0..=spans.len()).collect()),
            by_start: spans
                .into_iter()
                .map(|span| Entry { start: all[span].start, span })
                .collect(),
        }
    }

    /// Spans that may be open between `arrived` and `finished` and were not taken: those
    /// that started before, the latest first, then those that started after.
    pub(super) fn around(
        &self,
        arrived: UnixNanos,
        finished: UnixNanos,
    ) -> impl Iterator<Item = usize> + '_ {
        let here = self.by_start.partition_point(|entry| entry.start <= arrived);
        let until = finished.saturating_add(TOLERANCE);
        let before = std::iter::successors(Some(self.last_free(here)), |place| {
            (*place > 0).then(|| self.last_free(place - 1))
        });
        let before = before
            .take_while(move |place| {
                *place > 0 && self.latest_end[place - 1].saturating_add(TOLERANCE) >= arrived
            })
            .take(BEFORE)
            .map(|place| self.by_start[place - 1].span);
        let after = (here + 1..=self.by_start.len())
            .take_while(move |place| self.by_start[place - 1].start <= until)
            .take(AFTER)
            .filter(|place| self.is_free(*place))
            .map(|place| self.by_start[place - 1].span);
        before.chain(after)
    }

    /// Takes a span out.
    pub(super) fn take(&self, start: UnixNanos, span: usize) {
        let found = self.by_start.binary_search_by_key(&(start, span), |e| (e.start, e.span));
        if let Ok(at) = found {
            self.free_before.borrow_mut()[at + 1] = at;
        }
    }

    fn is_free(&self, place: usize) -> bool {
        self.free_before.borrow()[place] == place
    }

    /// The last place no later than `place` that is free; 0 for none.
    fn last_free(&self, place: usize) -> usize {
        let mut chain = self.free_before.borrow_mut();
        let mut at = place;
        while chain[at] != at {
            // The next search takes half as many steps.
            chain[at] = chain[chain[at]];
            at = chain[at];
        }
        at
    }
}

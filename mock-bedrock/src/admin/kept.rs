//! The records that the admin endpoint can show: the newest ones, in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spanproof_schemas::ledger::{Exchange, Run};
use tokio::sync::watch;

/// The most bytes kept, by estimate: prompts and completions are in the records if they are asked
/// for, and need not be small.
const LIMIT_BYTES: usize = 256 << 20;
/// What a record takes beside prompt and completion, by and large.
const RECORD_BYTES: usize = 1_500;

/// The newest records of a run. Positions count exchanges from 0 in the order of their ends.
#[derive(Debug)]
pub(crate) struct Kept {
    capacity: usize,
    records: Mutex<Records>,
    /// The position after the newest record.
    end: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Records {
    run: Option<Run>,
    /// By position.
    exchanges: VecDeque<(u64, Arc<Exchange>)>,
    /// The position of the next record.
    end: u64,
    /// Up to here records had to make room for newer ones.
    evicted: u64,
    bytes: usize,
}

/// Some of the records.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) exchanges: Vec<Arc<Exchange>>,
    /// Where to go on.
    pub(crate) next: u64,
    /// How many records, whatever they were, had made room for newer ones before they were asked
    /// for.
    pub(crate) missed: u64,
}

impl Kept {
    /// Room for `capacity` records.
    pub(crate) fn new(capacity: usize) -> Self {
        Kept { capacity, records: Mutex::default(), end: watch::Sender::new(0) }
    }

    pub(crate) fn begin(&self, run: Run) {
        self.lock().run = Some(run);
    }

    /// The first record of the ledger.
    pub(crate) fn run(&self) -> Option<Run> {
        self.lock().run.clone()
    }

    pub(crate) fn push(&self, exchange: Exchange) {
        let mut records = self.lock();
        let position = records.end;
        records.end += 1;
        records.bytes += bytes(&exchange);
        records.exchanges.push_back((position, Arc::new(exchange)));
        while records.exchanges.len() > self.capacity || records.bytes > LIMIT_BYTES {
            let Some((position, oldest)) = records.exchanges.pop_front() else { break };
            records.bytes -= bytes(&oldest);
            records.evicted = position + 1;
        }
        drop(records);
        if self.end.receiver_count() == 0 {
            // Telling nobody costs as much as telling somebody.
            return;
        }
        // Another record, pushed after this one, may have said so already.
        self.end.send_if_modified(|end| {
            let is_news = *end <= position;
            *end = (*end).max(position + 1);
            is_news
        });
    }

    /// At most `limit` records from position `after` on that `matches`.
    pub(crate) fn page(
        &self,
        after: u64,
        limit: usize,
        matches: impl Fn(&Exchange) -> bool,
    ) -> Page {
        let records = self.lock();
        let begin = records.exchanges.partition_point(|(position, _)| *position < after);
        let missed = records.evicted.saturating_sub(after);
        let mut page = Page { missed, ..Page::default() };
        for (position, exchange) in records.exchanges.range(begin..) {
            if page.exchanges.len() == limit {
                page.next = *position;
                return page;
            }
            if matches(exchange) {
                page.exchanges.push(Arc::clone(exchange));
            }
        }
        page.next = records.end;
        page
    }

    /// From which position on the newest `count` records are that `matches`, none before `after`.
    pub(crate) fn newest(
        &self,
        after: u64,
        count: usize,
        matches: impl Fn(&Exchange) -> bool,
    ) -> u64 {
        let records = self.lock();
        let mut wanted =
            records.exchanges.iter().rev().filter(|(_, exchange)| matches(exchange)).take(count);
        // With fewer than that there is no reason to leave anything out, nor what is missing.
        wanted.nth(count.saturating_sub(1)).map_or(after, |(position, _)| after.max(*position))
    }

    /// Forgets the records that are `forgotten`.
    pub(crate) fn forget(&self, forgotten: impl Fn(&Exchange) -> bool) {
        let mut records = self.lock();
        records.exchanges.retain(|(_, exchange)| !forgotten(exchange));
        records.bytes = records.exchanges.iter().map(|(_, exchange)| bytes(exchange)).sum();
    }

    /// Tells when there are new records.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.end.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes(exchange: &Exchange) -> usize {
    let content = exchange.content.as_ref().map_or(0, |it| it.prompt.len() + it.completion.len());
    RECORD_BYTES + content
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exchange(sequence: u64) -> Exchange {
        Exchange { sequence, ..Exchange::default() }
    }

    fn sequences(page: &Page) -> Vec<u64> {
        page.exchanges.iter().map(|exchange| exchange.sequence).collect()
    }

    proptest! {
        #[test]
        fn pages_hold_every_record_once_but_those_that_made_room(
            count in 0..60_u64, capacity in 1..40_usize, limit in 1..9_usize, part in 1..4_u64,
        ) {
            let kept = Kept::new(capacity);
            (0..count).for_each(|sequence| kept.push(exchange(sequence)));
            let (mut seen, mut after, mut missed) = (Vec::new(), 0, 0);
            loop {
                let page = kept.page(after, limit, |it| it.sequence % part == 0);
                missed += page.missed;
                seen.extend(sequences(&page));
                if page.next == count {
                    break;
                }
                prop_assert!(page.next > after);
                after = page.next;
            }
            let oldest = count.saturating_sub(capacity as u64);
            prop_assert_eq!(missed, oldest);
            let all: Vec<u64> = (oldest..count).filter(|it| it % part == 0).collect();
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn what_is_forgotten_moves_nothing_else() {
        let kept = Kept::new(10);
        (0..6).for_each(|sequence| kept.push(exchange(sequence)));
        let page = kept.page(0, 2, |_| true);
        kept.forget(|exchange| exchange.sequence % 2 == 0);
        let rest = kept.page(page.next, 10, |_| true);
        assert_eq!((sequences(&rest), rest.missed), (vec![3, 5], 0));
        kept.push(exchange(6));
        assert_eq!(sequences(&kept.page(rest.next, 10, |_| true)), [6]);
    }

    #[test]
    fn the_newest_are_counted_from_the_end_among_those_that_match() {
        let kept = Kept::new(4);
        (0..6).for_each(|sequence| kept.push(exchange(sequence)));
        let even = |exchange: &Exchange| exchange.sequence.is_multiple_of(2);
        let newest = |after, count| {
            let page = kept.page(kept.newest(after, count, even), count, even);
            (sequences(&page), page.missed)
        };
        assert_eq!(newest(0, 1), (vec![4], 0));
        assert_eq!(newest(0, 2), (vec![2, 4], 0));
        assert_eq!(newest(3, 2), (vec![4], 0));
        assert_eq!(newest(0, 3), (vec![2, 4], 2), "what made room is told");
    }

    #[test]
    fn large_texts_make_room_sooner() {
        let kept = Kept::new(10);
        for sequence in 0..4 {
            let prompt = "x".repeat(LIMIT_BYTES / 3);
            let content = spanproof_schemas::ledger::Content { prompt, completion: String::new() };
            kept.push(Exchange { content: Some(content), ..exchange(sequence) });
        }
        assert_eq!(sequences(&kept.page(0, 10, |_| true)), [2, 3]);
    }
}

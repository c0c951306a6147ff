//! Joining by time: a call and a span that overlap, of the same model and operation.

use rustc_hash::FxHashMap;
use spanproof_schemas::ledger::Task;
use spanproof_schemas::report::JoinMeans;
use spanproof_schemas::time::UnixNanos;

use super::Joiner;
use super::assign::{Pair, assign};
use crate::symbol::Symbol;

/// Clocks of one machine read through different interfaces may differ by this much.
const TOLERANCE: UnixNanos = 5_000_000;

/// What evidence against a pair weighs, as the square of microseconds: more than ten seconds of
/// difference in time, so that it decides among calls that were open together.
pub(super) const DISAGREES: u64 = 100_000_000_000_000;

/// The candidates kept for one call in one round, nearest first.
const CANDIDATES: usize = 8;

/// Rounds of assigning; what is left over by one has other candidates in the next.
const ROUNDS: usize = 4;

impl Joiner<'_> {
    pub(super) fn by_time(&mut self) {
        let mut models = FxHashMap::default();
        for _ in 0..ROUNDS {
            let assigned = assign(self.overlapping(&mut models));
            if assigned.is_empty() {
                break;
            }
            for (call, span) in assigned {
                self.pair(call, span, JoinMeans::TimeOverlap);
            }
        }
    }

    /// The likeliest pairs among the calls and spans that are left over.
    fn overlapping(&self, models: &mut FxHashMap<(Symbol, Symbol), bool>) -> Vec<Pair> {
        let mut spans: Vec<usize> = self.free_spans().collect();
        let mut calls: Vec<usize> = self.free_calls().collect();
        spans.sort_by_key(|span| (self.spans[*span].start, *span));
        calls.sort_by_key(|call| (self.calls[*call].first().arrived, *call));

        let mut waiting = spans.into_iter().peekable();
        let mut open: Vec<usize> = Vec::new();
        let mut pairs = Vec::new();
        let mut candidates: Vec<Pair> = Vec::new();
        // Calls come by arrival, so a span that ended before one arrived is out for the rest.
        for call in calls {
            let finished = self.calls[call].last().finished.saturating_add(TOLERANCE);
            while let Some(span) = waiting.next_if(|span| self.spans[*span].start <= finished) {
                open.push(span);
            }
            let arrived = self.calls[call].first().arrived;
            open.retain(|span| self.spans[*span].end.saturating_add(TOLERANCE) >= arrived);
            candidates.clear();
            for &span in &open {
                if self.is_same_model(call, span, models)
                    && self.is_same_task(call, span)
                    && let Some(cost) = self.cost(call, span)
                {
                    candidates.push(Pair { cost, call, span });
                }
            }
            candidates.sort_unstable();
            candidates.truncate(CANDIDATES);
            pairs.extend_from_slice(&candidates);
        }
        pairs
    }

    /// Whether call and span were open together.
    pub(super) fn overlaps(&self, call: usize, span: usize) -> bool {
        let (call, span) = (&self.calls[call], &self.spans[span]);
        span.start <= call.last().finished.saturating_add(TOLERANCE)
            && span.end.saturating_add(TOLERANCE) >= call.first().arrived
    }

    /// How badly a span fits a call, as the square of microseconds; nothing if they were never
    /// open together.
    ///
    /// The squares make the sum over all pairs least when starts and ends pair up in order. What
    /// time cannot tell, the answer can: a span that states other tokens than were served is
    /// taken for another call's as long as there is a better one.
    pub(super) fn cost(&self, call: usize, span: usize) -> Option<u64> {
        if !self.overlaps(call, span) {
            return None;
        }
        let (call, span) = (&self.calls[call], &self.spans[span]);
        let square = |a: UnixNanos, b: UnixNanos| {
            let micros = a.abs_diff(b) / 1_000;
            micros.saturating_mul(micros)
        };
        let mut cost = square(span.start, call.first().arrived)
            .saturating_add(square(span.end, call.last().finished));
        let usage = call.usage();
        let output_fits = span.usage.output.is_none_or(|output| output == usage.output_tokens);
        let input_fits = span
            .usage
            .input
            .is_none_or(|input| input == usage.input_tokens || input == usage.all_input_tokens());
        for fits in [output_fits, input_fits] {
            if !fits {
                cost = cost.saturating_add(DISAGREES);
            }
        }
        Some(cost)
    }

    /// Whether the span's model may be the call's: the same, or cut out of it, or not stated.
    fn is_same_model(
        &self,
        call: usize,
        span: usize,
        known: &mut FxHashMap<(Symbol, Symbol), bool>,
    ) -> bool {
        let Some(stated) = self.spans[span].model else { return true };
        let sent = self.calls[call].first().model;
        stated == sent
            || *known.entry((sent, stated)).or_insert_with(|| {
                let (sent, stated) = (self.symbols.text(sent), self.symbols.text(stated));
                sent.contains(stated) || stated.contains(sent)
            })
    }

    fn is_same_task(&self, call: usize, span: usize) -> bool {
        let embeds = self.calls[call].first().task == Task::Embeddings;
        let stated = self.symbols.option(self.spans[span].operation);
        stated.is_none_or(|operation| (operation == "embeddings") == embeds)
    }
}

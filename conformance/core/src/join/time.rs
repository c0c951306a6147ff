//! Joining by time: a call and a span that overlap, of the same model and operation.

use rustc_hash::FxHashMap;
use spanproof_schemas::report::JoinMeans;
use spanproof_schemas::time::UnixNanos;

use super::Joiner;
use super::assign::{Pair, assign};
use super::nearby::Nearby;
use crate::symbol::Symbol;

/// Clocks of one machine read through different interfaces may differ by this much.
pub(super) const TOLERANCE: UnixNanos = 5_000_000;

/// What evidence against a pair weighs, as the square of microseconds: more than ten seconds of
/// difference in time, so that it decides among calls that time cannot tell apart.
pub(super) const DISAGREES: u64 = 100_000_000_000_000;

/// What it weighs that a span started after the request had arrived, which no span does. It
/// outweighs what the tokens of two calls can say together, so that tokens which were swapped
/// between calls are not explained away.
const IMPOSSIBLE: u64 = 16 * DISAGREES;

/// What it weighs that a span ended before the answer did. Spans do that by mistake, so it weighs
/// less, but still more than the tokens of two calls together.
const UNLIKELY: u64 = 5 * DISAGREES;

/// How much earlier that must be: a busy server notes the end of its answer late.
const LATE: UnixNanos = 50_000_000;

/// The candidates kept for one call in one round, nearest first.
pub(super) const CANDIDATES: usize = 8;

/// Rounds of assigning; what is left over by one has other candidates in the next.
const ROUNDS: usize = 4;

/// How many pairs of model names are remembered.
const MODELS: usize = 1 << 12;

/// Whether a span's model may be a call's, for the pairs of names met so far.
type Models = FxHashMap<(Symbol, Symbol), bool>;

/// The spans that are left over.
struct Neighbours {
    all: Nearby,
    /// By the input and output tokens that they state: where so many calls wait at once that a
    /// call's span is none of the nearest, it is still one of the few with its tokens.
    by_tokens: FxHashMap<(u64, u64), Nearby>,
}

impl Neighbours {
    fn new(joiner: &Joiner<'_>) -> Neighbours {
        let mut by_tokens: FxHashMap<(u64, u64), Vec<usize>> = FxHashMap::default();
        for span in joiner.free_spans() {
            let usage = joiner.spans[span].usage;
            if let (Some(input), Some(output)) = (usage.input, usage.output) {
                by_tokens.entry((input, output)).or_default().push(span);
            }
        }
        let nearby = |spans| Nearby::new(joiner.spans, spans);
        Neighbours {
            all: nearby(joiner.free_spans().collect()),
            by_tokens: by_tokens.into_iter().map(|(key, spans)| (key, nearby(spans))).collect(),
        }
    }
}

impl Joiner<'_> {
    pub(super) fn by_time(&mut self) {
        let mut models = Models::default();
        let mut calls: Vec<usize> = self.free_calls().collect();
        calls.sort_by_key(|call| (self.calls[*call].first().arrived, *call));
        for _ in 0..ROUNDS {
            let nearby = Neighbours::new(self);
            let mut pairs = Vec::new();
            for call in &calls {
                let mut candidates = self.candidates(*call, &nearby, &mut models);
                candidates.sort_unstable();
                candidates.truncate(CANDIDATES);
                pairs.extend(candidates);
            }
            let assigned = assign(pairs);
            let are_alike = assigned.len() < calls.len() / 16;
            for (call, span) in assigned {
                self.pair(call, span, JoinMeans::TimeOverlap);
            }
            calls.retain(|call| self.by_call[*call].is_none());
            if are_alike {
                break;
            }
        }
        // So many are alike that their candidates were: now each takes what is left.
        let nearby = Neighbours::new(self);
        for call in calls {
            let candidates = self.candidates(call, &nearby, &mut models);
            if let Some(best) = candidates.into_iter().min() {
                nearby.all.take(self.spans[best.span].start, best.span);
                self.pair(call, best.span, JoinMeans::TimeOverlap);
            }
        }
    }

    fn candidates(&self, call: usize, nearby: &Neighbours, models: &mut Models) -> Vec<Pair> {
        let (arrived, finished) = self.times(call);
        let pair = |span: usize| {
            let fits = self.by_span[span].is_none()
                && self.is_same_task(call, span)
                && self.is_same_model(call, span, models);
            fits.then(|| self.cost(call, span).map(|cost| Pair { cost, call, span })).flatten()
        };
        let usage = self.calls[call].usage();
        let tokens = [usage.input_tokens, usage.all_input_tokens()]
            .map(|input| nearby.by_tokens.get(&(input, usage.output_tokens)));
        // Without cached tokens both are the same list.
        let [own, all] = tokens;
        let all = all.filter(|_| usage.input_tokens != usage.all_input_tokens());
        let alike = own.into_iter().chain(all).flat_map(|list| list.around(arrived, finished));
        let mut spans: Vec<usize> = nearby.all.around(arrived, finished).chain(alike).collect();
        spans.sort_unstable();
        spans.dedup();
        spans.into_iter().filter_map(pair).collect()
    }

    /// When the first attempt of a call arrived and the last one ended.
    pub(super) fn times(&self, call: usize) -> (UnixNanos, UnixNanos) {
        (self.calls[call].first().arrived, self.calls[call].last().finished)
    }

    /// Whether call and span were open together.
    pub(super) fn overlaps(&self, call: usize, span: usize) -> bool {
        let (arrived, finished) = self.times(call);
        let span = &self.spans[span];
        span.start <= finished.saturating_add(TOLERANCE)
            && span.end.saturating_add(TOLERANCE) >= arrived
    }

    /// How badly a span fits a call, as the square of microseconds; nothing if they were never
    /// open together.
    ///
    /// A call's span holds the call: one that started after the request arrived, or ended well
    /// before the answer did, is another's. Of
    /// spans that time leaves, one that states other tokens than were served is taken for
    /// another call's as long as there is a better one. The squares make the sum over all pairs
    /// least when starts and ends pair up in order.
    pub(super) fn cost(&self, call: usize, span: usize) -> Option<u64> {
        if !self.overlaps(call, span) {
            return None;
        }
        let (arrived, finished) = self.times(call);
        let (call, span) = (&self.calls[call], &self.spans[span]);
        let square = |a: UnixNanos, b: UnixNanos| {
            let micros = a.abs_diff(b) / 1_000;
            micros.saturating_mul(micros)
        };
        let usage = call.usage();
        let output_fits = span.usage.output.is_none_or(|output| output == usage.output_tokens);
        let input_fits = span
            .usage
            .input
            .is_none_or(|input| input == usage.input_tokens || input == usage.all_input_tokens());
        let evidence = [
            (span.start > arrived.saturating_add(TOLERANCE), IMPOSSIBLE),
            (span.end.saturating_add(LATE) < finished, UNLIKELY),
            (!output_fits, DISAGREES),
            (!input_fits, DISAGREES),
        ];
        let times = square(span.start, arrived).saturating_add(square(span.end, finished));
        let against = evidence.into_iter().filter(|(holds, _)| *holds);
        Some(against.fold(times, |cost, (_, weight)| cost.saturating_add(weight)))
    }

    /// Whether the span's model may be the call's: the same, or cut out of it, or not stated.
    fn is_same_model(&self, call: usize, span: usize, known: &mut Models) -> bool {
        let Some(stated) = self.spans[span].model else { return true };
        let sent = self.calls[call].first().model;
        if stated == sent {
            return true;
        }
        if let Some(same) = known.get(&(sent, stated)) {
            return *same;
        }
        let (sent_text, stated_text) = (self.symbols.text(sent), self.symbols.text(stated));
        let same = sent_text.contains(stated_text) || stated_text.contains(sent_text);
        if known.len() < MODELS {
            known.insert((sent, stated), same);
        }
        same
    }
}

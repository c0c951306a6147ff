//! The spans that came in last, by which each is looked at.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use crate::model::{Node, SpanFacts, SpanId};
use crate::symbol::Symbols;

/// GenAI spans in order of arrival, each once, and the other spans.
#[derive(Debug, Default)]
pub(crate) struct Window {
    pub(crate) spans: Vec<SpanFacts>,
    pub(crate) by_id: FxHashMap<SpanId, u32>,
    pub(crate) nodes: Vec<Node>,
}

impl Window {
    /// How many GenAI spans a span is looked at beside, at least.
    pub(crate) const LEAST: usize = 1 << 16;

    /// From so many on there may well be as many as it holds.
    const MANY: usize = 1 << 12;

    /// Adds a span. Of several exports of one span the same is kept in whatever order they come.
    pub(crate) fn add(&mut self, span: SpanFacts, symbols: &Symbols) {
        let next = u32::try_from(self.spans.len()).unwrap_or(u32::MAX);
        let at = *self.by_id.entry(span.id).or_insert(next);
        match self.spans.get_mut(at as usize) {
            None => {
                self.make_room();
                self.spans.push(span);
            }
            Some(known) if compare(&span, known, symbols) == Ordering::Less => *known = span,
            Some(_) => {}
        }
    }

    /// Makes room for all that a window holds once there are many spans. To grow by doubling would
    /// touch twice the memory, and a long capture spends more time on pages than on some rules.
    fn make_room(&mut self) {
        let length = self.spans.len();
        if length == self.spans.capacity() && (Window::MANY..2 * Window::LEAST).contains(&length) {
            self.spans.reserve_exact(2 * Window::LEAST - length);
            self.by_id.reserve(2 * Window::LEAST - length);
        }
    }

    /// Whether the older half is due to be settled: each of its spans has been looked at beside as
    /// many that came later.
    pub(crate) fn is_full(&self) -> bool {
        self.spans.len() >= 2 * Window::LEAST
    }

    /// Forgets the oldest spans.
    pub(crate) fn forget(&mut self, oldest: usize) {
        self.spans.drain(..oldest);
        self.find_again();
    }

    /// Sorts the spans by what they are, not by when they came.
    pub(crate) fn sort(&mut self, symbols: &Symbols) {
        self.spans.sort_unstable_by(|a, b| compare(a, b, symbols));
        self.find_again();
    }

    fn find_again(&mut self) {
        self.by_id.clear();
        self.by_id.extend((0..).zip(&self.spans).map(|(at, span)| (span.id, at)));
    }
}

/// What spans are sorted by; the texts stand for the symbols, whose order is that of ingestion.
pub(crate) fn compare(a: &SpanFacts, b: &SpanFacts, symbols: &Symbols) -> Ordering {
    fn order<'a>(span: &'a SpanFacts, symbols: &'a Symbols) -> impl Ord + 'a {
        let text = |symbol| symbols.text(symbol);
        let usage = span.usage;
        (
            (span.id, span.start, span.end, text(span.name), text(span.scope)),
            (usage.input, usage.output, usage.cache_read, usage.cache_write),
            (&span.response_id, &span.request_id, &span.invocation_id),
        )
    }
    order(a, symbols).cmp(&order(b, symbols))
}

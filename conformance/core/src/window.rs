//! The spans that came in last, by which each is looked at.
//!
//! Without a ledger, a span is settled when as many came after it as the window holds. With one,
//! spans and exchanges come in *generations*, half a window of spans each, since the exchanges take
//! the room of the other half: a new one begins whenever what is decided has been settled. What is of an earlier generation has been passed by a whole one, so whatever belongs to
//! it is there too. Of what is settled a ghost stays for one more generation, for those that are
//! looked at then and that came together with it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use spanproof_schemas::time::UnixNanos;

use crate::interval::Intervals;
use crate::model::{Node, Role, SpanFacts, SpanId, TraceId};
use crate::symbol::{Symbol, Symbols};
use crate::view::{Standing, Undertaking};

/// GenAI spans in order of arrival, each once, and the other spans.
#[derive(Debug)]
pub(crate) struct Window {
    /// How many GenAI spans a span is looked at beside, at least.
    pub(crate) least: usize,
    pub(crate) spans: Vec<SpanFacts>,
    pub(crate) by_id: FxHashMap<SpanId, u32>,
    pub(crate) nodes: Vec<Node>,
    /// The generation of what comes in.
    pub(crate) generation: u32,
    /// What is left of settled spans.
    pub(crate) ghosts: FxHashMap<SpanId, Ghost>,
    /// What settled spans add to agents and tools that are not settled.
    pub(crate) credits: FxHashMap<SpanId, Undertaking>,
    /// The latest end of a settled span that has an ancestor which had not come.
    unresolved_until: Option<UnixNanos>,
    /// When half the spans that were settled a generation ago had ended.
    settled_until: UnixNanos,
    /// How much was undecided when a whole generation had passed it.
    left: usize,
    fresh_spans: usize,
    fresh_nodes: usize,
}

/// When a span or an exchange came in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Came {
    /// The generation.
    pub(crate) generation: u32,
    /// Whether others of its time had been settled by then, so that its own may be among them.
    pub(crate) is_late: bool,
}

/// What is kept of a settled span for one generation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ghost {
    pub(crate) id: SpanId,
    pub(crate) parent: [u8; 8],
    pub(crate) start: UnixNanos,
    pub(crate) end: UnixNanos,
    pub(crate) scope: Symbol,
    pub(crate) name: Symbol,
    pub(crate) role: Role,
    pub(crate) standing: Standing,
    generation: u32,
}

impl Ghost {
    pub(crate) fn of(span: &SpanFacts, standing: Standing) -> Ghost {
        let SpanFacts { id, parent, start, end, scope, name, role, came, .. } = *span;
        let generation = came.generation;
        Ghost { id, parent, start, end, scope, name, role, standing, generation }
    }
}

/// How many other spans count as one GenAI span where memory is at stake.
const NODES: usize = 4;

/// What is undecided is looked at again each time anew, so the more it is, the rarer: when a part
/// of it, one in so many, has come in anew.
const RARELY: usize = 4;

impl Window {
    /// A window of at least so many spans.
    pub(crate) fn new(least: usize) -> Window {
        Window {
            least: least.max(1),
            spans: Vec::new(),
            by_id: FxHashMap::default(),
            nodes: Vec::new(),
            generation: 1,
            ghosts: FxHashMap::default(),
            credits: FxHashMap::default(),
            unresolved_until: None,
            settled_until: 0,
            left: 0,
            fresh_spans: 0,
            fresh_nodes: 0,
        }
    }

    /// From so many on there may well be as many as it holds.
    const MANY: usize = 1 << 12;

    /// Adds a span. Of several exports of one span the same is kept in whatever order they come.
    pub(crate) fn add(&mut self, mut span: SpanFacts, symbols: &Symbols) {
        if self.ghosts.contains_key(&span.id) {
            return;
        }
        let is_late = span.end < self.settled_until;
        span.came = Came { generation: self.generation, is_late };
        span.lacks_inner = self.unresolved_until.is_some_and(|until| span.start <= until);
        let next = u32::try_from(self.spans.len()).unwrap_or(u32::MAX);
        let at = *self.by_id.entry(span.id).or_insert(next);
        match self.spans.get_mut(at as usize) {
            None => {
                self.make_room();
                self.spans.push(span);
                self.fresh_spans += 1;
            }
            Some(known) if compare(&span, known, symbols) == Ordering::Less => *known = span,
            Some(_) => {}
        }
    }

    /// Makes room for all that a window holds once there are many spans. To grow by doubling would
    /// touch twice the memory, and a long capture spends more time on pages than on some rules.
    fn make_room(&mut self) {
        let (length, most) = (self.spans.len(), 2 * self.least);
        if length == self.spans.capacity() && (Window::MANY..most).contains(&length) {
            self.spans.reserve_exact(most - length);
            self.by_id.reserve(most - length);
        }
    }

    /// Adds other spans, leaving none behind.
    pub(crate) fn add_nodes(&mut self, nodes: &mut Vec<Node>) {
        self.fresh_nodes += nodes.len();
        let generation = self.generation;
        self.nodes.extend(nodes.drain(..).map(|node| Node { generation, ..node }));
    }

    /// Notes what settled spans leave to those that are not settled.
    pub(crate) fn credit(
        &mut self,
        credits: BTreeMap<SpanId, Undertaking>,
        unresolved_until: Option<UnixNanos>,
    ) {
        for (span, more) in credits {
            self.credits.entry(span).or_default().add(more);
        }
        self.unresolved_until = self.unresolved_until.max(unresolved_until);
    }

    /// How many spans are kept, or something of them.
    pub(crate) fn held(&self) -> usize {
        self.spans.len() + self.nodes.len() + self.ghosts.len() + self.credits.len()
    }

    /// Whether the older half is due to be settled: each of its spans has been looked at beside as
    /// many that came later.
    pub(crate) fn is_full(&self) -> bool {
        self.spans.len() >= 2 * self.least
    }

    /// Whether a generation has come in whole.
    pub(crate) fn is_generation_full(&self) -> bool {
        let whole = self.least.div_ceil(2).max(self.left / RARELY);
        self.fresh_spans.max(self.fresh_nodes / NODES) >= whole
    }

    /// Forgets the oldest spans.
    pub(crate) fn forget(&mut self, oldest: usize) {
        self.spans.drain(..oldest);
        self.find_again();
    }

    /// Forgets settled spans, the others by which nothing is looked at any more, which it gives, and
    /// begins a generation. `left` exchanges of an earlier generation are undecided, in the traces
    /// that are `open`.
    pub(crate) fn forget_settled(
        &mut self,
        is_settled: &[bool],
        standing: &[Standing],
        mut open: FxHashSet<TraceId>,
        left: usize,
    ) -> Vec<Node> {
        let generation = self.generation;
        let mut ends = Vec::new();
        for (at, span) in self.spans.iter().enumerate().filter(|(at, _)| is_settled[*at]) {
            ends.push(span.end);
            self.credits.remove(&span.id);
            let ghost = Ghost { generation, ..Ghost::of(span, standing[at]) };
            self.ghosts.insert(span.id, ghost);
        }
        if !ends.is_empty() {
            let middle = ends.len() / 2;
            self.settled_until = self.settled_until.max(*ends.select_nth_unstable(middle).1);
        }
        let mut settled = is_settled.iter();
        self.spans.retain(|_| !settled.next().copied().unwrap_or_default());
        self.find_again();
        let undecided = self.spans.iter().filter(|span| span.came.generation < generation);
        open.extend(undecided.clone().map(|span| span.id.trace));
        self.left = left + undecided.clone().count();
        let agents = undecided.filter(|span| span.role == Role::Orchestration);
        let agents: Intervals = agents.map(|span| (span.start, span.end)).collect();
        self.ghosts.retain(|id, ghost| {
            ghost.generation == generation
                || open.contains(&id.trace)
                || agents.may_overlap(ghost.start, ghost.start)
        });
        let is_seen =
            |node: &mut Node| node.generation + 1 < generation && !open.contains(&node.id.trace);
        let forgotten = self.nodes.extract_if(.., is_seen).collect();
        self.generation += 1;
        self.fresh_spans = 0;
        self.fresh_nodes = 0;
        forgotten
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

//! The traces around the examples of findings.
//!
//! The judge drops a span once it is judged. Reports draw the spans that findings point at in their
//! trace, so the telemetry is read a second time, and what these few traces hold is kept.

mod attributes;
mod select;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};
use spanproof_schemas::report::{FindingGroup, TraceExcerpt};

use crate::model::{SpanId, TraceId, hex};
use crate::otlp::{ExportTraceServiceRequest, Span, SpanKind, Status, StatusCode};
use crate::scan::Scanner;

/// How many traces are kept.
const TRACES: usize = 64;

/// How many spans of a trace are kept beside those that findings point at: the first to start.
const SPANS: usize = 512;

/// What is kept of a name, in bytes.
const LONGEST_NAME: usize = 200;

/// Collects the traces around the examples of findings. Spans may come in any order, and more than
/// once.
///
/// ```
/// let judgement = conformance_core::Judge::new(conformance_core::Settings::default()).finish();
/// assert!(judgement.excerpts().is_empty());
/// ```
#[derive(Debug)]
pub struct Excerpts {
    traces: Vec<Trace>,
    places: FxHashMap<TraceId, usize>,
    marked: FxHashSet<SpanId>,
    scanner: Scanner,
}

#[derive(Debug, Default)]
struct Trace {
    id: TraceId,
    /// The spans that were met, while they can be counted exactly.
    met: FxHashSet<[u8; 8]>,
    /// Beyond [`COUNTED`], how many more came.
    further: u64,
    spans: BTreeMap<Key, Kept>,
    unmarked: usize,
}

/// How many spans of a trace are counted without counting repeats.
const COUNTED: usize = 1 << 14;

/// What spans are ordered by: start, then identity.
type Key = (u64, [u8; 8]);

/// What is kept of a span.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    parent: [u8; 8],
    end: u64,
    name: String,
    kind: SpanKind,
    status: StatusCode,
    scope: String,
    is_marked: bool,
    attributes: BTreeMap<String, String>,
}

impl Excerpts {
    /// The first example of each group comes first, so that every group has its trace before any
    /// has two.
    pub(crate) fn new(findings: &[FindingGroup], scanner: Scanner) -> Excerpts {
        let mut excerpts = Excerpts {
            traces: Vec::new(),
            places: FxHashMap::default(),
            marked: FxHashSet::default(),
            scanner,
        };
        let most = findings.iter().map(|group| group.examples.len()).max().unwrap_or(0);
        for turn in 0..most {
            for example in findings.iter().filter_map(|group| group.examples.get(turn)) {
                let subject = &example.subject;
                if let (Some(trace), Some(span)) = (&subject.trace_id, &subject.span_id)
                    && let Some(id) = SpanId::from_hex(trace, span)
                {
                    excerpts.want(id);
                }
            }
        }
        excerpts
    }

    fn want(&mut self, id: SpanId) {
        if !self.places.contains_key(&id.trace) {
            if self.traces.len() == TRACES {
                return;
            }
            self.places.insert(id.trace, self.traces.len());
            self.traces.push(Trace { id: id.trace, ..Trace::default() });
        }
        self.marked.insert(id);
    }

    /// Whether no trace is wanted, so that telemetry need not be read again.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.traces.is_empty()
    }

    /// Takes in spans.
    pub fn traces(&mut self, request: &ExportTraceServiceRequest) {
        for scope_spans in request.resource_spans.iter().flat_map(|spans| &spans.scope_spans) {
            let scope = scope_spans.scope.as_ref().map_or("", |scope| &scope.name);
            for span in &scope_spans.spans {
                self.span(span, scope);
            }
        }
    }

    fn span(&mut self, span: &Span, scope: &str) {
        let id = SpanId::new(&span.trace_id, &span.span_id);
        let Some(place) = self.places.get(&id.trace) else { return };
        let is_marked = self.marked.contains(&id);
        let kept = kept(span, scope, is_marked, &self.scanner);
        self.traces[*place].add((span.start_time_unix_nano, id.span), kept);
    }

    /// The excerpts, in the order in which findings ask for them; traces of which nothing was met
    /// are left out.
    #[must_use]
    pub fn finish(self) -> Vec<TraceExcerpt> {
        let met = self.traces.into_iter().filter(|trace| !trace.spans.is_empty());
        met.map(|trace| TraceExcerpt {
            trace_id: hex(&trace.id),
            captured_spans: trace.met.len() as u64 + trace.further,
            spans: select::select(&trace.spans),
        })
        .collect()
    }
}

impl Trace {
    fn add(&mut self, key: Key, kept: Kept) {
        let (_, id) = key;
        if self.met.len() < COUNTED {
            self.met.insert(id);
        } else if !self.met.contains(&id) {
            self.further += 1;
        }
        match self.spans.entry(key) {
            // An export that was retried delivers its spans twice; the least is the same whichever
            // came first.
            Entry::Occupied(mut known) => {
                if kept < *known.get() {
                    known.insert(kept);
                }
            }
            Entry::Vacant(place) => {
                self.unmarked += usize::from(!kept.is_marked);
                place.insert(kept);
                if self.unmarked > SPANS {
                    self.drop_last();
                }
            }
        }
    }

    /// Drops the last to start of those that no finding points at.
    fn drop_last(&mut self) {
        let last = self.spans.iter().rev().find(|(_, kept)| !kept.is_marked).map(|(key, _)| *key);
        if let Some(last) = last {
            self.spans.remove(&last);
            self.unmarked -= 1;
        }
    }
}

fn kept(span: &Span, scope: &str, is_marked: bool, scanner: &Scanner) -> Kept {
    let text = |text: &str| {
        let mut text = text.to_owned();
        scanner.mask(&mut text);
        match crate::value::cut(&text, LONGEST_NAME) {
            whole if whole.len() == text.len() => text,
            cut => format!("{cut}…"),
        }
    };
    let attributes =
        if is_marked { attributes::shown(&span.attributes, scanner) } else { BTreeMap::new() };
    Kept {
        parent: SpanId::new(&[], &span.parent_span_id).span,
        end: span.end_time_unix_nano,
        name: text(&span.name),
        kind: SpanKind::try_from(span.kind).unwrap_or(SpanKind::Unspecified),
        status: span.status.as_ref().map_or(StatusCode::Unset, Status::code),
        scope: text(scope),
        is_marked,
        attributes,
    }
}

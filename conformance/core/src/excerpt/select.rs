//! Which spans of a trace an excerpt shows: those that findings point at, what they stand in, and
//! what stands beside and below them.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use spanproof_schemas::report::{ExcerptKind, ExcerptSpan, ExcerptStatus};

use super::{Kept, Key};
use crate::model::hex;
use crate::otlp::{SpanKind, StatusCode};

/// How many spans an excerpt has at most.
const MOST: usize = 40;

/// How many ancestors of a span are shown: the nearest, and the root.
const ANCESTORS: usize = 6;

/// How many children of a span are shown.
const CHILDREN: usize = 6;

/// How many siblings of a span are shown before it, and how many after.
const SIBLINGS: usize = 2;

/// The spans of an excerpt: each parent before its children, siblings by start.
pub(super) fn select(spans: &BTreeMap<Key, Kept>) -> Vec<ExcerptSpan> {
    let tree = Tree::new(spans);
    let chosen = tree.choose();
    tree.draw(&chosen)
}

/// The spans of a trace, by parent.
struct Tree<'a> {
    spans: Vec<(Key, &'a Kept)>,
    /// The first span with each id; ids that repeat are the exporter's fault.
    by_id: FxHashMap<[u8; 8], usize>,
    children: Vec<Vec<usize>>,
    roots: Vec<usize>,
}

impl<'a> Tree<'a> {
    fn new(spans: &'a BTreeMap<Key, Kept>) -> Tree<'a> {
        let spans: Vec<(Key, &Kept)> = spans.iter().map(|(key, kept)| (*key, kept)).collect();
        let mut by_id = FxHashMap::default();
        for (at, ((_, id), _)) in spans.iter().enumerate() {
            by_id.entry(*id).or_insert(at);
        }
        let mut tree =
            Tree { children: vec![Vec::new(); spans.len()], roots: Vec::new(), spans, by_id };
        for at in 0..tree.spans.len() {
            match tree.parent(at) {
                Some(parent) => tree.children[parent].push(at),
                None => tree.roots.push(at),
            }
        }
        tree
    }

    /// The parent, where it was captured; a span is not its own.
    fn parent(&self, at: usize) -> Option<usize> {
        let (_, kept) = self.spans[at];
        self.by_id.get(&kept.parent).copied().filter(|parent| *parent != at)
    }

    /// From the parent upwards. Telemetry may name parents in a circle, so no span comes twice.
    fn ancestors(&self, at: usize) -> Vec<usize> {
        let mut seen = BTreeSet::from([at]);
        let mut ancestors = Vec::new();
        let mut parent = self.parent(at);
        while let Some(next) = parent.filter(|next| seen.insert(*next)) {
            ancestors.push(next);
            parent = self.parent(next);
        }
        ancestors
    }

    fn choose(&self) -> BTreeSet<usize> {
        let marked: Vec<usize> =
            (0..self.spans.len()).filter(|at| self.spans[*at].1.is_marked).collect();
        let mut wanted: Vec<usize> = marked.iter().copied().take(MOST).collect();
        for at in &marked {
            let ancestors = self.ancestors(*at);
            wanted.extend(ancestors.iter().take(ANCESTORS));
            wanted.extend(ancestors.last());
        }
        for at in &marked {
            wanted.extend(self.children[*at].iter().take(CHILDREN));
            let siblings = match self.parent(*at) {
                Some(parent) => &self.children[parent],
                None => &self.roots,
            };
            let own = siblings.iter().position(|sibling| sibling == at).unwrap_or(0);
            let first = own.saturating_sub(SIBLINGS);
            wanted.extend(siblings.iter().skip(first).take(own - first + 1 + SIBLINGS));
        }
        let mut chosen = BTreeSet::new();
        for at in wanted {
            if chosen.len() == MOST {
                break;
            }
            chosen.insert(at);
        }
        chosen
    }

    fn draw(&self, chosen: &BTreeSet<usize>) -> Vec<ExcerptSpan> {
        let mut below: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for at in chosen {
            let above = self.ancestors(*at).into_iter().find(|ancestor| chosen.contains(ancestor));
            below.entry(above).or_default().push(*at);
        }
        let mut drawn = Vec::new();
        let mut seen = BTreeSet::new();
        let roots = below.get(&None).cloned().unwrap_or_default();
        // Spans in a circle hang below each other and below no root; they follow at the end.
        for root in roots.iter().chain(chosen) {
            let mut waiting = vec![(*root, 0)];
            while let Some((at, depth)) = waiting.pop() {
                if !seen.insert(at) {
                    continue;
                }
                drawn.push(self.span(at, depth));
                let children = below.get(&Some(at)).into_iter().flatten().rev();
                waiting.extend(children.map(|child| (*child, depth + 1)));
            }
        }
        drawn
    }

    fn span(&self, at: usize, depth: u32) -> ExcerptSpan {
        let ((start, id), kept) = self.spans[at];
        ExcerptSpan {
            span_id: hex(&id),
            parent_span_id: (kept.parent != [0; 8]).then(|| hex(&kept.parent)),
            depth,
            has_parent: self.parent(at).is_some(),
            name: kept.name.clone(),
            kind: kind(kept.kind),
            start_unix_nanos: start,
            end_unix_nanos: kept.end,
            status: status(kept.status),
            scope: Some(kept.scope.clone()).filter(|scope| !scope.is_empty()),
            attributes: kept.attributes.clone(),
        }
    }
}

fn kind(kind: SpanKind) -> ExcerptKind {
    match kind {
        SpanKind::Unspecified => ExcerptKind::Unspecified,
        SpanKind::Internal => ExcerptKind::Internal,
        SpanKind::Server => ExcerptKind::Server,
        SpanKind::Client => ExcerptKind::Client,
        SpanKind::Producer => ExcerptKind::Producer,
        SpanKind::Consumer => ExcerptKind::Consumer,
    }
}

fn status(status: StatusCode) -> ExcerptStatus {
    match status {
        StatusCode::Unset => ExcerptStatus::Unset,
        StatusCode::Ok => ExcerptStatus::Ok,
        StatusCode::Error => ExcerptStatus::Error,
    }
}

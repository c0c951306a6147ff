//! Spans as trees by trace.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use super::attributes::Values;
use super::logs::BySpan;
use super::origin::{Named, Origin};
use super::text::{Lines, quoted};

/// The ids of a span, as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) trace: Vec<u8>,
    pub(super) span: Vec<u8>,
}

/// The spans so far.
#[derive(Debug, Default)]
pub(super) struct Spans(BTreeMap<Id, Vec<(Origin, Span)>>);

/// A span among the others of its trace.
struct Node {
    own: Lines,
    children: Vec<usize>,
    /// Where its kind of subtree comes among all: the same for spans that are alike with all that
    /// is below them, and for no others.
    rank: usize,
}

impl Spans {
    /// Adds a span. One that an exporter sent again counts once.
    pub(super) fn add(&mut self, origin: Origin, span: Span) {
        let id = Id { trace: span.trace_id.clone(), span: span.span_id.clone() };
        let known = self.0.entry(id).or_default();
        if !known.iter().any(|(of, other)| *of == origin && *other == span) {
            known.push((origin, span));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids of all traces and spans, in hexadecimal.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        let ids = self.0.keys().flat_map(|id| [&id.trace, &id.span]);
        ids.filter(|id| !id.is_empty()).map(|id| hex(id)).collect()
    }

    /// Writes every trace, with the log records of its spans; gives back the other log records.
    pub(super) fn write(
        &self,
        named: &Named,
        values: &Values<'_>,
        mut logs: BySpan,
        lines: &mut Lines,
    ) -> BySpan {
        let mut nodes = Vec::new();
        let mut by_id: BTreeMap<&Id, usize> = BTreeMap::new();
        let mut places: Vec<(&Id, &Span)> = Vec::new();
        for (id, spans) in &self.0 {
            let mut alike: Vec<(Lines, &Span)> = spans
                .iter()
                .map(|(origin, span)| (self.own(span, named.label(*origin), values), span))
                .collect();
            // Whoever names one of several by their common id means the first of them.
            alike.sort_by(|(one, _), (other, _)| one.cmp(other));
            by_id.insert(id, nodes.len());
            for (own, span) in alike {
                places.push((id, span));
                nodes.push(Node { own, children: Vec::new(), rank: 0 });
            }
            if let (Some(records), Some(place)) = (logs.remove(id), by_id.get(id)) {
                let node: &mut Node = &mut nodes[*place];
                node.own.sorted(1, records);
            }
        }
        let mut roots: Vec<(&[u8], usize)> = Vec::new();
        for (place, (id, span)) in places.iter().enumerate() {
            if span.parent_span_id.is_empty() {
                roots.push((&id.trace, place));
                continue;
            }
            let parent = Id { trace: id.trace.clone(), span: span.parent_span_id.clone() };
            match by_id.get(&parent) {
                Some(parent) if *parent != place => nodes[*parent].children.push(place),
                _ => {
                    nodes[place].own.push(1, "(its parent was not captured)");
                    roots.push((&id.trace, place));
                }
            }
        }
        let order = from_the_leaves(&mut nodes, &mut roots, &places);
        rank(&mut nodes, &order);
        write_traces(&nodes, &roots, lines);
        logs
    }

    /// A span by itself.
    fn own(&self, span: &Span, scope: &str, values: &Values<'_>) -> Lines {
        let mut lines = Lines::default();
        lines.push(0, format!("span {} {}", values.text(&span.name), kind(span.kind)));
        lines.push(1, format!("scope {scope}"));
        if let Some(status) = &span.status
            && *status != Status::default()
        {
            lines.push(1, status_line(status, values));
        }
        if !span.trace_state.is_empty() {
            lines.push(1, format!("trace state {}", values.text(&span.trace_state)));
        }
        lines.nest(1, &values.attributes(&span.attributes, span.dropped_attributes_count));
        let mut parts: Vec<Lines> =
            span.events.iter().map(|event| event_lines(event, values)).collect();
        parts.extend(span.links.iter().map(|link| self.link_lines(link, values)));
        lines.sorted(1, parts);
        for (count, what) in
            [(span.dropped_events_count, "events"), (span.dropped_links_count, "links")]
        {
            if count > 0 {
                lines.push(1, format!("({count} {what} were dropped)"));
            }
        }
        lines
    }

    fn link_lines(&self, link: &Link, values: &Values<'_>) -> Lines {
        let id = Id { trace: link.trace_id.clone(), span: link.span_id.clone() };
        let mut lines = Lines::default();
        match self.0.get(&id).and_then(|spans| spans.iter().map(|(_, span)| &span.name).min()) {
            Some(name) => {
                lines.push(0, format!("link to span {}", values.text(name)));
            }
            None => lines.push(0, "link to a span that was not captured"),
        }
        if !link.trace_state.is_empty() {
            lines.push(1, format!("trace state {}", values.text(&link.trace_state)));
        }
        lines.nest(1, &values.attributes(&link.attributes, link.dropped_attributes_count));
        lines
    }
}

/// Every span after all that is below it. Those that are their own ancestors become roots without
/// children.
fn from_the_leaves<'a>(
    nodes: &mut [Node],
    roots: &mut Vec<(&'a [u8], usize)>,
    places: &[(&'a Id, &Span)],
) -> Vec<usize> {
    let mut order: Vec<usize> = roots.iter().map(|(_, place)| *place).collect();
    let mut is_reached = vec![false; nodes.len()];
    let mut at = 0;
    while let Some(place) = order.get(at).copied() {
        is_reached[place] = true;
        order.extend_from_slice(&nodes[place].children);
        at += 1;
    }
    for (place, _) in is_reached.iter().enumerate().filter(|(_, is_reached)| !**is_reached) {
        nodes[place].children.clear();
        nodes[place].own.push(1, "(it is below itself)");
        roots.push((&places[place].0.trace, place));
        order.push(place);
    }
    order.reverse();
    order
}

/// Ranks subtrees: level by level from the leaves up, by their own text and then by the ranks of
/// their children, so that neither ids nor the order of arrival show.
fn rank(nodes: &mut [Node], from_the_leaves: &[usize]) {
    let mut height = vec![0_usize; nodes.len()];
    let mut levels: Vec<Vec<usize>> = Vec::new();
    for &place in from_the_leaves {
        let children = nodes[place].children.iter();
        height[place] = children.map(|child| height[*child] + 1).max().unwrap_or(0);
        if levels.len() <= height[place] {
            levels.resize_with(height[place] + 1, Vec::new);
        }
        levels[height[place]].push(place);
    }
    let mut next = 0;
    for level in levels {
        let mut kinds: BTreeMap<(Lines, Vec<usize>), Vec<usize>> = BTreeMap::new();
        for place in level {
            let mut children = std::mem::take(&mut nodes[place].children);
            // By their own text first, so that those of one name stand together.
            children.sort_by(|one, other| {
                let [one, other] = [&nodes[*one], &nodes[*other]];
                (&one.own, one.rank).cmp(&(&other.own, other.rank))
            });
            let ranks = children.iter().map(|child| nodes[*child].rank).collect();
            nodes[place].children = children;
            kinds.entry((nodes[place].own.clone(), ranks)).or_default().push(place);
        }
        for places in kinds.into_values() {
            for place in places {
                nodes[place].rank = next;
            }
            next += 1;
        }
    }
}

/// A subtree as it is sorted: by its own text, and then by what is below it.
type Ranked<'a> = (&'a Lines, usize);

/// Writes each kind of trace once, with how many there are of it.
fn write_traces(nodes: &[Node], roots: &[(&[u8], usize)], lines: &mut Lines) {
    let mut traces: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (trace, root) in roots {
        traces.entry(trace).or_default().push(*root);
    }
    // By the text of the roots first: it is what a reader looks for.
    let mut kinds: BTreeMap<Vec<Ranked<'_>>, (usize, Vec<usize>)> = BTreeMap::new();
    for (_, mut roots) in traces {
        roots.sort_by_key(|root| (&nodes[*root].own, nodes[*root].rank));
        let kind = roots.iter().map(|root| (&nodes[*root].own, nodes[*root].rank)).collect();
        kinds.entry(kind).or_insert((0, roots)).0 += 1;
    }
    for (count, roots) in kinds.into_values() {
        let times = if count > 1 { format!(" ×{count}") } else { String::new() };
        lines.push(0, format!("trace{times}"));
        write_spans(nodes, &roots, lines);
    }
}

/// Writes spans with all that is below them; those that are alike and beside each other once.
fn write_spans(nodes: &[Node], roots: &[usize], lines: &mut Lines) {
    let mut waiting: Vec<(usize, usize, usize)> = counted(nodes, roots, 1);
    while let Some((depth, place, count)) = waiting.pop() {
        let node = &nodes[place];
        let mut own = node.own.clone();
        own.times(count);
        lines.nest(depth, &own);
        waiting.extend(counted(nodes, &node.children, depth + 1));
    }
}

/// Siblings with their number, the last first.
fn counted(nodes: &[Node], siblings: &[usize], depth: usize) -> Vec<(usize, usize, usize)> {
    let alike = siblings.chunk_by(|one, other| nodes[*one].rank == nodes[*other].rank);
    let mut counted: Vec<_> = alike.map(|alike| (depth, alike[0], alike.len())).collect();
    counted.reverse();
    counted
}

fn event_lines(event: &Event, values: &Values<'_>) -> Lines {
    let mut lines = Lines::default();
    lines.push(0, format!("event {}", quoted(&event.name)));
    lines.nest(1, &values.attributes(&event.attributes, event.dropped_attributes_count));
    lines
}

fn status_line(status: &Status, values: &Values<'_>) -> String {
    let code = match StatusCode::try_from(status.code) {
        Ok(StatusCode::Unset) => "UNSET".to_owned(),
        Ok(StatusCode::Ok) => "OK".to_owned(),
        Ok(StatusCode::Error) => "ERROR".to_owned(),
        Err(_) => status.code.to_string(),
    };
    match status.message.as_str() {
        "" => format!("status {code}"),
        message => format!("status {code} {}", values.text(message)),
    }
}

fn kind(kind: i32) -> String {
    match SpanKind::try_from(kind) {
        Ok(SpanKind::Unspecified) => "of no kind".to_owned(),
        Ok(SpanKind::Internal) => "INTERNAL".to_owned(),
        Ok(SpanKind::Server) => "SERVER".to_owned(),
        Ok(SpanKind::Client) => "CLIENT".to_owned(),
        Ok(SpanKind::Producer) => "PRODUCER".to_owned(),
        Ok(SpanKind::Consumer) => "CONSUMER".to_owned(),
        Err(_) => format!("of kind {kind}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

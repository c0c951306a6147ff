//! Spans of any number of requests, brought together by trace as Tempo does while a trace is live.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::attribute::text;
use crate::Dropped;

/// The id of a trace.
pub(crate) type TraceId = [u8; 16];

/// What Tempo does not take beyond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_trace_bytes: Option<u64>,
    pub(crate) max_live_traces: Option<u64>,
}

/// A trace: spans by resource and scope.
#[derive(Default)]
pub(crate) struct Trace {
    pub(crate) resources: Vec<ResourceSpans>,
    bytes: u64,
}

/// A resource, its attributes sorted by key, and what is of it.
pub(crate) struct ResourceSpans {
    pub(crate) resource: Arc<Resource>,
    pub(crate) scopes: Vec<ScopeSpans>,
}

/// A scope and its spans.
pub(crate) struct ScopeSpans {
    pub(crate) scope: Arc<InstrumentationScope>,
    pub(crate) spans: Vec<Span>,
}

/// Traces by id, the order in which a block has them.
pub(crate) struct Gathered {
    pub(crate) traces: BTreeMap<TraceId, Trace>,
    pub(crate) spans: u64,
    pub(crate) dropped: Dropped,
    limits: Limits,
}

impl Gathered {
    pub(crate) fn new(limits: Limits) -> Self {
        Gathered { traces: BTreeMap::new(), spans: 0, dropped: Dropped::default(), limits }
    }

    /// Takes in the spans of `request`. What is beyond a limit is counted and left out: all that the
    /// request says of a trace, as Tempo pushes traces whole.
    pub(crate) fn add(&mut self, request: ExportTraceServiceRequest) {
        for (id, part) in self.by_trace(request) {
            let spans = part.spans();
            let count = self.traces.len() as u64;
            match self.traces.entry(id) {
                Entry::Vacant(entry) => {
                    if self.limits.max_live_traces.is_some_and(|most| count >= most) {
                        self.dropped.live_traces_spans += spans;
                    } else if is_within(part.bytes, self.limits.max_trace_bytes) {
                        self.spans += spans;
                        entry.insert(part);
                    } else {
                        self.dropped.trace_too_large_spans += spans;
                    }
                }
                Entry::Occupied(mut entry) => {
                    let trace = entry.get_mut();
                    if is_within(trace.bytes + part.bytes, self.limits.max_trace_bytes) {
                        self.spans += spans;
                        trace.merge(part);
                    } else {
                        self.dropped.trace_too_large_spans += spans;
                    }
                }
            }
        }
    }

    /// What `request` says of each trace.
    fn by_trace(&mut self, request: ExportTraceServiceRequest) -> BTreeMap<TraceId, Trace> {
        let mut traces: BTreeMap<TraceId, Trace> = BTreeMap::new();
        for batch in request.resource_spans {
            let mut resource = batch.resource.unwrap_or_default();
            resource.attributes.sort_by(|left, right| left.key.cmp(&right.key));
            let resource = Arc::new(resource);
            let resource_bytes = resource.encoded_len() as u64;
            for scoped in batch.scope_spans {
                let scope = Arc::new(scoped.scope.unwrap_or_default());
                for span in scoped.spans {
                    let Ok(id) = TraceId::try_from(span.trace_id.as_slice()) else {
                        self.dropped.invalid_id_spans += 1;
                        continue;
                    };
                    let trace = traces.entry(id).or_default();
                    if trace.resources.is_empty() {
                        trace.bytes += resource_bytes;
                    }
                    trace.bytes += span.encoded_len() as u64;
                    trace.spans_of(&resource, &scope).push(span);
                }
            }
        }
        traces
    }
}

fn is_within(bytes: u64, most: Option<u64>) -> bool {
    most.is_none_or(|most| bytes <= most)
}

impl Trace {
    fn spans(&self) -> u64 {
        self.all_spans().count() as u64
    }

    /// All spans, in their order.
    pub(crate) fn all_spans(&self) -> impl Iterator<Item = &Span> {
        self.scopes().flat_map(|scope| &scope.spans)
    }

    /// What Tempo takes the row to be when it decides whether a row group is full: text counts for a
    /// twentieth, since most of it comes again.
    pub(crate) fn estimated_bytes(&self, max_attribute_bytes: Option<usize>) -> u64 {
        let of = |attributes: &[KeyValue]| {
            attributes
                .iter()
                .map(|attribute| estimated(attribute, max_attribute_bytes))
                .sum::<u64>()
        };
        let resources = self.resources.iter().map(|batch| of(&batch.resource.attributes));
        let spans = self.all_spans().map(|span| {
            let events = span.events.iter().map(|event| EVENT_BYTES + of(&event.attributes));
            let links = span.links.iter().map(|link| EVENT_BYTES + of(&link.attributes));
            SPAN_BYTES + of(&span.attributes) + events.chain(links).sum::<u64>()
        });
        resources.chain(spans).sum()
    }

    fn scopes(&self) -> impl Iterator<Item = &ScopeSpans> {
        self.resources.iter().flat_map(|resource| &resource.scopes)
    }

    fn merge(&mut self, other: Trace) {
        self.bytes += other.bytes;
        for batch in other.resources {
            for mut scoped in batch.scopes {
                self.spans_of(&batch.resource, &scoped.scope).append(&mut scoped.spans);
            }
        }
    }

    /// Where spans of this resource and scope go. What says the same is the same.
    fn spans_of(
        &mut self,
        resource: &Arc<Resource>,
        scope: &Arc<InstrumentationScope>,
    ) -> &mut Vec<Span> {
        let same_resource =
            self.resources.iter().position(|batch| is_same(&batch.resource, resource));
        let at = same_resource.unwrap_or_else(|| {
            let resource = Arc::clone(resource);
            self.resources.push(ResourceSpans { resource, scopes: Vec::new() });
            self.resources.len() - 1
        });
        let scopes = &mut self.resources[at].scopes;
        let same_scope = scopes.iter().position(|scoped| is_same(&scoped.scope, scope));
        let at = same_scope.unwrap_or_else(|| {
            scopes.push(ScopeSpans { scope: Arc::clone(scope), spans: Vec::new() });
            scopes.len() - 1
        });
        &mut scopes[at].spans
    }
}

/// What the columns of a span and of an event are taken for, beside attributes.
const SPAN_BYTES: u64 = 200;
const EVENT_BYTES: u64 = 32;
/// What the seven columns of an attribute are taken for, beside text.
const ATTRIBUTE_BYTES: u64 = 26;
const TEXT_SHARE: u64 = 20;

fn estimated(attribute: &KeyValue, max_attribute_bytes: Option<usize>) -> u64 {
    let value = attribute.value.as_ref().map_or(0, prost::Message::encoded_len);
    let value = match text(attribute) {
        Some(_) => value.min(max_attribute_bytes.unwrap_or(usize::MAX)),
        None => value,
    };
    ATTRIBUTE_BYTES + (attribute.key.len() + value) as u64 / TEXT_SHARE
}

fn is_same<T: PartialEq>(left: &Arc<T>, right: &Arc<T>) -> bool {
    Arc::ptr_eq(left, right) || left == right
}

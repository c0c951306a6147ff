//! Export requests, put together from spans that are encoded already: as many as fit, by
//! instrumentation scope.

use super::spares::Spares;
use crate::protobuf::{bytes, field_length, length_delimited, nested};

/// How large a request may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes, uncompressed. A span that is larger goes alone.
    pub bytes: usize,
    /// The most spans.
    pub spans: u64,
}

impl Default for Limits {
    /// What gRPC servers take unless they are told otherwise, and the batch size of the SDKs.
    fn default() -> Self {
        Limits { bytes: 4 << 20, spans: 512 }
    }
}

/// An `ExportTraceServiceRequest`, encoded.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The protobuf message.
    pub body: Vec<u8>,
    /// How many spans are in it.
    pub spans: u64,
    /// Where the memory of the message goes when it has been sent.
    pub(super) spares: Spares,
}

/// What stands around the spans of an instrumentation scope, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EncodedScope {
    /// What comes before the spans of a `ScopeSpans`: its field `scope`.
    head: Vec<u8>,
    /// What comes after them: its field `schema_url`, where there is one.
    schema_url: Vec<u8>,
}

impl EncodedScope {
    /// The scope of `name`, whose fields that are empty are left out.
    pub(crate) fn new(name: &str, version: &str, schema_url: &str) -> EncodedScope {
        let mut head = Vec::new();
        nested(&mut head, 1, |out| {
            bytes(out, 1, name.as_bytes());
            if !version.is_empty() {
                bytes(out, 2, version.as_bytes());
            }
        });
        let mut url = Vec::new();
        if !schema_url.is_empty() {
            bytes(&mut url, 3, schema_url.as_bytes());
        }
        EncodedScope { head, schema_url: url }
    }
}

/// Spans that wait to be exported, all of one resource.
#[derive(Clone, Debug)]
pub struct Batch {
    limits: Limits,
    /// The field `resource` of a `ResourceSpans`.
    resource: Vec<u8>,
    scopes: Vec<ScopeSpans>,
    spans: u64,
    spares: Spares,
}

/// The spans of a scope.
#[derive(Clone, Debug)]
struct ScopeSpans {
    scope: EncodedScope,
    /// Fields `spans`, one after another.
    spans: Vec<u8>,
}

impl Batch {
    /// An empty batch of spans that come from `resource`, which is a `Resource`, encoded.
    pub(crate) fn new(limits: Limits, resource: &[u8]) -> Batch {
        let mut field = Vec::with_capacity(field_length(resource.len()));
        bytes(&mut field, 1, resource);
        Batch { limits, resource: field, scopes: Vec::new(), spans: 0, spares: Spares::default() }
    }

    /// The position of `scope`, which is added where it is new.
    pub(crate) fn scope(&mut self, scope: EncodedScope) -> usize {
        let known = self.scopes.iter().position(|spans| spans.scope == scope);
        known.unwrap_or_else(|| {
            self.scopes.push(ScopeSpans { scope, spans: Vec::new() });
            self.scopes.len() - 1
        })
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans == 0
    }

    /// Adds a span of the scope at `scope`. What it does not fit in with is given to `full` before,
    /// and a batch with as many spans as it may have is after.
    pub(crate) fn add(&mut self, scope: usize, span: &[u8], full: &mut impl FnMut(Encoded)) {
        if self.length(scope, field_length(span.len())) > self.limits.bytes {
            self.take().into_iter().for_each(&mut *full);
        }
        bytes(&mut self.scopes[scope].spans, 2, span);
        self.spans += 1;
        if self.spans >= self.limits.spans {
            self.take().into_iter().for_each(full);
        }
    }

    /// What is in the batch, which is empty afterwards; `None` where nothing is.
    pub fn take(&mut self) -> Option<Encoded> {
        if self.is_empty() {
            return None;
        }
        let length = self.resource_spans_length(None);
        let mut body = self.spares.take(field_length(length));
        length_delimited(&mut body, 1, length);
        body.extend(&self.resource);
        for ScopeSpans { scope: EncodedScope { head, schema_url }, spans } in &mut self.scopes {
            if !spans.is_empty() {
                length_delimited(&mut body, 2, head.len() + spans.len() + schema_url.len());
                body.extend(&*head);
                body.extend(&*spans);
                body.extend(&*schema_url);
                spans.clear();
            }
        }
        let spans = std::mem::take(&mut self.spans);
        Some(Encoded { body, spans, spares: self.spares.clone() })
    }

    /// How long the request is with `more` bytes of spans in the scope at `scope`.
    fn length(&self, scope: usize, more: usize) -> usize {
        field_length(self.resource_spans_length(Some((scope, more))))
    }

    fn resource_spans_length(&self, with: Option<(usize, usize)>) -> usize {
        let scopes = self.scopes.iter().enumerate().map(|(index, ScopeSpans { scope, spans })| {
            let more = with.filter(|(at, _)| *at == index).map_or(0, |(_, more)| more);
            let spans = spans.len() + more;
            let around = scope.head.len() + scope.schema_url.len();
            if spans == 0 { 0 } else { field_length(around + spans) }
        });
        self.resource.len() + scopes.sum::<usize>()
    }
}

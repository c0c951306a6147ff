//! Export requests: spans by instrumentation scope, as many as fit.

use super::wire::{bytes, field_length, length_delimited};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The protobuf message.
    pub body: Vec<u8>,
    /// How many spans are in it.
    pub spans: u64,
}

/// The scopes that spans of a trace come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The HTTP server.
    HttpServer,
    /// The application itself.
    Application,
    /// What instruments the calls of models.
    GenAi,
    /// What instruments HTTP requests.
    HttpClient,
}

impl Scope {
    pub(super) const ALL: [Scope; 4] =
        [Scope::HttpServer, Scope::Application, Scope::GenAi, Scope::HttpClient];

    /// Its name, which says that nobody was instrumented.
    pub(super) fn name(self) -> &'static str {
        match self {
            Scope::HttpServer => "spanproof.synthetic.http_server",
            Scope::Application => "spanproof.synthetic.application",
            Scope::GenAi => "spanproof.synthetic.gen_ai",
            Scope::HttpClient => "spanproof.synthetic.http_client",
        }
    }
}

/// Resource and scopes of all requests, written once.
#[derive(Debug)]
pub(super) struct Envelope {
    /// The field `resource` of a `ResourceSpans`.
    pub(super) resource: Vec<u8>,
    /// What comes before the spans of a `ScopeSpans`, in the order of [`Scope::ALL`].
    pub(super) scopes: [Vec<u8>; 4],
    /// What comes after them.
    pub(super) schema_urls: [Vec<u8>; 4],
}

/// Spans that wait to be exported.
#[derive(Debug)]
pub struct Batch {
    limits: Limits,
    /// The fields `spans` of each scope.
    scopes: [Vec<u8>; 4],
    spans: u64,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new(limits: Limits) -> Batch {
        Batch { limits, scopes: Default::default(), spans: 0 }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans == 0
    }

    /// Adds a span. Gives what was in the batch before if the span does not fit in with it.
    pub(super) fn add(
        &mut self,
        envelope: &Envelope,
        scope: Scope,
        span: &[u8],
    ) -> Option<Encoded> {
        let is_full = !self.is_empty()
            && (self.spans >= self.limits.spans
                || self.length(envelope, scope, field_length(span.len())) > self.limits.bytes);
        let full = is_full.then(|| self.take(envelope));
        bytes(&mut self.scopes[scope as usize], 2, span);
        self.spans += 1;
        full
    }

    /// What is in the batch, which is empty afterwards.
    pub(super) fn take(&mut self, envelope: &Envelope) -> Encoded {
        let length = self.resource_spans_length(envelope, Scope::GenAi, 0);
        let mut body = Vec::with_capacity(field_length(length));
        length_delimited(&mut body, 1, length);
        body.extend(&envelope.resource);
        for scope in Scope::ALL {
            let spans = &mut self.scopes[scope as usize];
            if !spans.is_empty() {
                let (head, schema_url) =
                    (&envelope.scopes[scope as usize], &envelope.schema_urls[scope as usize]);
                length_delimited(&mut body, 2, head.len() + spans.len() + schema_url.len());
                body.extend(head);
                body.extend(&*spans);
                body.extend(schema_url);
                spans.clear();
            }
        }
        Encoded { body, spans: std::mem::take(&mut self.spans) }
    }

    /// How long the request is with `more` bytes of spans in `scope`.
    fn length(&self, envelope: &Envelope, scope: Scope, more: usize) -> usize {
        field_length(self.resource_spans_length(envelope, scope, more))
    }

    fn resource_spans_length(&self, envelope: &Envelope, with: Scope, more: usize) -> usize {
        let scopes = Scope::ALL.into_iter().map(|scope| {
            let spans = self.scopes[scope as usize].len() + if scope == with { more } else { 0 };
            let around =
                envelope.scopes[scope as usize].len() + envelope.schema_urls[scope as usize].len();
            if spans == 0 { 0 } else { field_length(around + spans) }
        });
        envelope.resource.len() + scopes.sum::<usize>()
    }
}

//! What rules see: the item to check, with what it takes to check it, and nothing to change.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::{JoinMeans, Subject};
use spanproof_schemas::semconv::{Attribute, Event, Metric};
use spanproof_schemas::time::UnixNanos;

use crate::attached::Attached;
use crate::call::Call;
use crate::catalogue::{Conventions, Name, NameId, SpanType};
use crate::content::Kept;
use crate::expectation::Place;
use crate::field::{Field, Fields};
use crate::held::Held;
use crate::metric_sums::MetricSums;
use crate::model::{FinishReasons, Role, SpanFacts, SpanId};
use crate::notable::Notable;
use crate::otlp;
use crate::redaction::Redaction;
use crate::settings::Settings;
use crate::span_sums::SpanSum;
use crate::sweep::Sighting;
use crate::symbol::{Symbol, Symbols};
use crate::window::Window;

mod scope;

pub use scope::{MetricShape, Parity, ScopeFacts, ScopeView, Telling, Tellings};

/// An attribute as it was seen, and what is known of its name.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The name on the wire.
    pub key: &'a str,
    /// The value, if there is one.
    pub value: Option<&'a otlp::Value>,
    /// What the conventions know of the name.
    pub name: Option<&'static Name>,
    /// What the judged version says of it, if it defines the name.
    pub definition: Option<&'static Attribute>,
}

/// A GenAI span.
#[derive(Debug)]
pub struct SpanView<'a> {
    /// The span on the wire.
    pub span: &'a otlp::Span,
    /// What it is.
    pub role: Role,
    /// The version it is judged by.
    pub semconv: &'static Conventions,
    /// What the version says of such a span.
    pub span_type: Option<&'static SpanType>,
    /// Its attributes, in the order of the wire.
    pub attributes: &'a [Seen<'a>],
    /// What there is to note of them.
    pub notable: Notable,
    /// Those that the engine reads by meaning.
    pub fields: Fields<'a>,
    /// The content that its attributes hold, where the user's policy lets it be judged.
    pub contents: &'a [Held<'a>],
    /// What the user asks.
    pub settings: &'a Settings,
}

impl Seen<'_> {
    /// What the attribute is kept for, if that is content.
    #[inline]
    pub(crate) fn kept(&self) -> Option<Kept> {
        match self.name {
            Some(name) if name.text.len() == self.key.len() => name.kept,
            // A name of a family that the conventions know by its beginning, or none of theirs.
            _ => Kept::of(self.key),
        }
    }
}

impl<'a> SpanView<'a> {
    /// The value of an attribute, if it is there with a value.
    #[must_use]
    pub fn attribute(&self, id: NameId) -> Option<&'a otlp::Value> {
        self.attributes
            .iter()
            .find(|seen| seen.name.is_some_and(|name| name.id == id))
            .and_then(|seen| seen.value)
    }

    /// The text of an attribute, if it is a string.
    #[must_use]
    pub fn text(&self, id: NameId) -> Option<&'a str> {
        crate::value::text(self.attribute(id))
    }

    /// The span's status.
    #[must_use]
    pub fn status(&self) -> otlp::StatusCode {
        self.span.status.as_ref().map_or(otlp::StatusCode::Unset, otlp::Status::code)
    }

    /// Whether the span says which error ended its operation.
    #[must_use]
    pub fn has_error_type(&self) -> bool {
        self.fields.text(Field::ErrorType).is_some()
    }
}

/// An event of the conventions for GenAI.
#[derive(Debug)]
pub struct EventView<'a> {
    /// Its name.
    pub name: &'a str,
    /// What carries it.
    pub carrier: Carrier<'a>,
    /// The version it is judged by.
    pub semconv: &'static Conventions,
    /// What that version says of it, if it defines it.
    pub definition: Option<&'static Event>,
    /// Its attributes, in the order of the wire.
    pub attributes: &'a [Seen<'a>],
    /// Those that the engine reads by meaning.
    pub fields: Fields<'a>,
    /// The content that its attributes and its body hold, where the user's policy lets it be
    /// judged.
    pub contents: &'a [Held<'a>],
    /// What the user asks.
    pub settings: &'a Settings,
}

impl<'a> EventView<'a> {
    /// The log record that carries it; nothing for an event of a span.
    #[must_use]
    pub fn log(&self) -> Option<&'a otlp::LogRecord> {
        match self.carrier {
            Carrier::Log(record) => Some(record),
            Carrier::Span(_) => None,
        }
    }
}

/// What carries an event.
#[derive(Clone, Copy, Debug)]
pub enum Carrier<'a> {
    /// A log record.
    Log(&'a otlp::LogRecord),
    /// A GenAI span.
    Span(&'a otlp::Span),
}

/// Anything that text can stand in.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A resource.
    Resource(&'a otlp::Resource),
    /// An instrumentation scope.
    Scope(&'a otlp::InstrumentationScope),
    /// A span, with its attributes looked up, and what there is to note of these.
    Span(&'a otlp::Span, &'a [Seen<'a>], Notable),
    /// A metric with its points.
    Metric(&'a otlp::Metric),
    /// A log record.
    Log(&'a otlp::LogRecord),
}

/// An item to be searched for what may not stand in it.
#[derive(Clone, Copy, Debug)]
pub struct ContentView<'a> {
    /// The item.
    pub item: Item<'a>,
    /// What may stand in it for content.
    pub redaction: Redaction,
    /// Everything that was seen in it.
    pub sightings: &'a [Sighting],
}

/// What happened to the span of a call that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// There is no sign that it ever started.
    Missing,
    /// It started, for the request carried its id in a trace that was exported, and was never
    /// exported itself.
    Unended,
    /// There is no sign that it ever started, and the request was made within a GenAI span: an
    /// agent's, or that of another call.
    Suppressed,
    /// Its trace was not sampled, so that none is due.
    NotSampled,
    /// It came in when calls of its time had been settled, so that nothing is known: it may be an
    /// attempt of one of them.
    Late,
}

/// Where the span that a request carried as the current one stands to the call's own span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carried {
    /// It cannot be told: the request carried none, or one that was not exported.
    #[default]
    Unknown,
    /// It is the call's span.
    Own,
    /// It is within the call's span, as that of the transport is.
    Within,
    /// It is around the call's span.
    Around,
    /// It is in the same trace, and neither around the call's span nor within it.
    Beside,
    /// It is in another trace.
    OtherTrace,
}

/// A span below that of a call, which started when the call's span had ended.
#[derive(Clone, Copy, Debug)]
pub struct LateChild {
    /// The span.
    pub id: SpanId,
    /// When it started.
    pub start: UnixNanos,
}

/// What was done within the span of an agent, a workflow or a tool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Undertaking {
    /// The calls within it, at any depth.
    pub calls: u64,
    /// The tokens served for them.
    pub usage: Usage,
    /// Spans of model calls within it that no call of the ledger was joined with.
    pub others: u64,
    /// Where there are none of either: calls of the same scope that were made during its time, and
    /// are beside it or in traces of their own.
    pub astray: u64,
}

impl Undertaking {
    pub(crate) fn add(&mut self, more: Undertaking) {
        self.calls += more.calls;
        self.usage += more.usage;
        self.others += more.others;
    }
}

/// What a call was joined with.
#[derive(Clone, Copy, Debug)]
pub enum Match<'a> {
    /// Its span, and how the two were brought together.
    Span(&'a SpanFacts, JoinMeans),
    /// None.
    None(Absence),
}

/// A call of the ledger beside its telemetry.
#[derive(Debug)]
pub struct CallView<'a> {
    /// The call.
    pub call: &'a Call<'a>,
    /// Its span.
    pub matched: Match<'a>,
    /// Further spans for the same call.
    pub duplicates: &'a [&'a SpanFacts],
    /// What its last request carried as the current span.
    pub carried: Carried,
    /// Spans below its own that started when that had ended.
    pub late_children: &'a [LateChild],
    /// What is attached to its span.
    pub attached: Option<&'a Attached>,
    pub(crate) spoken: Spoken<'a>,
    /// The strings of the facts.
    pub symbols: &'a Symbols,
    /// What the user asks.
    pub settings: &'a Settings,
}

impl<'a> CallView<'a> {
    /// The version it is judged by: that of its span.
    #[must_use]
    pub fn semconv(&self) -> &'static Conventions {
        self.spoken.asked()
    }

    /// The span to compare with the ledger, if the call has one that speaks the conventions.
    #[must_use]
    pub fn span(&self) -> Option<&'a SpanFacts> {
        match self.matched {
            Match::Span(span, _) if span.role == Role::ModelCall => Some(span),
            _ => None,
        }
    }

    /// The span to compare with what was served, in whatever vocabulary it speaks.
    #[must_use]
    pub fn any_span(&self) -> Option<&'a SpanFacts> {
        match self.matched {
            Match::Span(span, _) if span.role.is_model_call() => Some(span),
            _ => None,
        }
    }

    /// Whether the program may have closed the stream before its end, although the server could
    /// hand over all of it: small answers fit into the buffers between them, and some SDKs read on.
    /// Such a span knows neither the stop reason nor more of the usage than what a stream states
    /// before its end, and nothing settles what its status should be. Nothing in span or ledger
    /// tells it from one that lost the end of a stream that was read; the user may.
    #[must_use]
    pub fn may_have_been_closed(&self) -> bool {
        let exchange = self.call.last();
        let is_stream = exchange.operation.is_streamed() || exchange.last_chunk.is_some();
        is_stream
            && !self.settings.reads_streams_to_end
            && self.span().is_some_and(|span| {
                span.finish_reasons == FinishReasons::Absent
                    && span.usage.output <= exchange.early_output_tokens
            })
    }

    /// The call as findings point at it: its span and its last exchange.
    #[must_use]
    pub fn subject(&self) -> Subject {
        let exchange = self.call.last();
        let span = match self.matched {
            Match::Span(span, _) => span.subject(self.symbols),
            Match::None(_) => Subject {
                trace_id: exchange.current_span.map(|id| crate::model::hex(&id.trace)),
                ..Subject::default()
            },
        };
        Subject { exchange: Some(exchange.sequence), ..span }
    }

    /// The call as expectations tell it from others.
    pub(crate) fn place(&self) -> Place<'a> {
        let exchange = self.call.last();
        let span = match self.matched {
            Match::Span(span, _) => span.place(self.symbols),
            Match::None(_) => Place::default(),
        };
        Place {
            subject: self.subject(),
            operations: [span.operations[0], Some(exchange.operation.name())],
            models: [span.models[0], Some(self.symbols.text(exchange.model))],
            ..span
        }
    }
}

/// What a span is beside the calls of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was joined with a call.
    Joined,
    /// It stands for a call that has another span.
    Duplicate,
    /// No call is known to it.
    Free,
    /// No call is known to it, and it came in when calls of its time had been settled: one of them
    /// may be its own.
    Late,
}

/// A point of a metric of the conventions for GenAI, the first with its attributes.
#[derive(Debug)]
pub struct PointView<'a> {
    /// The metric's name.
    pub metric: &'a str,
    /// The version it is judged by.
    pub semconv: &'static Conventions,
    /// What that version says of the metric, if it defines it.
    pub definition: Option<&'static Metric>,
    /// The point's attributes.
    pub attributes: &'a [Seen<'a>],
    /// Those that the engine reads by meaning.
    pub fields: Fields<'a>,
    /// What the user asks.
    pub settings: &'a Settings,
}

/// A GenAI metric as it was exported once.
#[derive(Debug)]
pub struct MetricView<'a> {
    /// The metric with its points.
    pub metric: &'a otlp::Metric,
    /// The version it is judged by.
    pub semconv: &'static Conventions,
    /// What that version says of it, if it defines it.
    pub definition: Option<&'static Metric>,
    /// What the user asks.
    pub settings: &'a Settings,
}

/// A GenAI span beside the ledger and in its trace, seen once both are known. Seen is every span
/// once, however often it was exported, but in no order that means something.
#[derive(Clone, Copy, Debug)]
pub struct StandingView<'a> {
    /// The span.
    pub span: &'a SpanFacts,
    /// What it is beside the ledger.
    pub standing: Standing,
    /// What was done within it, if it is the span of an agent, a workflow or a tool.
    pub undertaking: Option<Undertaking>,
    /// What is attached to it.
    pub attached: Option<&'a Attached>,
    /// The spans around it.
    pub(crate) recent: Recent<'a>,
    pub(crate) spoken: Spoken<'a>,
    /// Whether there is a ledger.
    pub has_ledger: bool,
    /// The strings of the facts.
    pub symbols: &'a Symbols,
    /// What the user asks.
    pub settings: &'a Settings,
}

impl StandingView<'_> {
    /// The version it is judged by: that of its scope.
    #[must_use]
    pub fn semconv(&self) -> &'static Conventions {
        self.spoken.asked()
    }

    /// The span's parent, if it is a GenAI span too.
    #[must_use]
    pub fn parent(&self) -> Option<Parent> {
        let parent = self.span.parent;
        (parent != [0; 8]).then(|| self.recent.find(self.span.id.sibling(parent))).flatten()
    }
}

/// A GenAI span that is the parent of another.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// The span.
    pub id: SpanId,
    /// Its name.
    pub name: Symbol,
    /// What it is to the judge.
    pub role: Role,
    /// What it is beside the ledger.
    pub standing: Standing,
}

/// The version that a scope has spoken so far. What is found by it holds only if it is the one that
/// the scope turns out to speak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken<'a> {
    pub(crate) semconv: &'static Conventions,
    /// Whether a rule has asked.
    pub(crate) is_asked: &'a Cell<bool>,
}

impl Spoken<'_> {
    fn asked(self) -> &'static Conventions {
        self.is_asked.set(true);
        self.semconv
    }
}

/// The GenAI spans that came in around a span, [`crate::Judge`] says how many, with what each is
/// beside the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recent<'a> {
    pub(crate) window: &'a Window,
    /// For each of its spans; nothing where all are free.
    pub(crate) standing: &'a [Standing],
}

impl Recent<'_> {
    fn find(&self, id: SpanId) -> Option<Parent> {
        if let Some(at) = self.window.by_id.get(&id).map(|at| *at as usize) {
            let span = self.window.spans.get(at)?;
            let standing = self.standing(at);
            return Some(Parent { id, name: span.name, role: span.role, standing });
        }
        let ghost = self.window.ghosts.get(&id)?;
        Some(Parent { id, name: ghost.name, role: ghost.role, standing: ghost.standing })
    }

    pub(crate) fn standing(&self, at: usize) -> Standing {
        self.standing.get(at).copied().unwrap_or(Standing::Free)
    }
}

/// The run as a whole.
#[derive(Debug)]
pub struct RunView<'a> {
    /// The GenAI spans, summed up, in an order that does not depend on ingestion.
    pub spans: &'a [SpanSum],
    /// Sums over metric streams.
    pub metrics: &'a MetricSums,
    /// What carries the ids of a span that was exported and is no GenAI span, by the span.
    pub astray: &'a BTreeMap<SpanId, Attached>,
    /// The strings of the facts.
    pub symbols: &'a Symbols,
    /// What the user asks.
    pub settings: &'a Settings,
}

impl RunView<'_> {
    /// The text of a symbol.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        self.symbols.text(symbol)
    }
}

/// A name for `Finding::attribute`, borrowed where it comes from the conventions.
#[must_use]
pub fn attribute_name(seen: &Seen<'_>) -> Cow<'static, str> {
    match seen.name {
        Some(name) if *name.text == *seen.key => Cow::Borrowed(&name.text),
        // A name of a family that the conventions know by its beginning.
        _ => Cow::Owned(seen.key.to_owned()),
    }
}

//! What a rule about an instrumentation scope sees.

use std::collections::{BTreeMap, BTreeSet};

use spanproof_schemas::ledger::Operation;

use crate::catalogue::{Conventions, NameSet, SpanType, VersionIndex};
use crate::dialect::Fingerprint;
use crate::settings::Settings;
use crate::vocabulary::Vocabulary;

/// An instrumentation scope with everything it emitted.
#[derive(Clone, Debug, Default)]
pub struct ScopeFacts {
    /// The known GenAI names that its GenAI spans used.
    pub names: NameSet,
    /// The GenAI metrics that it emitted.
    pub metrics: BTreeSet<MetricShape>,
    /// What its names show together.
    pub fingerprint: Fingerprint,
    /// Spans in another vocabulary than the conventions.
    pub foreign: BTreeMap<Vocabulary, u64>,
    /// Spans that speak the conventions and have names of another vocabulary besides.
    pub beside: BTreeMap<Vocabulary, u64>,
    /// Spans that plainly speak an older version than the required one, and were judged by it.
    pub older: BTreeMap<VersionIndex, u64>,
    /// The span types of its GenAI spans, in no order.
    pub span_types: Vec<&'static SpanType>,
    /// GenAI spans that speak the conventions.
    pub spans: u64,
    /// Findings that are left out, since they rest on a version that the scope turned out not to
    /// speak, by that version.
    pub outgrown: BTreeMap<VersionIndex, u64>,
    /// What its spans say of calls that were answered in full, by operation.
    pub parity: BTreeMap<Operation, Parity>,
}

/// What the spans of an operation say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parity([Tellings; Telling::ALL.len()]);

impl Parity {
    /// How often something was due, and was said.
    #[must_use]
    pub fn of(&self, telling: Telling) -> Tellings {
        self.0[telling as usize]
    }

    pub(crate) fn note(&mut self, telling: Telling, is_due: bool, is_said: bool) {
        let tellings = &mut self.0[telling as usize];
        tellings.due += u64::from(is_due);
        tellings.said += u64::from(is_due && is_said);
    }
}

/// How often something was due, and how often of these it was said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tellings {
    /// Calls that had it.
    pub due: u64,
    /// Those whose span says it.
    pub said: u64,
}

/// What a span can say whichever operation was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each names its attribute")]
pub enum Telling {
    InputTokens,
    OutputTokens,
    FinishReasons,
    MaxTokens,
    Temperature,
}

impl Telling {
    /// All of them, in the order of the enum.
    pub const ALL: [Telling; 5] = [
        Telling::InputTokens,
        Telling::OutputTokens,
        Telling::FinishReasons,
        Telling::MaxTokens,
        Telling::Temperature,
    ];

    /// The attribute.
    #[must_use]
    pub fn attribute(self) -> &'static str {
        match self {
            Telling::InputTokens => "gen_ai.usage.input_tokens",
            Telling::OutputTokens => "gen_ai.usage.output_tokens",
            Telling::FinishReasons => "gen_ai.response.finish_reasons",
            Telling::MaxTokens => "gen_ai.request.max_tokens",
            Telling::Temperature => "gen_ai.request.temperature",
        }
    }
}

/// How many metrics of a scope are told apart.
const METRICS: usize = 1 << 10;

impl ScopeFacts {
    /// Adds what the same scope emitted in another part of the telemetry.
    pub(crate) fn merge(&mut self, other: ScopeFacts) {
        self.names.insert_all(&other.names);
        other.metrics.into_iter().for_each(|shape| self.note_metric(shape));
        self.fingerprint = self.fingerprint.and(other.fingerprint);
        for (vocabulary, spans) in other.foreign {
            *self.foreign.entry(vocabulary).or_default() += spans;
        }
        self.spans += other.spans;
        for (vocabulary, spans) in other.beside {
            *self.beside.entry(vocabulary).or_default() += spans;
        }
        for (version, spans) in other.older {
            *self.older.entry(version).or_default() += spans;
        }
        for span_type in other.span_types {
            self.note_span_type(span_type);
        }
    }

    /// Notes a span type; there are a few dozen of all versions together.
    pub(crate) fn note_span_type(&mut self, span_type: &'static SpanType) {
        if !self.span_types.iter().any(|known| std::ptr::eq(*known, span_type)) {
            self.span_types.push(span_type);
        }
    }

    pub(crate) fn note_metric(&mut self, shape: MetricShape) {
        if self.metrics.len() < METRICS {
            self.metrics.insert(shape);
        }
    }
}

/// A metric, whatever its points.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricShape {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// The instrument, in the conventions' word; a counter's points tell no more than that they
    /// are sums.
    pub instrument: &'static str,
}

/// A scope as the rules about scopes see it.
#[derive(Debug)]
pub struct ScopeView<'a> {
    /// The scope's name.
    pub name: &'a str,
    /// The schema URL of the scope, else of its resource.
    pub schema_url: &'a str,
    /// What it emitted.
    pub facts: &'a ScopeFacts,
    /// The version that it is judged by.
    pub semconv: &'static Conventions,
    /// Whether there is a ledger.
    pub has_ledger: bool,
    /// What the user asks.
    pub settings: &'a Settings,
}

//! What a user expects to be found: deviations with a reason, and a baseline.
//!
//! A finding is told apart by its rule and by what is known of the item that it was made on. Which
//! expectation takes it depends on nothing else, so neither the order of telemetry nor the part it
//! came in shows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use spanproof_schemas::baseline::Counted;
use spanproof_schemas::glob;
use spanproof_schemas::report::{Example, Level, Subject};

/// Everything a user expects to be found.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    /// Deviations; a finding is taken by the first that matches.
    pub deviations: Vec<Expectation>,
    /// What takes the findings that no deviation does.
    pub baseline: Option<Baseline>,
}

/// A deviation that is expected. In every pattern `*` stands for any text, also none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// A pattern of rule ids.
    pub rule: String,
    /// What findings must be besides: each a pattern, and what is absent does not match.
    pub matching: BTreeMap<Facet, String>,
    /// How many findings there must be at least.
    pub least: u64,
    /// How many there may be; nothing for any number.
    pub most: Option<u64>,
    /// Whether it is no longer expected. The judge has no clock, so its caller says.
    pub is_expired: bool,
}

/// What findings are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The lowest level that is counted; milder findings are no part of a baseline.
    pub least: Level,
    /// What is counted in the baseline; nothing where one is made of what is found.
    pub counted: Option<Vec<Counted>>,
}

impl Baseline {
    /// How many kinds of finding a baseline counts: what has more is better mended than counted.
    /// Where more are found, these are the first of them, and the rest is not expected.
    pub const MOST_KINDS: usize = 1 << 12;
}

/// What findings are told apart by, beside their rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// The name of the instrumentation scope.
    Scope,
    /// The name of the span.
    Span,
    /// The id of the span type in the conventions, such as `aws.bedrock.client`.
    SpanType,
    /// The name of the metric.
    Metric,
    /// The name of the event.
    Event,
    /// The attribute, field or metric at fault.
    Attribute,
    /// `gen_ai.operation.name` of the telemetry, or the API operation of the ledger.
    Operation,
    /// `gen_ai.request.model` of the telemetry, or the model id of the ledger.
    Model,
    /// The message of the finding.
    Message,
}

impl Facet {
    /// All of them, in the order of the enum.
    pub const ALL: [Facet; 9] = [
        Facet::Scope,
        Facet::Span,
        Facet::SpanType,
        Facet::Metric,
        Facet::Event,
        Facet::Attribute,
        Facet::Operation,
        Facet::Model,
        Facet::Message,
    ];

    /// The word in files and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Facet::Scope => "scope",
            Facet::Span => "span",
            Facet::SpanType => "span-type",
            Facet::Metric => "metric",
            Facet::Event => "event",
            Facet::Attribute => "attribute",
            Facet::Operation => "operation",
            Facet::Model => "model",
            Facet::Message => "message",
        }
    }
}

/// The item that a finding was made on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place<'a> {
    pub(crate) subject: Subject,
    /// The id of its span type.
    pub(crate) span_type: Option<&'a str>,
    /// The operation, as telemetry has it and as the ledger has it.
    pub(crate) operations: [Option<&'a str>; 2],
    /// The model, likewise.
    pub(crate) models: [Option<&'a str>; 2],
}

impl From<Subject> for Place<'_> {
    fn from(subject: Subject) -> Self {
        Place { subject, ..Place::default() }
    }
}

/// A finding as expectations see it.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) level: Level,
    pub(crate) message: &'a str,
    /// With the subject that the finding points at.
    pub(crate) example: &'a Example,
    pub(crate) place: &'a Place<'a>,
}

impl<'a> Found<'a> {
    fn texts(self, facet: Facet) -> [Option<&'a str>; 2] {
        let Found { message, example, place, .. } = self;
        let subject = &example.subject;
        let one = match facet {
            Facet::Scope => subject.scope.as_deref(),
            Facet::Span => subject.span_name.as_deref(),
            Facet::SpanType => place.span_type,
            Facet::Metric => subject.metric.as_deref(),
            Facet::Event => subject.event.as_deref(),
            Facet::Attribute => example.attribute.as_deref(),
            Facet::Message => Some(message),
            Facet::Operation => return place.operations,
            Facet::Model => return place.models,
        };
        [one, None]
    }
}

impl Expectation {
    fn matches(&self, found: Found<'_>) -> bool {
        self.matching.iter().all(|(facet, pattern)| {
            found.texts(*facet).into_iter().flatten().any(|text| glob::fits(pattern, text))
        })
    }
}

/// What is expected of one rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleExpectations {
    /// Each with its place among all deviations.
    deviations: Vec<(usize, Expectation)>,
    /// The lowest level that the baseline counts, if there is one.
    counted_from: Option<Level>,
}

/// Who takes a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Taker {
    /// Nobody: it is not expected.
    Nobody,
    /// The deviation at this place.
    Deviation(usize),
    /// The baseline, if it has findings of the kind.
    Baseline(Kind),
}

/// What the baseline tells findings apart by, beside their rule and level.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) scope: Option<String>,
    pub(crate) span_type: Option<String>,
    pub(crate) metric: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) attribute: Option<String>,
}

impl Kind {
    pub(crate) fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Kind { scope, span_type, metric, event, attribute } = self;
        [scope, span_type, metric, event, attribute].into_iter().flatten()
    }
}

impl RuleExpectations {
    pub(crate) fn of(rule: &str, all: &Expectations) -> RuleExpectations {
        let own = all.deviations.iter().enumerate();
        let own = own.filter(|(_, deviation)| glob::fits(&deviation.rule, rule));
        RuleExpectations {
            deviations: own.map(|(at, deviation)| (at, deviation.clone())).collect(),
            counted_from: all.baseline.as_ref().map(|baseline| baseline.least),
        }
    }

    /// Who takes a finding, and the deviations after that which match it too.
    pub(crate) fn taker(&self, found: Found<'_>) -> (Taker, impl Iterator<Item = usize>) {
        let mut matching = self.deviations.iter().filter(move |(_, it)| it.matches(found));
        let taker = match matching.next() {
            Some((at, _)) => Taker::Deviation(*at),
            None if self.counted_from.is_some_and(|least| found.level >= least) => {
                Taker::Baseline(kind(found))
            }
            None => Taker::Nobody,
        };
        (taker, matching.map(|(at, _)| *at))
    }
}

fn kind(found: Found<'_>) -> Kind {
    let text = |facet| found.texts(facet)[0].map(ToOwned::to_owned);
    Kind {
        scope: text(Facet::Scope),
        span_type: text(Facet::SpanType),
        metric: text(Facet::Metric),
        event: text(Facet::Event),
        attribute: text(Facet::Attribute),
    }
}

/// A kind of finding with its rule and level, as a baseline sorts them.
pub(crate) type Line = (Cow<'static, str>, Level, Kind);

/// The kind that a line of a baseline counts, and how many of it there are.
pub(crate) fn line(counted: &Counted) -> (Line, u64) {
    let Counted { rule, level, scope, span_type, metric, event, attribute, count } =
        counted.clone();
    ((rule.into(), level, Kind { scope, span_type, metric, event, attribute }), count)
}

/// The line of a baseline that counts `count` findings of a kind.
pub(crate) fn counted((rule, level, kind): Line, count: u64) -> Counted {
    let Kind { scope, span_type, metric, event, attribute } = kind;
    Counted { rule: rule.into_owned(), level, scope, span_type, metric, event, attribute, count }
}

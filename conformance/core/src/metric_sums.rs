//! Sums over the metric streams that the conventions define for model calls.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use spanproof_schemas::time::UnixNanos;

use crate::exact_sum::ExactSum;
use crate::field::{Field, Fields};
use crate::identity;
use crate::otlp::{self, AggregationTemporality, Data, KeyValue, number_data_point};
use crate::symbol::{Symbol, Symbols};

/// The metrics that are compared with spans. The conventions in development have several in the
/// place of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Summed {
    /// `gen_ai.client.token.usage`
    TokenUsage,
    /// `gen_ai.client.inference.usage.input_tokens` and its like: counters, one for each type.
    UsageCounters,
    /// `gen_ai.client.inference.operation.input_tokens` and its like: histograms, one for each type.
    UsageHistograms,
    /// `gen_ai.client.operation.duration`
    Duration,
    /// `gen_ai.client.inference.duration`
    InferenceDuration,
    /// `gen_ai.client.operation.time_to_first_chunk`
    FirstChunk,
    /// `gen_ai.client.inference.time_to_first_chunk`
    InferenceFirstChunk,
    /// `gen_ai.execute_tool.duration`
    ToolDuration,
    /// `gen_ai.invoke_agent.duration`
    AgentDuration,
    /// `gen_ai.invoke_workflow.duration`
    WorkflowDuration,
}

/// The names, what they are summed as, and the token type that a name stands for.
const NAMES: &[(&str, Summed, Option<&str>)] = &[
    ("gen_ai.client.token.usage", Summed::TokenUsage, None),
    ("gen_ai.client.inference.usage.input_tokens", Summed::UsageCounters, Some("input")),
    ("gen_ai.client.inference.usage.output_tokens", Summed::UsageCounters, Some("output")),
    (
        "gen_ai.client.inference.usage.cache_read.input_tokens",
        Summed::UsageCounters,
        Some("cache read"),
    ),
    (
        "gen_ai.client.inference.usage.cache_write.input_tokens",
        Summed::UsageCounters,
        Some("cache write"),
    ),
    (
        "gen_ai.client.inference.usage.reasoning.output_tokens",
        Summed::UsageCounters,
        Some("reasoning"),
    ),
    ("gen_ai.client.inference.operation.input_tokens", Summed::UsageHistograms, Some("input")),
    ("gen_ai.client.inference.operation.output_tokens", Summed::UsageHistograms, Some("output")),
    ("gen_ai.client.operation.duration", Summed::Duration, None),
    ("gen_ai.client.inference.duration", Summed::InferenceDuration, None),
    ("gen_ai.client.operation.time_to_first_chunk", Summed::FirstChunk, None),
    ("gen_ai.client.inference.time_to_first_chunk", Summed::InferenceFirstChunk, None),
    ("gen_ai.execute_tool.duration", Summed::ToolDuration, None),
    ("gen_ai.invoke_agent.duration", Summed::AgentDuration, None),
    ("gen_ai.invoke_workflow.duration", Summed::WorkflowDuration, None),
];

const COUNT: usize = Summed::WorkflowDuration as usize + 1;

impl Summed {
    /// Every one.
    pub const ALL: [Summed; COUNT] = [
        Summed::TokenUsage,
        Summed::UsageCounters,
        Summed::UsageHistograms,
        Summed::Duration,
        Summed::InferenceDuration,
        Summed::FirstChunk,
        Summed::InferenceFirstChunk,
        Summed::ToolDuration,
        Summed::AgentDuration,
        Summed::WorkflowDuration,
    ];

    /// Those that count tokens.
    pub const TOKENS: [Summed; 3] =
        [Summed::TokenUsage, Summed::UsageCounters, Summed::UsageHistograms];

    /// Those that measure durations; where several measure one call, the first counts.
    pub const DURATIONS: [Summed; 2] = [Summed::InferenceDuration, Summed::Duration];

    /// Those that measure the time to the first chunk of streams.
    pub const FIRST_CHUNKS: [Summed; 2] = [Summed::FirstChunk, Summed::InferenceFirstChunk];

    /// The names of its metrics.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(_, summed, _)| *summed == self).map(|(name, _, _)| *name)
    }

    /// Whether it has a metric of its own for a type of tokens.
    #[must_use]
    pub fn counts(self, token_type: &str) -> bool {
        NAMES.iter().any(|(_, summed, kind)| *summed == self && *kind == Some(token_type))
    }

    /// The name of the metric that counts a type of tokens, or of the one metric there is.
    #[must_use]
    pub fn metric(self, token_type: &str) -> &'static str {
        let mut names = NAMES.iter().filter(|(_, summed, _)| *summed == self);
        let is_it = |of_type: Option<&str>| of_type.is_none_or(|known| known == token_type);
        names.find(|(_, _, of_type)| is_it(*of_type)).map_or("", |(name, _, _)| name)
    }
}

/// What a stream has recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Sums {
    /// The sum of the values.
    pub sum: f64,
    /// How many values there were.
    pub count: u64,
}

/// One metric stream: a metric of a scope of a resource with one set of attributes.
#[derive(Debug)]
pub struct Stream {
    /// The metric.
    pub metric: Summed,
    /// The scope's name.
    pub scope: Symbol,
    /// `gen_ai.request.model`, else `gen_ai.response.model`, else empty.
    pub model: Symbol,
    /// `gen_ai.operation.name`, else empty.
    pub operation: Symbol,
    /// What its name stands for, else `gen_ai.token.type`, else empty.
    pub token_type: Symbol,
    /// `error.type`, else empty.
    pub error_type: Symbol,
    /// Of the resource and the attributes.
    identity: u64,
    delta: Deltas,
    /// By start time, so that a restarted counter adds up: the last point and its time.
    cumulative: BTreeMap<UnixNanos, (UnixNanos, Sums)>,
}

impl Stream {
    /// Everything recorded: all deltas, and the last point of each cumulative run.
    #[must_use]
    pub fn total(&self) -> Sums {
        let mut total = self.delta;
        self.cumulative.values().for_each(|(_, sums)| total.add(*sums));
        Sums { sum: total.sum.value(), count: total.count }
    }

    /// Whether a point with this start needs no more room.
    fn has_start(&self, temporality: i32, start: UnixNanos) -> bool {
        temporality != AggregationTemporality::Cumulative as i32
            || self.cumulative.contains_key(&start)
    }

    fn record(&mut self, temporality: i32, start: UnixNanos, time: UnixNanos, sums: Sums) {
        if temporality == AggregationTemporality::Cumulative as i32 {
            self.record_cumulative(start, (time, sums));
        } else {
            self.delta.add(sums);
        }
    }

    fn record_cumulative(&mut self, start: UnixNanos, point: (UnixNanos, Sums)) {
        let last = self.cumulative.entry(start).or_insert(point);
        if point > *last {
            *last = point;
        }
    }
}

/// Deltas added up, in any order.
#[derive(Clone, Copy, Debug, Default)]
struct Deltas {
    sum: ExactSum,
    count: u64,
}

impl Deltas {
    fn add(&mut self, sums: Sums) {
        self.sum.add(sums.sum);
        self.count = self.count.saturating_add(sums.count);
    }
}

/// How many values of an attribute are told apart.
const VALUES: usize = 1 << 10;

/// How many attributes of the streams of a metric are looked at, and how much of a name is kept, in
/// bytes.
const KEYS: usize = 1 << 6;
const LONGEST_KEY: usize = 256;

/// The values of the attributes that the streams of a metric of a scope have: of each attribute the
/// first [`VALUES`] hashes, and of attributes the first [`KEYS`], in their order, so that what is
/// kept does not depend on what came when.
type Values = BTreeMap<Box<str>, BTreeSet<u64>>;

fn note_values(values: &mut Values, key: &str, hashes: impl IntoIterator<Item = u64>) {
    let key = crate::value::cut(key, LONGEST_KEY);
    if !values.contains_key(key) {
        values.insert(key.into(), BTreeSet::new());
    }
    if let Some(known) = values.get_mut(key) {
        known.extend(hashes);
        while known.len() > VALUES {
            known.pop_last();
        }
    }
    while values.len() > KEYS {
        values.pop_last();
    }
}

/// How many streams, and starts of cumulative streams, are kept.
const MOST: usize = 1 << 17;

/// Every stream of the summed metrics.
#[derive(Debug, Default)]
pub struct MetricSums {
    streams: Vec<Stream>,
    /// By metric, scope, and the identity of resource and attributes.
    places: FxHashMap<(Summed, Symbol, u64), usize>,
    /// By metric and scope.
    values: FxHashMap<(Summed, Symbol), Values>,
    /// How much of what [`MOST`] bounds there is.
    kept: usize,
    /// The metrics of which streams were given up, so that their sums are not known.
    beyond: [bool; COUNT],
}

impl MetricSums {
    /// The streams of a metric.
    pub fn streams(&self, metric: Summed) -> impl Iterator<Item = &Stream> {
        self.streams.iter().filter(move |stream| stream.metric == metric)
    }

    /// The streams of a metric; nothing for one that has none, or too many to be kept.
    #[must_use]
    pub fn known(&self, metric: Summed) -> Option<Vec<&Stream>> {
        let streams: Vec<&Stream> = self.streams(metric).collect();
        (!streams.is_empty() && !self.is_beyond_bounds(metric)).then_some(streams)
    }

    /// The attributes of the streams of a metric, by scope, with how many values each takes, of
    /// which no more than a thousand are told apart.
    pub fn values(&self, metric: Summed) -> impl Iterator<Item = (Symbol, &str, usize)> {
        let of_metric = self.values.iter().filter(move |((of, _), _)| *of == metric);
        of_metric.flat_map(|((_, scope), values)| {
            values.iter().map(move |(key, hashes)| (*scope, &**key, hashes.len()))
        })
    }

    /// Whether the metric has more streams than are kept.
    #[must_use]
    pub fn is_beyond_bounds(&self, metric: Summed) -> bool {
        self.beyond[metric as usize]
    }

    /// Takes in the streams of another part of the telemetry, leaving it without any. `symbols` are
    /// the symbols here of the symbols there.
    #[expect(
        clippy::iter_over_hash_type,
        reason = "what is kept of values does not depend on what comes when"
    )]
    pub(crate) fn merge(&mut self, other: &mut MetricSums, symbols: &[Symbol]) {
        other.places.clear();
        other.kept = 0;
        for (beyond, other) in self.beyond.iter_mut().zip(&mut other.beyond) {
            *beyond |= std::mem::take(other);
        }
        for ((metric, scope), values) in other.values.drain() {
            let known = self.values.entry((metric, scope.among(symbols))).or_default();
            for (key, hashes) in values {
                note_values(known, &key, hashes);
            }
        }
        for mut stream in other.streams.drain(..) {
            let Stream { scope, model, operation, token_type, error_type, .. } = &mut stream;
            for symbol in [scope, model, operation, token_type, error_type] {
                *symbol = symbol.among(symbols);
            }
            self.merge_stream(stream);
        }
    }

    fn merge_stream(&mut self, stream: Stream) {
        let key = (stream.metric, stream.scope, stream.identity);
        let known = self.places.get(&key).map(|at| &mut self.streams[*at]);
        let starts = stream.cumulative.keys();
        let new = match &known {
            Some(known) => starts.filter(|start| !known.cumulative.contains_key(start)).count(),
            None => starts.count().max(1),
        };
        if self.kept + new > MOST {
            self.beyond[stream.metric as usize] = true;
            return;
        }
        self.kept += new;
        if let Some(known) = known {
            known.delta.sum.merge(stream.delta.sum);
            known.delta.count = known.delta.count.saturating_add(stream.delta.count);
            for (start, point) in stream.cumulative {
                known.record_cumulative(start, point);
            }
        } else {
            self.places.insert(key, self.streams.len());
            self.streams.push(stream);
        }
    }

    /// Records the points of a metric, if it is one that is summed.
    pub(crate) fn record(
        &mut self,
        symbols: &mut Symbols,
        (resource, scope): (u64, Symbol),
        metric: &otlp::Metric,
    ) {
        let named = NAMES.iter().find(|(name, _, _)| *name == metric.name);
        let Some((_, summed, token_type)) = named else { return };
        let (summed, token_type) = (*summed, *token_type);
        let mut point = |temporality, attributes: &[KeyValue], start, time, sums| {
            let attributes_identity = identity::of_attributes(attributes);
            let identity = identity::of((resource, token_type, attributes_identity));
            let known = self.places.get(&(summed, scope, identity)).copied();
            let is_kept = known.is_some_and(|at| self.streams[at].has_start(temporality, start));
            if !is_kept {
                if self.kept >= MOST {
                    self.beyond[summed as usize] = true;
                    return;
                }
                self.kept += 1;
            }
            let at = known.unwrap_or_else(|| {
                let mut stream = stream(symbols, summed, scope, identity, attributes);
                if let Some(token_type) = token_type {
                    stream.token_type = symbols.intern(token_type);
                }
                let values = self.values.entry((summed, scope)).or_default();
                for attribute in attributes {
                    let hash = identity::of_attributes(std::slice::from_ref(attribute));
                    note_values(values, &attribute.key, [hash]);
                }
                self.streams.push(stream);
                self.places.insert((summed, scope, identity), self.streams.len() - 1);
                self.streams.len() - 1
            });
            self.streams[at].record(temporality, start, time, sums);
        };
        match &metric.data {
            Some(Data::Histogram(histogram)) => {
                for p in &histogram.data_points {
                    let sums = Sums { sum: p.sum.unwrap_or(0.0), count: p.count };
                    let (start, time) = (p.start_time_unix_nano, p.time_unix_nano);
                    point(histogram.aggregation_temporality, &p.attributes, start, time, sums);
                }
            }
            Some(Data::ExponentialHistogram(histogram)) => {
                for p in &histogram.data_points {
                    let sums = Sums { sum: p.sum.unwrap_or(0.0), count: p.count };
                    let (start, time) = (p.start_time_unix_nano, p.time_unix_nano);
                    point(histogram.aggregation_temporality, &p.attributes, start, time, sums);
                }
            }
            Some(Data::Sum(counter)) => {
                for p in &counter.data_points {
                    let sums = Sums { sum: number(p.value), count: 0 };
                    let (start, time) = (p.start_time_unix_nano, p.time_unix_nano);
                    point(counter.aggregation_temporality, &p.attributes, start, time, sums);
                }
            }
            Some(Data::Gauge(_) | Data::Summary(_)) | None => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "token counts stay far below 2^53")]
pub(crate) fn number(value: Option<number_data_point::Value>) -> f64 {
    match value {
        Some(number_data_point::Value::AsDouble(value)) => value,
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        None => 0.0,
    }
}

fn stream(
    symbols: &mut Symbols,
    metric: Summed,
    scope: Symbol,
    identity: u64,
    attributes: &[KeyValue],
) -> Stream {
    let mut fields = Fields::default();
    for attribute in attributes {
        if let Some(field) = Field::of(&attribute.key) {
            fields.set(field, crate::value::inner(attribute.value.as_ref()));
        }
    }
    let mut symbol = |field| symbols.intern(fields.text(field).unwrap_or_default());
    let requested = symbol(Field::RequestModel);
    let model = if requested == Symbol::EMPTY { symbol(Field::ResponseModel) } else { requested };
    Stream {
        metric,
        scope,
        model,
        operation: symbol(Field::Operation),
        token_type: symbol(Field::TokenType),
        error_type: symbol(Field::ErrorType),
        identity,
        delta: Deltas::default(),
        cumulative: BTreeMap::new(),
    }
}

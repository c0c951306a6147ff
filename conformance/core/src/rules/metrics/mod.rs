//! Metrics against spans.

pub(super) mod buckets;
pub(super) mod duration_count;
pub(super) mod duration_sum;
pub(super) mod error_type;
pub(super) mod model;
pub(super) mod orchestration_duration;
pub(super) mod temporality;
pub(super) mod time_to_first_chunk;
pub(super) mod token_sum;
pub(super) mod unit;
pub(super) mod values;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;
use spanproof_schemas::report::Subject;

use crate::metric_sums::Summed;
use crate::model::Role;
use crate::span_sums::SpanSum;
use crate::symbol::Symbol;
use crate::view::RunView;

/// The spans that a metric should agree with: those of the scopes that emit it, or all spans of
/// model calls where the metric comes from scopes of its own.
pub(super) fn spans_behind<'a>(
    view: &'a RunView<'a>,
    metrics: &[Summed],
) -> impl Iterator<Item = &'a SpanSum> + use<'a> {
    let calls = || view.spans.iter().filter(|span| span.role == Role::ModelCall);
    let streams = metrics.iter().flat_map(|metric| view.metrics.streams(*metric));
    let emitting: FxHashSet<Symbol> = streams.map(|stream| stream.scope).collect();
    let any_emits = calls().any(|span| emitting.contains(&span.scope));
    calls().filter(move |span| !any_emits || emitting.contains(&span.scope))
}

/// Whether any stream of a metric names a model. One that names none is compared as a whole.
fn names_models(view: &RunView<'_>, metric: Summed) -> bool {
    view.metrics.streams(metric).any(|stream| stream.model != Symbol::EMPTY)
}

/// The keys of both sides, in order.
fn keys<'a, K: Ord + Copy + 'a>(
    left: impl Iterator<Item = &'a K>,
    right: impl Iterator<Item = &'a K>,
) -> BTreeSet<K> {
    left.chain(right).copied().collect()
}

/// A model and an operation.
type Key<'a> = (&'a str, &'a str);

/// The calls of one model and operation, as one side has them.
#[derive(Debug, Default)]
struct Durations<'a> {
    count: u64,
    seconds: f64,
    /// How many failed, by `error.type`.
    errors: BTreeMap<&'a str, u64>,
}

/// The duration metric and the spans behind it, by what of model and operation the metric names:
/// that it lacks one is for the rules of presence to say.
#[derive(Debug, Default)]
struct DurationSides<'a> {
    /// The metric's name, of several the first.
    metric: &'static str,
    recorded: BTreeMap<Key<'a>, Durations<'a>>,
    spans: BTreeMap<Key<'a>, Durations<'a>>,
}

impl<'a> DurationSides<'a> {
    /// Both sides; nothing for a run without the metric.
    fn of(view: &'a RunView<'a>) -> Option<DurationSides<'a>> {
        let is_beyond = |metric: &Summed| view.metrics.is_beyond_bounds(*metric);
        let metrics: Vec<Summed> = Summed::DURATIONS
            .into_iter()
            .filter(|metric| view.metrics.streams(*metric).next().is_some())
            .collect();
        if metrics.is_empty() || metrics.iter().any(is_beyond) {
            return None;
        }
        let by_model = metrics.iter().any(|metric| names_models(view, *metric));
        let model = |symbol| if by_model { view.text(symbol) } else { "" };
        let mut streams = metrics.iter().flat_map(|metric| view.metrics.streams(*metric));
        let by_operation = streams.any(|stream| stream.operation != Symbol::EMPTY);
        let mut sides = DurationSides::default();
        for metric in &metrics {
            // In a migration both metrics measure the same calls.
            let measured: BTreeSet<Key<'a>> = sides.recorded.keys().copied().collect();
            for stream in view.metrics.streams(*metric) {
                let key = (model(stream.model), view.text(stream.operation));
                if measured.contains(&key) {
                    continue;
                }
                let side = sides.recorded.entry(key).or_default();
                let total = stream.total();
                side.count = side.count.saturating_add(total.count);
                side.seconds += total.sum;
                if stream.error_type != Symbol::EMPTY {
                    let errors = side.errors.entry(view.text(stream.error_type)).or_default();
                    *errors = errors.saturating_add(total.count);
                }
            }
        }
        sides.metric = metrics[0].metric("");
        for span in spans_behind(view, &metrics) {
            let operation =
                view.symbols.option(span.operation).filter(|_| by_operation).unwrap_or_default();
            let side = sides.spans.entry((span.model.map_or("", model), operation)).or_default();
            side.count += span.count;
            side.seconds += span.seconds();
            if let Some(error) = view.symbols.option(span.error_type) {
                *side.errors.entry(error).or_default() += span.count;
            }
        }
        Some(sides)
    }

    /// The keys that both sides count the same number of calls for.
    fn agreeing(&self) -> impl Iterator<Item = (Key<'a>, &Durations<'a>, &Durations<'a>)> {
        self.spans.iter().filter_map(|(key, spans)| {
            let recorded = self.recorded.get(key)?;
            (recorded.count == spans.count).then_some((*key, recorded, spans))
        })
    }
}

/// A model and an operation, as people read them.
fn describe((model, operation): Key<'_>) -> String {
    match (operation, model) {
        ("", "") => "all calls, for the metric names neither operation nor model".to_owned(),
        _ => [operation, model].join(" ").trim().to_owned(),
    }
}

/// The metric, as findings point at it.
pub(super) fn subject(metric: &str) -> Subject {
    Subject { metric: Some(metric.to_owned()), ..Subject::default() }
}

//! Metrics against spans.

pub(super) mod duration_count;
pub(super) mod token_sum;
pub(super) mod unit;

use std::collections::BTreeSet;

use crate::metric_sums::Summed;
use crate::model::{Role, SpanFacts};
use crate::symbol::Symbol;
use crate::view::RunView;

/// The spans that a metric should agree with: those of the scopes that emit it, or all spans of
/// model calls where the metric comes from scopes of its own.
fn spans_behind<'a>(
    view: &'a RunView<'a>,
    metric: Summed,
) -> impl Iterator<Item = &'a SpanFacts> + use<'a> {
    let calls = || view.spans.iter().filter(|span| span.role == Role::ModelCall);
    let emits = |scope: Symbol| view.metrics.streams(metric).any(|stream| stream.scope == scope);
    let emitting: Vec<Symbol> = {
        let mut scopes: Vec<Symbol> = Vec::new();
        for span in calls() {
            if !scopes.contains(&span.scope) {
                scopes.push(span.scope);
            }
        }
        scopes.retain(|scope| emits(*scope));
        scopes
    };
    calls().filter(move |span| emitting.is_empty() || emitting.contains(&span.scope))
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

//! Active series of metrics that Tempo's generator or the Collector's connector make of spans.

use std::collections::BTreeSet;

use spanproof_schemas::forecast::SeriesForecast;

use super::sample::{Facts, SpanFacts};

/// A counter of calls, one of sizes, and a histogram with fourteen buckets, the last one that has no
/// bound, a sum and a count: the generator's defaults.
const SERIES: u64 = 1 + 1 + 14 + 1 + 2;

/// The attribute by which callers can make series.
const MODEL: &str = "gen_ai.request.model";

const MADE_UP_MODELS: u64 = 1_000;

pub(super) fn forecast(facts: &Facts, dimensions: &[String]) -> SeriesForecast {
    let key = |span: &SpanFacts, without_model: bool| -> Vec<String> {
        let own = dimensions.iter().map(|dimension| {
            let is_left_out = without_model && dimension == MODEL;
            let value = span.attributes.get(dimension).filter(|_| !is_left_out);
            value.cloned().unwrap_or_default()
        });
        // The name of such a span ends in its model.
        let name = match span.attributes.get(MODEL) {
            Some(model) if without_model => span.name.replace(model.as_str(), ""),
            _ => span.name.clone(),
        };
        [span.service.clone(), name, span.kind.to_string(), span.status.to_string()]
            .into_iter()
            .chain(own)
            .collect()
    };
    let distinct = |spans: &mut dyn Iterator<Item = &SpanFacts>, without_model| {
        spans.map(|span| key(span, without_model)).collect::<BTreeSet<_>>().len() as u64
    };
    let combinations = distinct(&mut facts.spans.iter(), false);
    let mut with_model = facts.spans.iter().filter(|span| span.attributes.contains_key(MODEL));
    let per_model_id = SERIES * distinct(&mut with_model, true);
    let active_series = SERIES * combinations;
    SeriesForecast {
        dimensions: dimensions.to_vec(),
        combinations,
        series_per_combination: SERIES,
        active_series,
        series_per_model_id: per_model_id,
        with_thousand_model_ids: active_series + MADE_UP_MODELS * per_model_id,
    }
}

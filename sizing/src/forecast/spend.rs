//! What the model calls of a sample cost by themselves.

use std::collections::BTreeSet;

use spanproof_schemas::forecast::{BedrockForecast, PriceSource};
use spanproof_schemas::ledger::Usage;
use spanproof_schemas::price::PriceTable;

use super::MONTH_DAYS;
use super::sample::{Facts, SpanFacts, float};

/// Operations whose spans are of one call each; an agent's sum up those below it.
const CALLS: [&str; 4] = ["chat", "text_completion", "generate_content", "embeddings"];

pub(super) fn forecast(facts: &Facts, traces_per_day: f64, prices: &PriceTable) -> BedrockForecast {
    let mut usd = 0.0;
    let mut unpriced = BTreeSet::new();
    for span in &facts.spans {
        let text = |key: &str| span.attributes.get(key).map(String::as_str);
        let (Some(operation), Some(model)) =
            (text("gen_ai.operation.name"), text("gen_ai.request.model"))
        else {
            continue;
        };
        if !CALLS.contains(&operation) {
            continue;
        }
        match prices.price(model) {
            Some(price) => usd += price.cost_usd(usage(span)),
            None => {
                unpriced.insert(model.to_owned());
            }
        }
    }
    let usd_per_day = usd / float(facts.traces.max(1)) * traces_per_day;
    BedrockForecast {
        usd_per_day,
        usd_per_month: usd_per_day * MONTH_DAYS,
        unpriced_models: unpriced.into_iter().collect(),
        prices: PriceSource {
            as_of: prices.as_of.clone(),
            region: prices.region.clone(),
            source: prices.source.clone(),
        },
    }
}

/// What `span` says it used. Input includes what the cache had, as versions since 1.40 have it.
fn usage(span: &SpanFacts) -> Usage {
    let tokens = |key: &str| -> u64 {
        span.attributes.get(key).and_then(|count| count.parse().ok()).unwrap_or(0)
    };
    let cache_read_input_tokens = tokens("gen_ai.usage.cache_read.input_tokens");
    let cache_write_input_tokens = tokens("gen_ai.usage.cache_creation.input_tokens");
    let cached = cache_read_input_tokens + cache_write_input_tokens;
    let input = tokens("gen_ai.usage.input_tokens");
    Usage {
        input_tokens: input.checked_sub(cached).unwrap_or(input),
        output_tokens: tokens("gen_ai.usage.output_tokens"),
        cache_read_input_tokens,
        cache_write_input_tokens,
        ..Usage::default()
    }
}

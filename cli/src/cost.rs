//! The bill for what was served, beside the bill as the telemetry would have it.

use std::collections::BTreeMap;

use conformance_core::ModelUsage;
use spanproof_schemas::price::PriceTable;
use spanproof_schemas::report::Cost;

/// Prices the calls of each model.
pub(crate) fn cost(calls_by_model: &BTreeMap<String, ModelUsage>, prices: &PriceTable) -> Cost {
    let mut cost = Cost {
        served_usd: 0.0,
        reported_usd: 0.0,
        prices_as_of: prices.as_of.clone(),
        unpriced_models: Vec::new(),
    };
    for (model, usage) in calls_by_model {
        match prices.price(model) {
            Some(price) => {
                cost.served_usd += price.cost_usd(usage.served);
                cost.reported_usd += price.cost_usd(usage.reported);
            }
            None => cost.unpriced_models.push(model.clone()),
        }
    }
    cost
}

#[cfg(test)]
mod tests {
    use spanproof_schemas::ledger::Usage;

    use super::*;

    #[test]
    fn an_inference_profile_costs_what_its_model_costs_and_an_unknown_model_is_named() {
        let served = Usage { input_tokens: 1_000_000, output_tokens: 100_000, ..Usage::default() };
        let reported = Usage { input_tokens: 1_000_000, ..Usage::default() };
        let usage = ModelUsage { calls: 1, served, reported };
        let calls = BTreeMap::from([
            ("us.anthropic.claude-3-7-sonnet-20250219-v1:0".to_owned(), usage),
            ("acme.unheard-of-v1:0".to_owned(), usage),
        ]);
        let cost = cost(&calls, &PriceTable::built_in());
        assert!((cost.served_usd - 4.5).abs() < 1e-9, "{cost:?}");
        assert!((cost.reported_usd - 3.0).abs() < 1e-9, "{cost:?}");
        assert_eq!(cost.unpriced_models, ["acme.unheard-of-v1:0"]);
    }
}

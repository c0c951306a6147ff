//! The dated price table: what a million tokens of a model cost on demand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::Usage;

/// Prices on one day in one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    /// `YYYY-MM-DD`.
    pub as_of: String,
    /// The AWS region the prices are for.
    pub region: String,
    /// Where the figures come from.
    pub source: String,
    /// By base model id, without the prefix of an inference profile.
    pub models: BTreeMap<String, Price>,
}

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Uncached input.
    pub input: f64,
    /// Output.
    pub output: f64,
    /// Read from the prompt cache.
    #[serde(default)]
    pub cache_read: f64,
    /// Written to the prompt cache.
    #[serde(default)]
    pub cache_write: f64,
}

impl PriceTable {
    /// The table compiled into spanproof.
    ///
    /// # Panics
    ///
    /// If `fixtures/prices/bedrock.json` is not a price table, which a test rules out.
    #[must_use]
    pub fn built_in() -> PriceTable {
        serde_json::from_str(include_str!("../../fixtures/prices/bedrock.json"))
            .unwrap_or_else(|error| panic!("fixtures/prices/bedrock.json: {error}"))
    }

    /// The price of `model_id`, which may be a base id, an inference profile id or an ARN that ends
    /// in one of them.
    #[must_use]
    pub fn price(&self, model_id: &str) -> Option<Price> {
        let id = model_id.rsplit('/').next().unwrap_or(model_id);
        let base = |id: &str| self.models.get(id).copied();
        base(id).or_else(|| id.split_once('.').and_then(|(_region, rest)| base(rest)))
    }
}

impl Price {
    /// What `usage` costs, in US dollars.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "token counts stay far below 2^52")]
    pub fn cost_usd(self, usage: Usage) -> f64 {
        (usage.input_tokens as f64 * self.input
            + usage.output_tokens as f64 * self.output
            + usage.cache_read_input_tokens as f64 * self.cache_read
            + usage.cache_write_input_tokens as f64 * self.cache_write)
            / 1e6
    }
}

/// What an object store costs on one day in one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorePrices {
    /// `YYYY-MM-DD`.
    pub as_of: String,
    /// The AWS region the prices are for.
    pub region: String,
    /// Where the figures come from.
    pub source: String,
    /// US dollars for a gigabyte (10^9 bytes) a month.
    pub storage_gb_month: f64,
    /// US dollars for a thousand requests that write or list.
    pub thousand_writes: f64,
    /// US dollars for a thousand requests that read.
    pub thousand_reads: f64,
}

impl StorePrices {
    /// The table compiled into spanproof.
    ///
    /// # Panics
    ///
    /// If `fixtures/prices/s3.json` is not such a table, which a test rules out.
    #[must_use]
    pub fn built_in() -> StorePrices {
        serde_json::from_str(include_str!("../../fixtures/prices/s3.json"))
            .unwrap_or_else(|error| panic!("fixtures/prices/s3.json: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_has_prices() {
        let prices = StorePrices::built_in();
        assert!(prices.thousand_writes > prices.thousand_reads && prices.storage_gb_month > 0.0);
    }
}

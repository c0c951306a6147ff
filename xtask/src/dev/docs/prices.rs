//! The recording rules of `deploy/stack/` for tokens and cost, from the price table that bills are
//! made with.

use std::fmt::Write as _;
use std::path::Path;

use spanproof_schemas::price::PriceTable;

use super::Page;

/// Where Prometheus reads them.
const RULES: &str = "deploy/stack/prometheus/rules/usage.yaml";

/// What counts as calls and tokens, and how much of it is new since the rules ran last. Counters are
/// not looked at by `increase`, which leaves out whatever a series begins with: of a tenant who makes a
/// call a day, that is everything.
const USAGE: &str = r#"
      # Counters that were added to within a day, the time after which the Collector forgets one.
      - record: gen_ai:tokens:total
        expr: >-
          label_replace(
            last_over_time(genai_tokens_total[1d]),
            "base_model", "$1", "gen_ai_request_model",
            "(?:.*/)?(?:[^.]*[.])?(BASE_MODELS)"
          )
      - record: gen_ai:calls:total
        expr: last_over_time(traces_span_metrics_calls_total{gen_ai_operation_name!=""}[1d])

      # What was added. A counter that is new or has started again has all it shows since then.
      - record: gen_ai:tokens:new
        expr: >-
          ((gen_ai:tokens:total - last_over_time(gen_ai:tokens:total[1d] offset 15s)) >= 0)
          or gen_ai:tokens:total
      - record: gen_ai:calls:new
        expr: >-
          ((gen_ai:calls:total - last_over_time(gen_ai:calls:total[1d] offset 15s)) >= 0)
          or gen_ai:calls:total

      # Tokens of a model without a price have no cost: they are those without `base_model`.
      - record: gen_ai:cost_usd:new
        expr: >-
          gen_ai:tokens:new
          * on (base_model, genai_token_type) group_left ()
          gen_ai:price_usd_per_million_tokens / 1e6
"#;

/// The file, from the table that is compiled into spanproof.
pub(super) fn page(root: &Path) -> Page {
    (root.join(RULES), Some(rules(&PriceTable::built_in())))
}

fn rules(table: &PriceTable) -> String {
    let mut text = format!(
        "# Written by `cargo xtask dev docs` from fixtures/prices/bedrock.json. Prices are US dollars for a\n\
         # million tokens, of {}, in {}:\n# {}.\n#\n# One group, so that prices are there before they are used. Its interval stands in each `offset`.\n\
         groups:\n  - name: gen_ai_usage\n    interval: 15s\n    rules:\n",
        table.as_of, table.region, table.source
    );
    for (model, price) in &table.models {
        let by_type = [
            ("input", price.input),
            ("output", price.output),
            ("cache_read", price.cache_read),
            ("cache_write", price.cache_write),
        ];
        for (token_type, usd) in by_type {
            // Writing into a string cannot fail.
            let _ = write!(
                text,
                "      - record: gen_ai:price_usd_per_million_tokens\n        expr: vector({usd})\n        \
                 labels: {{base_model: \"{model}\", genai_token_type: {token_type}}}\n"
            );
        }
    }
    let models: Vec<String> = table.models.keys().map(|model| escaped(model)).collect();
    text.push_str(&USAGE.replace("BASE_MODELS", &models.join("|")));
    text
}

/// `model` as a pattern that stands for itself, in YAML and in queries alike: a class of one sign
/// needs no backslash, which queries would want twice.
fn escaped(model: &str) -> String {
    model.replace('.', "[.]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_of_every_model_is_a_rule_and_every_model_is_told_from_its_id() {
        let table = PriceTable::built_in();
        let rules: serde_json::Value = serde_norway::from_str(&rules(&table)).unwrap();
        let rules = rules["groups"][0]["rules"].as_array().unwrap();
        let (prices, usage) = rules.split_at(4 * table.models.len());
        let price = prices.iter().find(|rule| {
            rule["labels"]["base_model"] == "amazon.nova-pro-v1:0"
                && rule["labels"]["genai_token_type"] == "cache_read"
        });
        assert_eq!(price.unwrap()["expr"], "vector(0.2)");
        let told = usage[0]["expr"].as_str().unwrap();
        for model in table.models.keys() {
            assert!(told.contains(&escaped(model)), "{model}");
        }
    }
}

//! A forecast is what its JSON Schema says.

mod support;

use spanproof_schemas::forecast::{
    BedrockForecast, BlocksForecast, Component, FORECAST_VERSION, Forecast, ForecastLoad, Ingest,
    LimitForecast, LocalDisk, PolicyForecast, PriceSource, QueryForecast, SeriesForecast,
    StoreCost, Uncertainty,
};
use support::{assert_refuses_spoiled, document, validator};

fn policy() -> PolicyForecast {
    let text = || "text".to_owned();
    PolicyForecast {
        policy: "cut:2KiB".to_owned(),
        otlp_bytes_per_trace: 1.5,
        stored_bytes_per_trace: 1.5,
        stored_bytes_per_span: 0.5,
        stored_bytes_per_day: 1e9,
        stored_bytes_per_month: 1e12,
        stored_bytes_at_retention: 1e15,
        uncertainty: Uncertainty {
            seeds: 0.01,
            extrapolation: 0.0,
            least_bytes_at_retention: 1.0,
            greatest_bytes_at_retention: 2.0,
        },
        ingest: Ingest { mean_bytes_per_second: 1.0, peak_bytes_per_second: 2.0 },
        blocks: BlocksForecast {
            cut_per_day: 2_880.0,
            traces_per_cut: 1.0,
            cut_bytes_per_trace: 1.0,
            compaction_levels: 4,
            kept: 336.0,
        },
        cost: StoreCost { storage_usd: 0.0, write_requests_usd: 1.0, read_requests_usd: 2.0 },
        local_disk: LocalDisk { wal_bytes: 1.0, recent_block_bytes: 2.0 },
        queries: vec![QueryForecast {
            name: text(),
            traceql: "{ }".to_owned(),
            bytes_per_hour: 1.0,
            bytes_per_day: 24.0,
        }],
        components: vec![Component { name: text(), replicas: 1, rule: text() }],
        limits: vec![LimitForecast {
            setting: text(),
            unit: "bytes".to_owned(),
            limit: 1.0,
            load: 2.0,
            is_hit: true,
            consequence: text(),
            remedy: text(),
        }],
    }
}

#[test]
fn a_forecast_is_what_its_schema_says() {
    let schema = validator("forecast");
    let prices = PriceSource {
        as_of: "2026-11-22".to_owned(),
        region: "us-east-1".to_owned(),
        source: "memory".to_owned(),
    };
    let forecast = Forecast {
        version: FORECAST_VERSION,
        load: ForecastLoad {
            scenario: "rag".to_owned(),
            encoding: "vParquet5".to_owned(),
            traces_per_day: 80_000.0,
            spans_per_trace: 4.5,
            peak_factor: 1.5,
            retention_days: 14.0,
            replication: 3,
            block_cut_seconds: 30.0,
            max_attribute_bytes: Some(2_048),
            sampled_traces: vec![1_600, 400],
        },
        policies: vec![policy()],
        series: SeriesForecast {
            dimensions: vec!["gen_ai.request.model".to_owned()],
            combinations: 1,
            series_per_combination: 19,
            active_series: 19,
            series_per_model_id: 19,
            with_thousand_model_ids: 19_019,
        },
        bedrock: BedrockForecast {
            usd_per_day: 1.0,
            usd_per_month: 30.44,
            unpriced_models: vec!["a.model".to_owned()],
            prices: prices.clone(),
        },
        prices,
    };
    assert_refuses_spoiled(&schema, &document(&schema, &forecast), &[]);
}

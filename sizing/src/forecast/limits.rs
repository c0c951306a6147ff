//! The limits on the way of telemetry, and how much of each a load takes.

use spanproof_schemas::forecast::{Ingest, LimitForecast};

use super::LoadShape;
use super::sample::{Measured, float};
use crate::BlockOptions;

/// How long a trace is live after its last span: idle time, and the next flush.
const LIVE_SECONDS: f64 = 10.0;
/// `ingestion.rate_limit_bytes` and `burst_size_bytes` of Tempo 3; half and two thirds before.
const RATE_LIMIT_BYTES: f64 = 30e6;
/// What an OTLP receiver takes over gRPC, in the Collector and in Tempo.
const GRPC_BYTES: f64 = 4.0 * 1024.0 * 1024.0;
/// The same over HTTP.
const HTTP_BYTES: f64 = 20.0 * 1024.0 * 1024.0;
/// Spans in a batch of an SDK: `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`.
const SDK_BATCH: f64 = 512.0;
/// Spans in a batch of the Collector: `send_batch_size`.
const COLLECTOR_BATCH: f64 = 8_192.0;

/// Those that are hit first, and then by how near they are.
pub(super) fn forecast(
    load: &LoadShape,
    options: &BlockOptions,
    measured: &Measured,
    ingest: Ingest,
) -> Vec<LimitForecast> {
    let facts = &measured.facts;
    let peak_traces = load.traces_per_second() * load.peak_factor;
    let span = facts.mean_span_bytes;
    let fitting = |bytes: f64| (bytes / span).floor().max(1.0);
    let mut limits = vec![
        limit(
            "max_traces_per_user",
            "live traces",
            float(BlockOptions::MAX_LIVE_TRACES),
            peak_traces * LIVE_SECONDS,
            "spans of further traces are dropped; the sender is told that all is well",
            "raise overrides.defaults.ingestion.max_traces_per_user",
        ),
        limit(
            "rate_limit_bytes",
            "bytes a second",
            RATE_LIMIT_BYTES,
            ingest.peak_bytes_per_second,
            "requests are refused with 429; a sender that does not retry loses them",
            "raise overrides.defaults.ingestion.rate_limit_bytes, or add distributors",
        ),
        limit(
            "OTLP over gRPC, a batch of an SDK (512 spans)",
            "bytes",
            GRPC_BYTES,
            span * SDK_BATCH,
            "the whole batch is refused and lost",
            &format!(
                "set OTEL_BSP_MAX_EXPORT_BATCH_SIZE to {} at most, or raise the receiver's \
                 max_recv_msg_size_mib",
                fitting(GRPC_BYTES),
            ),
        ),
        limit(
            "OTLP over gRPC, a batch of the Collector (8,192 spans)",
            "bytes",
            GRPC_BYTES,
            span * COLLECTOR_BATCH,
            "the whole batch is refused and lost",
            &format!(
                "set send_batch_max_size to {} at most, or raise the receiver's \
                 max_recv_msg_size_mib",
                fitting(GRPC_BYTES),
            ),
        ),
        limit(
            "OTLP over HTTP, a batch of the Collector (8,192 spans)",
            "bytes",
            HTTP_BYTES,
            span * COLLECTOR_BATCH,
            "the whole batch is refused with 400 and lost",
            &format!(
                "set send_batch_max_size to {} at most, or raise the receiver's \
                 max_request_body_size",
                fitting(HTTP_BYTES),
            ),
        ),
    ];
    // Where the limit is lifted, Tempo has to be told.
    let most = options.max_attribute_bytes.unwrap_or(BlockOptions::MAX_ATTRIBUTE_BYTES);
    limits.push(limit(
        "max_attribute_bytes",
        "bytes",
        float(most as u64),
        float(facts.largest_attribute_bytes),
        "text is cut there; JSON in it no longer parses, and only a counter says so",
        "raise distributor.max_attribute_bytes, or keep content out of spans",
    ));
    if let Some(most) = options.max_trace_bytes {
        limits.push(limit(
            "max_bytes_per_trace",
            "bytes",
            float(most),
            float(facts.largest_trace_bytes),
            "further spans of the trace are dropped; the sender is told that all is well",
            "raise overrides.defaults.global.max_bytes_per_trace",
        ));
    }
    let nearness = |limit: &LimitForecast| limit.load / limit.limit;
    limits.sort_by(|left, right| nearness(right).total_cmp(&nearness(left)));
    limits
}

fn limit(
    setting: &str,
    unit: &str,
    limit: f64,
    load: f64,
    consequence: &str,
    remedy: &str,
) -> LimitForecast {
    LimitForecast {
        setting: setting.to_owned(),
        unit: unit.to_owned(),
        limit,
        load,
        is_hit: load > limit,
        consequence: consequence.to_owned(),
        remedy: remedy.to_owned(),
    }
}

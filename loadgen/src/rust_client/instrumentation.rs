//! The tracer and the instruments of one version of the conventions.

use std::time::Duration;

use opentelemetry::metrics::{Histogram, Meter, MeterProvider};
use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use spanproof_schemas::ledger::Usage;

use super::answer::Answer;
use super::dialect::{Dialect, MetricFacts, PROVIDER};
use super::request::Request;

/// The name of the instrumentation scope.
const SCOPE: &str = "spanproof.aws_sdk_bedrockruntime";

/// Everything that calls share for telling of themselves.
#[derive(Debug)]
pub(super) struct Instrumentation {
    pub(super) dialect: Dialect,
    pub(super) tracer: SdkTracer,
    pub(super) with_content: bool,
    /// Host and port of the service.
    pub(super) server: (String, u16),
    token_usage: Histogram<u64>,
    duration: Histogram<f64>,
    time_to_first_chunk: Option<Histogram<f64>>,
    time_per_output_chunk: Option<Histogram<f64>>,
}

impl Instrumentation {
    pub(super) fn new(
        dialect: Dialect,
        tracers: &SdkTracerProvider,
        meters: &SdkMeterProvider,
        server: (String, u16),
        with_content: bool,
    ) -> Instrumentation {
        let scope = InstrumentationScope::builder(SCOPE)
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_schema_url(dialect.schema_url.clone())
            .build();
        let meter = meters.meter_with_scope(scope.clone());
        let seconds = |name, facts: &MetricFacts| seconds(&meter, name, facts);
        Instrumentation {
            token_usage: tokens(&meter, &dialect.token_usage),
            duration: seconds("gen_ai.client.operation.duration", &dialect.duration),
            time_to_first_chunk: dialect
                .time_to_first_chunk
                .as_ref()
                .map(|facts| seconds("gen_ai.client.operation.time_to_first_chunk", facts)),
            time_per_output_chunk: dialect
                .time_per_output_chunk
                .as_ref()
                .map(|facts| seconds("gen_ai.client.operation.time_per_output_chunk", facts)),
            tracer: tracers.tracer_with_scope(scope),
            dialect,
            with_content,
            server,
        }
    }

    /// Records the metrics of a call that has ended.
    pub(super) fn record(
        &self,
        request: &Request,
        answer: &Answer,
        times: &Times,
        error: Option<&str>,
    ) {
        let mut attributes = vec![
            KeyValue::new("gen_ai.operation.name", request.task.operation_name()),
            KeyValue::new(self.dialect.provider_key, PROVIDER),
            KeyValue::new("gen_ai.request.model", request.model.clone()),
            KeyValue::new("server.address", self.server.0.clone()),
            KeyValue::new("server.port", i64::from(self.server.1)),
        ];
        attributes.extend(
            answer.model.clone().map(|model| KeyValue::new("gen_ai.response.model", model)),
        );
        if let (Some(instrument), Some(first)) = (&self.time_to_first_chunk, times.to_first_chunk) {
            instrument.record(first.as_secs_f64(), &attributes);
        }
        if let Some(instrument) = &self.time_per_output_chunk {
            for gap in &times.between_chunks {
                instrument.record(gap.as_secs_f64(), &attributes);
            }
        }
        let error_at = attributes.len();
        if let Some(error) = error {
            attributes.push(KeyValue::new("error.type", error.to_owned()));
        }
        self.duration.record(times.duration.as_secs_f64(), &attributes);
        attributes.truncate(error_at);
        if let Some(usage) = answer.usage {
            self.record_tokens(usage, attributes);
        }
    }

    fn record_tokens(&self, usage: Usage, mut attributes: Vec<KeyValue>) {
        attributes.push(KeyValue::new("gen_ai.token.type", "input"));
        self.token_usage.record(self.dialect.input_tokens(usage), &attributes);
        if usage.output_tokens > 0 {
            attributes.pop();
            attributes.push(KeyValue::new("gen_ai.token.type", "output"));
            self.token_usage.record(usage.output_tokens, &attributes);
        }
    }
}

/// How long the parts of a call took.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// From the start to the end.
    pub(super) duration: Duration,
    /// From the start to the first chunk, of streams.
    pub(super) to_first_chunk: Option<Duration>,
    /// From each chunk to the next.
    pub(super) between_chunks: Vec<Duration>,
}

fn tokens(meter: &Meter, facts: &MetricFacts) -> Histogram<u64> {
    let builder = meter
        .u64_histogram("gen_ai.client.token.usage")
        .with_unit("{token}")
        .with_description("Number of input and output tokens used.");
    match facts.boundaries.as_slice() {
        [] => builder.build(),
        boundaries => builder.with_boundaries(boundaries.to_vec()).build(),
    }
}

fn seconds(meter: &Meter, name: &'static str, facts: &MetricFacts) -> Histogram<f64> {
    let builder = meter.f64_histogram(name).with_unit("s");
    match facts.boundaries.as_slice() {
        [] => builder.build(),
        boundaries => builder.with_boundaries(boundaries.to_vec()).build(),
    }
}

//! The tracer and the instruments of one version of the conventions.

use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider};
use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use spanproof_schemas::ledger::{Task, Usage};

use crate::dialect::{Dialect, MetricFacts, PROVIDER, TokenMetrics};

use super::answer::Answer;
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
    tokens: TokenInstruments,
    duration: Histogram<f64>,
    embeddings_duration: Histogram<f64>,
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
        let seconds = |facts: &MetricFacts| seconds(&meter, facts);
        Instrumentation {
            tokens: TokenInstruments::new(&meter, &dialect.tokens),
            duration: seconds(&dialect.duration),
            embeddings_duration: seconds(&dialect.embeddings_duration),
            time_to_first_chunk: dialect.time_to_first_chunk.as_ref().map(seconds),
            time_per_output_chunk: dialect.time_per_output_chunk.as_ref().map(seconds),
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
        let is_embedding = request.task == Task::Embeddings;
        let duration = if is_embedding { &self.embeddings_duration } else { &self.duration };
        duration.record(times.duration.as_secs_f64(), &attributes);
        attributes.truncate(error_at);
        if let Some(usage) = answer.usage {
            self.record_tokens(usage, is_embedding, attributes);
        }
    }

    fn record_tokens(&self, usage: Usage, is_embedding: bool, mut attributes: Vec<KeyValue>) {
        let input_tokens = self.dialect.input_tokens(usage);
        match &self.tokens {
            TokenInstruments::One(histogram) => {
                attributes.push(KeyValue::new("gen_ai.token.type", "input"));
                histogram.record(input_tokens, &attributes);
                if usage.output_tokens > 0 {
                    attributes.pop();
                    attributes.push(KeyValue::new("gen_ai.token.type", "output"));
                    histogram.record(usage.output_tokens, &attributes);
                }
            }
            // These count what chats and the like use.
            TokenInstruments::Each { .. } if is_embedding => {}
            TokenInstruments::Each { counters, input, output } => {
                input.record(input_tokens, &attributes);
                output.record(usage.output_tokens, &attributes);
                attributes.push(KeyValue::new("gen_ai.token.modality", "text"));
                for (kind, counter) in counters {
                    let tokens = match kind.as_str() {
                        "input_tokens" => input_tokens,
                        "output_tokens" => usage.output_tokens,
                        "cache_read.input_tokens" => usage.cache_read_input_tokens,
                        "cache_write.input_tokens" => usage.cache_write_input_tokens,
                        "reasoning.output_tokens" => usage.reasoning_output_tokens,
                        _ => continue,
                    };
                    if tokens > 0 {
                        counter.add(tokens, &attributes);
                    }
                }
            }
        }
    }
}

/// The instruments that count tokens.
#[derive(Debug)]
enum TokenInstruments {
    One(Histogram<u64>),
    Each {
        /// By the kind of tokens, such as `cache_read.input_tokens`.
        counters: Vec<(String, Counter<u64>)>,
        input: Histogram<u64>,
        output: Histogram<u64>,
    },
}

impl TokenInstruments {
    fn new(meter: &Meter, metrics: &TokenMetrics) -> TokenInstruments {
        match metrics {
            TokenMetrics::One(facts) => TokenInstruments::One(tokens(meter, facts)),
            TokenMetrics::Each { counters, input, output } => TokenInstruments::Each {
                counters: counters
                    .iter()
                    .map(|name| {
                        let counter = meter.u64_counter(name.clone()).with_unit("{token}").build();
                        let kind = name.strip_prefix("gen_ai.client.inference.usage.");
                        (kind.unwrap_or(name).to_owned(), counter)
                    })
                    .collect(),
                input: tokens(meter, input),
                output: tokens(meter, output),
            },
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
        .u64_histogram(facts.name.clone())
        .with_unit("{token}")
        .with_description("Number of input and output tokens used.");
    match facts.boundaries.as_slice() {
        [] => builder.build(),
        boundaries => builder.with_boundaries(boundaries.to_vec()).build(),
    }
}

fn seconds(meter: &Meter, facts: &MetricFacts) -> Histogram<f64> {
    let builder = meter.f64_histogram(facts.name.clone()).with_unit("s");
    match facts.boundaries.as_slice() {
        [] => builder.build(),
        boundaries => builder.with_boundaries(boundaries.to_vec()).build(),
    }
}

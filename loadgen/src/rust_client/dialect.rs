//! What one version of the semantic conventions has names for.

use std::collections::BTreeSet;

use spanproof_schemas::ledger::{Task, Usage};
use spanproof_schemas::semconv::{AttributeType, Registry, SpanType, Version};

/// The value of the provider attribute, in every version.
pub(super) const PROVIDER: &str = "aws.bedrock";

/// A version's vocabulary, as the instrumentation asks for it.
#[derive(Debug)]
pub(super) struct Dialect {
    pub(super) schema_url: String,
    /// `gen_ai.system`, or `gen_ai.provider.name` from 1.37.0 on.
    pub(super) provider_key: &'static str,
    /// What tokens written to the cache are called, where they have a name.
    pub(super) cache_write_key: &'static str,
    /// Whether input tokens count those read from and written to the cache.
    pub(super) input_includes_cached: bool,
    /// Whether `gen_ai.request.top_k` is an integer.
    pub(super) top_k_is_int: bool,
    chat: BTreeSet<String>,
    embeddings: BTreeSet<String>,
    pub(super) tokens: TokenMetrics,
    /// The duration of chats and the like.
    pub(super) duration: MetricFacts,
    /// The duration of embeddings.
    pub(super) embeddings_duration: MetricFacts,
    pub(super) time_to_first_chunk: Option<MetricFacts>,
    pub(super) time_per_output_chunk: Option<MetricFacts>,
}

/// How a version counts tokens by metrics.
#[derive(Debug)]
pub(super) enum TokenMetrics {
    /// One histogram, whose points say which tokens they count.
    One(MetricFacts),
    /// A counter and a histogram for each kind of tokens, of chats and the like only.
    Each {
        /// `gen_ai.client.inference.usage.input_tokens` and so on: the kinds by what comes last.
        counters: Vec<String>,
        input: MetricFacts,
        output: MetricFacts,
    },
}

/// What a version says of a metric.
#[derive(Clone, Debug, Default)]
pub(super) struct MetricFacts {
    pub(super) name: String,
    /// Advised bucket boundaries; empty where there are none.
    pub(super) boundaries: Vec<f64>,
}

impl Dialect {
    pub(super) fn of(version: Version) -> Dialect {
        let registry = version.registry();
        let chat = attributes(&registry, "chat");
        // 1.28.0 has one kind of GenAI span for everything, and no embeddings yet.
        let embeddings = attributes(&registry, "embeddings");
        let embeddings = if embeddings.is_empty() { chat.clone() } else { embeddings };
        let first = |names: [&'static str; 2]| {
            names.into_iter().find(|name| chat.contains(*name)).unwrap_or(names[1])
        };
        let metric = |name: &str| {
            let metric = registry.metrics.get(name)?;
            Some(MetricFacts { name: name.to_owned(), boundaries: metric.boundaries.clone() })
        };
        let timed = |what: &str| {
            metric(&format!("gen_ai.client.inference.{what}"))
                .or_else(|| metric(&format!("gen_ai.client.operation.{what}")))
        };
        let embeddings_duration = metric("gen_ai.client.operation.duration").unwrap_or_default();
        let is_counter = |name: &&String| name.starts_with("gen_ai.client.inference.usage.");
        Dialect {
            provider_key: first(["gen_ai.provider.name", "gen_ai.system"]),
            cache_write_key: first([
                "gen_ai.usage.cache_write.input_tokens",
                "gen_ai.usage.cache_creation.input_tokens",
            ]),
            // From 1.40.0 on, the version that names tokens read from the cache.
            input_includes_cached: chat.contains("gen_ai.usage.cache_read.input_tokens"),
            top_k_is_int: registry
                .attributes
                .get("gen_ai.request.top_k")
                .is_some_and(|top_k| top_k.value_type == AttributeType::Int),
            chat,
            embeddings,
            tokens: match metric("gen_ai.client.token.usage") {
                Some(one) => TokenMetrics::One(one),
                None => TokenMetrics::Each {
                    counters: registry.metrics.keys().filter(is_counter).cloned().collect(),
                    input: metric("gen_ai.client.inference.operation.input_tokens")
                        .unwrap_or_default(),
                    output: metric("gen_ai.client.inference.operation.output_tokens")
                        .unwrap_or_default(),
                },
            },
            duration: timed("duration").unwrap_or_default(),
            embeddings_duration,
            time_to_first_chunk: timed("time_to_first_chunk"),
            time_per_output_chunk: timed("time_per_output_chunk"),
            schema_url: registry.schema_url,
        }
    }

    /// Whether spans of `task` have the attribute `name` in this version.
    pub(super) fn has(&self, task: Task, name: &str) -> bool {
        let names = if task == Task::Embeddings { &self.embeddings } else { &self.chat };
        names.contains(name)
    }

    /// Input tokens as this version counts them.
    pub(super) fn input_tokens(&self, usage: Usage) -> u64 {
        if self.input_includes_cached { usage.all_input_tokens() } else { usage.input_tokens }
    }
}

/// The attributes of the span type that describes an operation on Bedrock, without deprecated ones.
fn attributes(registry: &Registry, operation: &str) -> BTreeSet<String> {
    let is_current = |name: &String| {
        registry.attributes.get(name).is_none_or(|attribute| attribute.deprecated.is_none())
    };
    let of_type =
        |span: &SpanType| span.attributes.keys().filter(|name| is_current(name)).cloned().collect();
    let types = || registry.spans.values().filter(|span| span.operations.contains(operation));
    types()
        .find(|span| span.fixed.values().any(|value| value == PROVIDER))
        .or_else(|| types().find(|span| span.fixed.is_empty()))
        .map(of_type)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_own_words() {
        let said: String = Version::all()
            .map(|version| {
                let dialect = Dialect::of(version);
                let has = |name| if dialect.has(Task::Chat, name) { "yes" } else { "no" };
                format!(
                    "{version}: {}, stream {}, cache {}, messages {}, input {} cached, first chunk {}, duration {}",
                    dialect.provider_key,
                    has("gen_ai.request.stream"),
                    has("gen_ai.usage.cache_read.input_tokens"),
                    has("gen_ai.input.messages"),
                    if dialect.input_includes_cached { "with" } else { "without" },
                    if dialect.time_to_first_chunk.is_some() { "yes" } else { "no" },
                    dialect.duration.name,
                )
            })
            .collect::<Vec<String>>()
            .join("\n");
        insta::assert_snapshot!(said);
    }

    #[test]
    fn embeddings_have_no_finish_reasons() {
        for version in Version::all().filter(|version| version.as_str() >= "1.34.0") {
            let dialect = Dialect::of(version);
            assert!(dialect.has(Task::Chat, "gen_ai.response.finish_reasons"), "{version}");
            assert!(!dialect.has(Task::Embeddings, "gen_ai.response.finish_reasons"), "{version}");
        }
    }
}

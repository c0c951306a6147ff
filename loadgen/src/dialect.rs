//! What one version of the semantic conventions has names for.

use std::collections::BTreeSet;

use spanproof_schemas::ledger::{Task, Usage};
use spanproof_schemas::semconv::{AttributeType, Registry, SpanKind, SpanType, Version};

/// The value of the provider attribute, in every version.
pub(crate) const PROVIDER: &str = "aws.bedrock";

/// The event that tells a call in attributes.
const DETAILS_EVENT: &str = "gen_ai.client.inference.operation.details";

/// A version's vocabulary, as an instrumentation asks for it: that of the reference client, and what
/// synthetic spans are made with.
#[derive(Debug)]
pub(crate) struct Dialect {
    pub(crate) schema_url: String,
    /// `gen_ai.system`, or `gen_ai.provider.name` from 1.37.0 on.
    pub(crate) provider_key: &'static str,
    /// What tokens written to the cache are called, where they have a name.
    pub(crate) cache_write_key: &'static str,
    /// Whether input tokens count those read from and written to the cache.
    pub(crate) input_includes_cached: bool,
    /// Whether `gen_ai.request.top_k` is an integer.
    pub(crate) top_k_is_int: bool,
    /// The event that tells a call in attributes, where the version has it.
    pub(crate) details_event: Option<&'static str>,
    chat: BTreeSet<String>,
    embeddings: BTreeSet<String>,
    /// Whether the version lists embeddings among its operations.
    pub(crate) lists_embeddings: bool,
    /// Agents that run in the application, where the version knows agents.
    pub(crate) agent: Option<SpanWords>,
    /// Tools that run in the application, where the version knows tools.
    pub(crate) tool: Option<SpanWords>,
    pub(crate) tokens: TokenMetrics,
    /// The duration of chats and the like.
    pub(crate) duration: MetricFacts,
    /// The duration of embeddings.
    pub(crate) embeddings_duration: MetricFacts,
    pub(crate) time_to_first_chunk: Option<MetricFacts>,
    pub(crate) time_per_output_chunk: Option<MetricFacts>,
}

/// A type of span around model calls.
#[derive(Debug)]
pub(crate) struct SpanWords {
    pub(crate) kind: SpanKind,
    attributes: BTreeSet<String>,
}

impl SpanWords {
    /// Whether spans of the type have the attribute `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.attributes.contains(name)
    }
}

/// How a version counts tokens by metrics.
#[derive(Debug)]
pub(crate) enum TokenMetrics {
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
pub(crate) struct MetricFacts {
    pub(crate) name: String,
    /// Advised bucket boundaries; empty where there are none.
    pub(crate) boundaries: Vec<f64>,
}

impl Dialect {
    pub(crate) fn of(version: Version) -> Dialect {
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
            details_event: [DETAILS_EVENT]
                .into_iter()
                .find(|name| registry.events.contains_key(*name)),
            chat,
            embeddings,
            lists_embeddings: registry.attributes.get("gen_ai.operation.name").is_some_and(
                |operation| operation.members.iter().any(|member| member.value == "embeddings"),
            ),
            agent: within(&registry, "invoke_agent"),
            tool: within(&registry, "execute_tool"),
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
    pub(crate) fn has(&self, task: Task, name: &str) -> bool {
        let names = if task == Task::Embeddings { &self.embeddings } else { &self.chat };
        names.contains(name)
    }

    /// Input tokens as this version counts them.
    pub(crate) fn input_tokens(&self, usage: Usage) -> u64 {
        if self.input_includes_cached { usage.all_input_tokens() } else { usage.input_tokens }
    }
}

/// The attributes of the span type that describes an operation on Bedrock, without deprecated ones.
fn attributes(registry: &Registry, operation: &str) -> BTreeSet<String> {
    let of_type = |span: &SpanType| current_attributes(registry, span);
    let types = || registry.spans.values().filter(|span| span.operations.contains(operation));
    types()
        .find(|span| span.fixed.values().any(|value| value == PROVIDER))
        .or_else(|| types().find(|span| span.fixed.is_empty()))
        .map(of_type)
        .unwrap_or_default()
}

/// The span type that describes an operation in the application itself, where one may be so; else
/// the one that the version has.
fn within(registry: &Registry, operation: &str) -> Option<SpanWords> {
    let types = || {
        let of_operation = |span: &&SpanType| span.operations.contains(operation);
        let all = registry.spans.values().filter(of_operation);
        all.filter(|span| span.fixed.is_empty() && span.refines.is_none())
    };
    let kind = SpanKind::Internal;
    let internal = types().find(|span| span.kinds.contains(&kind)).map(|span| (kind, span));
    let (kind, span) =
        internal.or_else(|| types().find_map(|span| Some((*span.kinds.first()?, span))))?;
    Some(SpanWords { kind, attributes: current_attributes(registry, span) })
}

fn current_attributes(registry: &Registry, span: &SpanType) -> BTreeSet<String> {
    let is_current = |name: &&String| {
        registry.attributes.get(*name).is_none_or(|attribute| attribute.deprecated.is_none())
    };
    span.attributes.keys().filter(is_current).cloned().collect()
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

//! What one version of the semantic conventions has names for.

use std::collections::BTreeSet;

use spanproof_schemas::ledger::{Task, Usage};
use spanproof_schemas::semconv::{Registry, SpanType, Version};

/// The value of the provider attribute, in every version.
pub(super) const PROVIDER: &str = "aws.bedrock";

/// A version's vocabulary, as the instrumentation asks for it.
#[derive(Debug)]
pub(super) struct Dialect {
    pub(super) schema_url: String,
    /// `gen_ai.system`, or `gen_ai.provider.name` from 1.37.0 on.
    pub(super) provider_key: &'static str,
    /// Whether input tokens count those read from and written to the cache.
    pub(super) input_includes_cached: bool,
    chat: BTreeSet<String>,
    embeddings: BTreeSet<String>,
    pub(super) token_usage: MetricFacts,
    pub(super) duration: MetricFacts,
    pub(super) time_to_first_chunk: Option<MetricFacts>,
    pub(super) time_per_output_chunk: Option<MetricFacts>,
}

/// What a version says of a metric.
#[derive(Debug, Default)]
pub(super) struct MetricFacts {
    /// Advised bucket boundaries; empty where there are none.
    pub(super) boundaries: Vec<f64>,
}

/// Versions before 1.34.0 know one kind of GenAI span and none for a provider: 1.30.0 and 1.28.0
/// call it so.
const ONLY_GEN_AI: [&str; 2] = ["span.gen_ai.client", "trace.gen_ai.client"];

impl Dialect {
    pub(super) fn of(version: Version) -> Dialect {
        let registry = version.registry();
        let own = |first: &[&'static str]| attributes(&registry, &[first, &ONLY_GEN_AI].concat());
        let chat = own(&["span.aws.bedrock.client", "span.gen_ai.inference.client"]);
        let embeddings = own(&["span.gen_ai.embeddings.client"]);
        let provider_key = if chat.contains("gen_ai.provider.name") {
            "gen_ai.provider.name"
        } else {
            "gen_ai.system"
        };
        let metric = |name: &str| {
            let metric = registry.metrics.get(name)?;
            Some(MetricFacts { boundaries: metric.boundaries.clone() })
        };
        Dialect {
            provider_key,
            // From 1.40.0 on, the version that names tokens read from the cache.
            input_includes_cached: chat.contains("gen_ai.usage.cache_read.input_tokens"),
            chat,
            embeddings,
            token_usage: metric("gen_ai.client.token.usage").unwrap_or_default(),
            duration: metric("gen_ai.client.operation.duration").unwrap_or_default(),
            time_to_first_chunk: metric("gen_ai.client.operation.time_to_first_chunk"),
            time_per_output_chunk: metric("gen_ai.client.operation.time_per_output_chunk"),
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

/// The attributes of the first of `types` that the version has, without deprecated ones.
fn attributes(registry: &Registry, types: &[&str]) -> BTreeSet<String> {
    let is_current = |name: &String| {
        registry.attributes.get(name).is_none_or(|attribute| attribute.deprecated.is_none())
    };
    let of_type =
        |span: &SpanType| span.attributes.keys().filter(|name| is_current(name)).cloned().collect();
    types.iter().find_map(|span| registry.spans.get(*span)).map(of_type).unwrap_or_default()
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
                    "{version}: {}, stream {}, cache {}, messages {}, input {} cached, first chunk {}",
                    dialect.provider_key,
                    has("gen_ai.request.stream"),
                    has("gen_ai.usage.cache_read.input_tokens"),
                    has("gen_ai.input.messages"),
                    if dialect.input_includes_cached { "with" } else { "without" },
                    if dialect.time_to_first_chunk.is_some() { "yes" } else { "no" },
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

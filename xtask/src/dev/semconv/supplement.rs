//! Facts that the conventions publish outside their YAML, and the one place where their text is
//! not followed.

use std::collections::BTreeSet;

use spanproof_schemas::semconv::{Attribute, Condition, Registry, Requirement, Status, Successor};

/// The attributes that are kept whether or not a kept signal refers to them, by the first part of
/// their name: what GenAI telemetry on AWS carries.
pub(super) const NAMESPACES: &[&str] = &[
    "aws",
    "client",
    "error",
    "exception",
    "gen_ai",
    "jsonrpc",
    "mcp",
    "network",
    "openai",
    "rpc",
    "server",
];

/// Powers of four: the advised boundaries of token counts.
const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// Doubling from a hundredth: the advised boundaries of operation durations, in seconds.
const DURATIONS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/// Advised boundaries of a model server's time per output token, in seconds.
const TIME_PER_OUTPUT_TOKEN: &[f64] =
    &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];

/// Advised boundaries of a model server's time to the first token, in seconds.
const TIME_TO_FIRST_TOKEN: &[f64] =
    &[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The advised bucket boundaries of `metric`, which the page of GenAI metrics
/// (`docs/gen-ai/gen-ai-metrics.md` of the conventions) states and their YAML does not; empty for
/// the metrics that are not listed here.
pub(super) fn boundaries(metric: &str) -> Vec<f64> {
    let boundaries = match metric {
        "gen_ai.client.token.usage" => TOKENS,
        "gen_ai.client.operation.duration" | "gen_ai.server.request.duration" => DURATIONS,
        "gen_ai.server.time_per_output_token" => TIME_PER_OUTPUT_TOKEN,
        "gen_ai.server.time_to_first_token" => TIME_TO_FIRST_TOKEN,
        _ => &[],
    };
    boundaries.to_vec()
}

/// What a GenAI span is called, and that it is a client's, where its group does not say. Up to
/// 1.30 the page of GenAI spans (`docs/gen-ai/gen-ai-spans.md`) said so for all of them at once.
pub(super) const SPAN_NAME: &str = "{gen_ai.operation.name} {gen_ai.request.model}";

/// Groups that say they are spans and are there to be extended only.
pub(super) const BASES: &[&str] = &["trace.gen_ai.client.common"];

/// The id of a span type without what the first format sets before it, so that ids of both formats
/// and of every version are of one kind.
pub(super) fn span_id(group: &str) -> &str {
    group.strip_prefix("span.").or_else(|| group.strip_prefix("trace.")).unwrap_or(group)
}

/// The requirement that is judged instead of the one written for `attribute`, if they differ.
pub(super) fn requirement(attribute: &str, written: Requirement) -> Requirement {
    match (attribute, written) {
        // Listed as required of every Bedrock span, which no call without a guardrail can meet:
        // there is no id to state.
        ("aws.bedrock.guardrail.id", Requirement::Required) => {
            Requirement::ConditionallyRequired(Condition::GuardrailInRequest)
        }
        _ => written,
    }
}

/// Names that span types have had in the releases: which one became which.
const SPAN_RENAMES: &[(&str, &str)] = &[
    ("gen_ai.client", "gen_ai.inference.client"),
    ("gen_ai.openai.client", "gen_ai.openai.inference.client"),
    ("gen_ai.openai.inference.client", "openai.inference.client"),
    ("gen_ai.az.ai.inference.client", "gen_ai.azure.ai.inference.client"),
    ("gen_ai.azure.ai.inference.client", "azure.ai.inference.client"),
];

/// Adds what the sources leave to the reader: which operations a span type is for where it does not
/// say, that the span type of Bedrock is for Bedrock, and which span types had other names.
pub(super) fn complete(registry: &mut Registry) {
    let all: BTreeSet<String> = registry
        .attributes
        .get("gen_ai.operation.name")
        .into_iter()
        .flat_map(|operation| &operation.members)
        .map(|member| member.value.clone())
        .collect();
    let claimed: BTreeSet<String> =
        registry.spans.values().flat_map(|span| span.operations.iter().cloned()).collect();
    let rest: BTreeSet<String> = all.difference(&claimed).cloned().collect();
    let provider = if registry.attributes.contains_key("gen_ai.provider.name") {
        "gen_ai.provider.name"
    } else {
        "gen_ai.system"
    };
    for (id, span) in &mut registry.spans {
        if span.operations.is_empty() && !id.starts_with("mcp.") {
            span.operations.clone_from(&rest);
        }
        if id == "aws.bedrock.client" {
            span.fixed.insert(provider.to_owned(), "aws.bedrock".to_owned());
        }
    }
    // 1.28 and 1.30 describe the spans of OpenAI beside the general one, and do not say that the
    // value tells them apart.
    for id in ["gen_ai.openai.client", "gen_ai.openai.inference.client"] {
        if let Some(span) = registry.spans.get_mut(id) {
            span.fixed.insert(provider.to_owned(), "openai".to_owned());
        }
    }
    for (former, name) in SPAN_RENAMES {
        if registry.spans.contains_key(*name) && !registry.spans.contains_key(*former) {
            let successor = Successor { name: (*name).to_owned(), only_on: None };
            registry.successors.spans.insert((*former).to_owned(), vec![successor]);
        }
    }
}

/// Makes a registry of the GenAI conventions, which have left those at large, one that knows the
/// names that `before` had: those that it does not have any more are deprecated.
pub(super) fn carry_over(registry: &mut Registry, before: &Registry) {
    registry.status = Status::InDevelopment;
    let gone = before.attributes.iter().filter(|(name, _)| name.starts_with("gen_ai."));
    for (name, attribute) in gone {
        registry.attributes.entry(name.clone()).or_insert_with(|| Attribute {
            deprecated: Some(attribute.deprecated.clone().unwrap_or_default()),
            ..attribute.clone()
        });
    }
}

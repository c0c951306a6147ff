//! Facts that the conventions publish outside their YAML, and the one place where their text is
//! not followed.

use spanproof_schemas::semconv::{Condition, Requirement};

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

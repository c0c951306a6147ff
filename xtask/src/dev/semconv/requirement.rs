//! Requirement levels: the words of the conventions as codes that an engine can decide.

use anyhow::{Context, Result, bail};
use serde_norway::Value;
use spanproof_schemas::semconv::{Condition, Requirement};

/// What each condition of the conventions comes to. Conditions are looked up in lower case and
/// without the full stop; one that is not here stops the import.
const CONDITIONS: &[(&str, Condition)] = &[
    ("if the operation ended in an error", Condition::OnError),
    ("if and only if the operation fails", Condition::OnError),
    ("if and only if the operation failed", Condition::OnError),
    ("if available", Condition::IfAvailable),
    ("when available", Condition::IfAvailable),
    ("if applicable", Condition::IfApplicable),
    ("when applicable", Condition::IfApplicable),
    ("if `server.address` is set", Condition::IfServerAddress),
    ("when `server.address` is set", Condition::IfServerAddress),
    ("if applicable and if `server.address` is set", Condition::IfServerAddress),
    (
        "if and only if the port is available and `server.address` is set",
        Condition::IfServerAddress,
    ),
    (
        "if and only if the request is streaming. if unset, the request is assumed to be non-streaming",
        Condition::Streaming,
    ),
    ("if the request was a streaming request", Condition::Streaming),
    ("if available, in the request, and !=1", Condition::ChoiceCountNotOne),
    ("if the request includes a seed", Condition::SeedInRequest),
    ("if applicable and if the request includes a seed", Condition::SeedInRequest),
    ("if appliable and if the request includes a seed", Condition::SeedInRequest),
    ("if the request includes a response_format", Condition::OutputFormatInRequest),
    (
        "when applicable and if the request includes an output format",
        Condition::OutputFormatInRequest,
    ),
    (
        "required if `exception.message` is not set, recommended otherwise",
        Condition::NoExceptionMessage,
    ),
    ("required if `exception.type` is not set, recommended otherwise", Condition::NoExceptionType),
    ("when span kind is `client`", Condition::ClientSpan),
    ("if provided by the application", Condition::AppProvided),
    ("if not default (443)", Condition::PortNotDefault),
    (
        "if the request includes a service_tier and the value is not 'auto'",
        Condition::TierRequested,
    ),
    ("if the response was received and includes a service_tier", Condition::TierInResponse),
    ("if response is not successful", Condition::OnError),
    ("if and only if session ends with an error", Condition::OnError),
    (
        "if the operation is handled by a named external genai provider or service",
        Condition::ExternalProvider,
    ),
    ("if the operation involves a call to a genai provider", Condition::ProviderCall),
    // What only the protocols of RPC and MCP could tell.
    ("if response contains an error code", Condition::Undecidable),
    ("if `network.peer.address` is set", Condition::Undecidable),
    ("when `client.address` is set", Condition::Undecidable),
    ("if other than the default version (`1.0`)", Condition::Undecidable),
    ("if and only if it's different than `rpc.method`", Condition::Undecidable),
    ("if response is not successful and if error code available", Condition::Undecidable),
    (
        "should be set to `execute_tool` when the operation describes a tool call and should not be set otherwise",
        Condition::Undecidable,
    ),
    ("when operation is related to a specific prompt", Condition::Undecidable),
    ("when operation is related to a specific tool", Condition::Undecidable),
    ("when the client executes a request", Condition::Undecidable),
    (
        "when the client executes a request type that includes a resource uri parameter",
        Condition::Undecidable,
    ),
    ("when the mcp request or notification is part of a session", Condition::Undecidable),
    ("when it's not `2.0`", Condition::Undecidable),
];

/// The level that an attribute states, or none when it leaves the level to the group it extends.
pub(super) fn parse(level: Option<&Value>) -> Result<Option<Requirement>> {
    let Some(level) = level else { return Ok(None) };
    if let Some(name) = level.as_str() {
        return match name {
            "required" => Ok(Some(Requirement::Required)),
            "recommended" => Ok(Some(Requirement::Recommended)),
            "opt_in" => Ok(Some(Requirement::OptIn)),
            _ => bail!("unknown requirement level `{name}`"),
        };
    }
    let conditional = level.as_mapping().filter(|mapping| mapping.len() == 1);
    let (name, text) = conditional
        .and_then(|mapping| mapping.iter().next())
        .and_then(|(name, text)| Some((name.as_str()?, text.as_str()?)))
        .context("a requirement level is a word, or a word with its condition")?;
    match name {
        "conditionally_required" => Ok(Some(Requirement::ConditionallyRequired(condition(text)?))),
        "recommended" => Ok(Some(Requirement::RecommendedIf(condition(text)?))),
        _ => bail!("unknown requirement level `{name}`"),
    }
}

fn condition(text: &str) -> Result<Condition> {
    let key = text.trim().trim_end_matches('.').to_lowercase();
    CONDITIONS
        .iter()
        .find(|(known, _)| *known == key)
        .map(|(_, condition)| *condition)
        .with_context(|| {
            format!("unknown condition `{key}`: say what it comes to in CONDITIONS of the importer")
        })
}

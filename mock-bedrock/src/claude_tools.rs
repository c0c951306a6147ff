//! Tools that Claude knows without a schema: those that a client runs, and those that run beside the
//! model.

use serde_json::value::RawValue;

/// The schema of a tool that a client runs, by the beginning of its type: what of its documented
/// arguments a client cannot do without.
const CLIENT_TOOLS: &[(&str, &str)] = &[
    (
        "bash_",
        r#"{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}"#,
    ),
    (
        "text_editor_",
        r#"{"type":"object","properties":{"command":{"enum":["view"]},"path":{"type":"string"}},"required":["command","path"]}"#,
    ),
    (
        "computer_",
        r#"{"type":"object","properties":{"action":{"enum":["screenshot"]}},"required":["action"]}"#,
    ),
    (
        "memory_",
        r#"{"type":"object","properties":{"command":{"enum":["view"]},"path":{"type":"string"}},"required":["command","path"]}"#,
    ),
];

/// The beginnings of the types of tools that run beside the model.
const SERVER_TOOLS: &[&str] = &["web_search_", "web_fetch_", "code_execution_"];

/// The schema of the client tool whose type that is.
pub(crate) fn client_schema(kind: &str) -> Option<Box<RawValue>> {
    let (_, schema) = CLIENT_TOOLS.iter().find(|(stem, _)| kind.starts_with(stem))?;
    RawValue::from_string((*schema).to_owned()).ok()
}

/// Whether the tool whose type that is runs beside the model.
pub(crate) fn runs_beside_the_model(kind: &str) -> bool {
    SERVER_TOOLS.iter().any(|stem| kind.starts_with(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_json() {
        for (stem, _) in CLIENT_TOOLS {
            assert!(client_schema(&format!("{stem}20250124")).is_some(), "{stem}");
        }
        assert!(client_schema("custom").is_none());
        assert!(runs_beside_the_model("web_search_20250305"));
        assert!(!runs_beside_the_model("bash_20250124"));
    }
}

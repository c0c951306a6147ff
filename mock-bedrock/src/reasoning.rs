//! How requests ask a model to reason before it answers: each family has members of its own for it.

use serde::Deserialize;
use serde_json::Value;

use crate::error::ServiceError;
use crate::model::{Capability, Model};
use crate::turn::{Reasoning, ToolChoice, Turn};

/// Reasoning tokens by effort: this mock's own figures, the providers state none.
const EFFORTS: &[(&str, u64)] =
    &[("minimal", 64), ("low", 256), ("medium", 1_024), ("high", 4_096), ("max", 16_384)];
/// The effort of a request that asks for reasoning and does not say how much.
const USUAL_EFFORT: &str = "medium";
/// The fewest tokens that Claude may be given to think.
const LEAST_THINKING_TOKENS: u64 = 1_024;
/// A prompt with this text in it makes Claude encrypt what it thinks: the documented string for
/// tests goes on with a hash.
const REDACTION_TRIGGER: &str = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING";

/// The members by which families ask for reasoning: in Claude's native body, and among Converse's
/// `additionalModelRequestFields`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Fields {
    /// Claude: `{"type":"enabled","budget_tokens":…}`.
    pub(crate) thinking: Option<Value>,
    /// Claude's by its older name; DeepSeek and Qwen take it too.
    pub(crate) reasoning_config: Option<Value>,
    /// gpt-oss: an effort.
    pub(crate) reasoning_effort: Option<Value>,
    /// Nova 2: `{"type":"enabled","maxReasoningEffort":…}`.
    #[serde(rename = "reasoningConfig")]
    pub(crate) nova: Option<Value>,
    /// Claude since Opus 4.5: `{"effort":…}`.
    pub(crate) output_config: Option<Value>,
}

/// Reads `fields` into `turn`, whose parameters have been read.
///
/// # Errors
///
/// A `ValidationException` in the words of the model's provider, without what the Converse
/// operations put before them.
pub(crate) fn read(fields: &Fields, model: &Model, turn: &mut Turn) -> Result<(), ServiceError> {
    let claude = fields.thinking.as_ref().or(fields.reasoning_config.as_ref());
    let asked = match model.family.as_str() {
        "claude" => match claude {
            Some(thinking) => claude_thinking(thinking, fields, model, turn)?,
            None => None,
        },
        "nova" => match &fields.nova {
            Some(config) if config["type"] == "enabled" => {
                Some(effort(&config["maxReasoningEffort"])?)
            }
            _ => None,
        },
        _ => match (&fields.reasoning_effort, claude) {
            (Some(word), _) | (None, Some(word @ Value::String(_))) => Some(effort(word)?),
            (None, Some(config)) if config["type"] == "enabled" => Some(effort(&Value::Null)?),
            _ => None,
        },
    };
    if let Some(budget_tokens) = asked
        && model.supports(Capability::Reasoning)
    {
        let redacted = model.family == "claude" && turn.prompt.contains(REDACTION_TRIGGER);
        turn.reasoning = Some(Reasoning { budget_tokens, redacted });
    }
    Ok(())
}

/// The most tokens that Claude is to think, if it is.
fn claude_thinking(
    thinking: &Value,
    fields: &Fields,
    model: &Model,
    turn: &Turn,
) -> Result<Option<u64>, ServiceError> {
    let kind = thinking["type"].as_str().unwrap_or_default();
    if kind == "disabled" {
        return Ok(None);
    }
    if !model.supports(Capability::Reasoning) {
        return Err(ServiceError::malformed("#: extraneous key [thinking] is not permitted"));
    }
    let budget = match kind {
        "enabled" => {
            let Some(budget) = thinking["budget_tokens"].as_u64() else {
                return Err(ServiceError::validation(
                    "thinking.enabled.budget_tokens: Field required",
                ));
            };
            check_budget(budget, turn)?;
            budget
        }
        "adaptive" => {
            let word =
                fields.output_config.as_ref().map_or(&Value::Null, |config| &config["effort"]);
            effort(word)?
        }
        other => {
            return Err(ServiceError::validation(format!(
                "thinking: Input tag '{other}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'"
            )));
        }
    };
    if matches!(turn.tool_choice, ToolChoice::Any | ToolChoice::Tool(_)) {
        return Err(ServiceError::validation(
            "Thinking may not be enabled when tool_choice forces tool use.",
        ));
    }
    if turn.parameters.temperature.is_some_and(|temperature| (temperature - 1.0).abs() > 1e-9) {
        return Err(ServiceError::validation(
            "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking'",
        ));
    }
    Ok(Some(budget))
}

fn check_budget(budget: u64, turn: &Turn) -> Result<(), ServiceError> {
    if budget < LEAST_THINKING_TOKENS {
        return Err(ServiceError::validation(format!(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_THINKING_TOKENS}"
        )));
    }
    if turn.parameters.max_tokens.is_some_and(|most| most <= budget) {
        return Err(ServiceError::validation(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
        ));
    }
    Ok(())
}

/// The tokens of an effort, which may be left out.
fn effort(word: &Value) -> Result<u64, ServiceError> {
    let name = if word.is_null() { USUAL_EFFORT } else { word.as_str().unwrap_or_default() };
    match EFFORTS.iter().find(|(known, _)| *known == name) {
        Some((_, tokens)) => Ok(*tokens),
        None => Err(ServiceError::validation(format!(
            "the reasoning effort {word} is not one of minimal, low, medium, high, max"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model;

    const SONNET: &str = "us.anthropic.claude-sonnet-4-20250514-v1:0";

    fn asked(
        model: &str,
        fields: Value,
        change: impl FnOnce(&mut Turn),
    ) -> Result<Option<Reasoning>, String> {
        let fields: Fields = serde_json::from_value(fields).unwrap();
        let mut turn = Turn::new();
        change(&mut turn);
        match read(&fields, model::resolve(model).unwrap(), &mut turn) {
            Ok(()) => Ok(turn.reasoning),
            Err(error) => Err(error.message.into_owned()),
        }
    }

    #[test]
    fn each_family_is_asked_in_its_own_words() {
        let budget = |model, fields| {
            asked(model, fields, |_| {}).unwrap().map(|reasoning| reasoning.budget_tokens)
        };
        let enabled = json!({ "type": "enabled", "budget_tokens": 2_000 });
        assert_eq!(budget(SONNET, json!({ "thinking": enabled })), Some(2_000));
        assert_eq!(budget(SONNET, json!({ "reasoning_config": enabled })), Some(2_000));
        assert_eq!(budget(SONNET, json!({ "thinking": { "type": "disabled" } })), None);
        assert_eq!(budget(SONNET, json!({})), None);
        let adaptive =
            json!({ "thinking": { "type": "adaptive" }, "output_config": { "effort": "low" } });
        assert_eq!(budget("us.anthropic.claude-opus-4-8", adaptive), Some(256));
        let nova =
            json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": "high" } });
        assert_eq!(budget("us.amazon.nova-2-lite-v1:0", nova.clone()), Some(4_096));
        assert_eq!(budget("amazon.nova-lite-v1:0", nova), None);
        let effort = json!({ "reasoning_effort": "low" });
        assert_eq!(budget("openai.gpt-oss-20b-1:0", effort), Some(256));
        assert_eq!(budget("deepseek.v3-v1:0", json!({ "reasoning_config": "high" })), Some(4_096));
    }

    #[test]
    fn claude_is_not_asked_to_think_and_told_otherwise() {
        let enabled =
            |budget: u64| json!({ "thinking": { "type": "enabled", "budget_tokens": budget } });
        for (fields, change, message) in [
            (json!({ "thinking": { "type": "enabled" } }), None, "budget_tokens: Field required"),
            (enabled(1_000), None, "greater than or equal to 1024"),
            (enabled(2_000), Some("max_tokens"), "`max_tokens` must be greater than"),
            (enabled(2_000), Some("temperature"), "`temperature` may only be set to 1"),
            (enabled(2_000), Some("choice"), "tool_choice forces tool use"),
            (json!({ "thinking": { "type": "x" } }), None, "Input tag 'x'"),
        ] {
            let refused = asked(SONNET, fields, |turn| match change {
                Some("max_tokens") => turn.parameters.max_tokens = Some(2_000),
                Some("temperature") => turn.parameters.temperature = Some(0.5),
                Some(_) => turn.tool_choice = ToolChoice::Any,
                None => {}
            });
            let refused = refused.unwrap_err();
            assert!(refused.contains(message), "{refused}");
        }
        let refused = asked("anthropic.claude-3-haiku-20240307-v1:0", enabled(2_000), |_| {});
        assert!(refused.unwrap_err().contains("extraneous key [thinking]"));
    }

    #[test]
    fn the_documented_trigger_encrypts_what_claude_thinks() {
        let fields = json!({ "thinking": { "type": "enabled", "budget_tokens": 2_000 } });
        let reasoning = asked(SONNET, fields, |turn| turn.add_text(REDACTION_TRIGGER));
        assert!(reasoning.unwrap().unwrap().redacted);
    }
}

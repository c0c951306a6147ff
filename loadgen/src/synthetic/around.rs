//! The spans around model calls: those of the scenario, agents and tools.

use spanproof_schemas::semconv::SpanKind;

use super::attributes::Attributes;
use super::scope::Scope;
use super::span::Head;
use super::wire::{Key, Of};
use crate::dialect::{Dialect, PROVIDER, SpanWords};
use crate::scenario::{Agent, SpanShape, Spread, Tool};

/// Spans of one shape.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) head: Head,
    pub(super) attributes: Attributes,
    pub(super) seconds: Spread,
}

impl Around {
    pub(super) fn new(shape: &SpanShape) -> Around {
        Around {
            head: Head::new(&shape.name, shape.kind),
            attributes: Attributes::new(Of::Span, &shape.attributes),
            seconds: shape.seconds,
        }
    }
}

/// The spans of an agent.
#[derive(Debug)]
pub(super) struct AgentTemplate {
    pub(super) head: Head,
    pub(super) scope: Scope,
    pub(super) constant: Vec<u8>,
    pub(super) model: Key,
    pub(super) conversation_id: Key,
    pub(super) input_tokens: Key,
    pub(super) output_tokens: Key,
    pub(super) finish_reasons: Key,
    pub(super) tools: Vec<ToolTemplate>,
}

impl AgentTemplate {
    pub(super) fn new(dialect: &Dialect, agent: &Agent, tools: &[Tool]) -> AgentTemplate {
        let words = dialect.agent.as_ref();
        let key = |name| Key::known(Of::Span, name, has(words, name));
        let mut constant = Vec::new();
        let out = &mut constant;
        // A version without agents knows of no such operation.
        Key::known(Of::Span, "gen_ai.operation.name", words.is_some()).text(out, "invoke_agent");
        key(dialect.provider_key).text(out, PROVIDER);
        key("gen_ai.agent.name").text(out, &agent.name);
        Key::known(Of::Span, "agent.name", words.is_none()).text(out, &agent.name);
        AgentTemplate {
            head: Head::new(
                &named(words, "invoke_agent", "agent", &agent.name),
                words.map_or(SpanKind::Internal, |words| words.kind),
            ),
            scope: scope(words),
            constant,
            model: key("gen_ai.request.model"),
            conversation_id: key("gen_ai.conversation.id"),
            input_tokens: key("gen_ai.usage.input_tokens"),
            output_tokens: key("gen_ai.usage.output_tokens"),
            finish_reasons: key("gen_ai.response.finish_reasons"),
            tools: tools.iter().map(|tool| ToolTemplate::new(dialect, agent, tool)).collect(),
        }
    }
}

/// The spans of a tool.
#[derive(Debug)]
pub(super) struct ToolTemplate {
    pub(super) head: Head,
    pub(super) scope: Scope,
    pub(super) constant: Vec<u8>,
    pub(super) call_id: Key,
    pub(super) conversation_id: Key,
}

impl ToolTemplate {
    fn new(dialect: &Dialect, agent: &Agent, tool: &Tool) -> ToolTemplate {
        let words = dialect.tool.as_ref();
        let key = |name| Key::known(Of::Span, name, has(words, name));
        let mut constant = Vec::new();
        let out = &mut constant;
        Key::known(Of::Span, "gen_ai.operation.name", words.is_some()).text(out, "execute_tool");
        key("gen_ai.tool.name").text(out, &tool.name);
        key("gen_ai.tool.description").text(out, &tool.description);
        key("gen_ai.tool.type").text(out, "function");
        key("gen_ai.agent.name").text(out, &agent.name);
        Key::known(Of::Span, "tool.name", words.is_none()).text(out, &tool.name);
        ToolTemplate {
            head: Head::new(
                &named(words, "execute_tool", "tool", &tool.name),
                words.map_or(SpanKind::Internal, |words| words.kind),
            ),
            scope: scope(words),
            constant,
            call_id: key("gen_ai.tool.call.id"),
            conversation_id: key("gen_ai.conversation.id"),
        }
    }
}

fn has(words: Option<&SpanWords>, name: &str) -> bool {
    words.is_some_and(|words| words.has(name))
}

/// A span that the version does not know is the application's own.
fn scope(words: Option<&SpanWords>) -> Scope {
    if words.is_some() { Scope::GenAi } else { Scope::Application }
}

fn named(words: Option<&SpanWords>, operation: &str, other: &str, name: &str) -> String {
    let operation = if words.is_some() { operation } else { other };
    format!("{operation} {name}")
}

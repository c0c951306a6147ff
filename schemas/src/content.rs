//! The JSON Schemas of what telemetry holds of prompts, answers and tools, under `content/`: one
//! for each kind of content and range of versions, in our own words.
//!
//! A file is named by the first version that it holds for, and holds until the next one of its
//! folder. References between the files are relative, so that any validator follows them.

use crate::semconv::Version;

/// What the conventions describe by a JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `gen_ai.input.messages`
    InputMessages,
    /// `gen_ai.output.messages`
    OutputMessages,
    /// `gen_ai.system_instructions`
    SystemInstructions,
    /// `gen_ai.tool.definitions`
    ToolDefinitions,
    /// `gen_ai.tool.call.arguments`
    ToolCallArguments,
    /// `gen_ai.tool.call.result`
    ToolCallResult,
    /// `gen_ai.retrieval.documents`
    RetrievalDocuments,
    /// `gen_ai.memory.records`
    MemoryRecords,
    /// The body of `gen_ai.system.message`.
    SystemMessage,
    /// The body of `gen_ai.user.message`.
    UserMessage,
    /// The body of `gen_ai.assistant.message`.
    AssistantMessage,
    /// The body of `gen_ai.tool.message`.
    ToolMessage,
    /// The body of `gen_ai.choice`.
    Choice,
}

/// One schema of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The first version that it holds for.
    pub since: &'static str,
    /// The file below `content/`, such as `choice/1.28.0.schema.json`.
    pub path: &'static str,
    /// The JSON Schema.
    pub text: &'static str,
}

macro_rules! schemas {
    ($folder:literal, $($since:literal),+) => {
        &[$(Schema {
            since: $since,
            path: concat!($folder, "/", $since, ".schema.json"),
            text: include_str!(concat!("../content/", $folder, "/", $since, ".schema.json")),
        }),+]
    };
}

/// The parts of messages, which the schemas of messages and instructions refer to.
pub static PARTS: &[Schema] = schemas!("part", "1.37.0", "1.38.0", "1.40.0", "genai-dev");

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 13] = [
        Kind::InputMessages,
        Kind::OutputMessages,
        Kind::SystemInstructions,
        Kind::ToolDefinitions,
        Kind::ToolCallArguments,
        Kind::ToolCallResult,
        Kind::RetrievalDocuments,
        Kind::MemoryRecords,
        Kind::SystemMessage,
        Kind::UserMessage,
        Kind::AssistantMessage,
        Kind::ToolMessage,
        Kind::Choice,
    ];

    /// The attribute that holds it, or the event whose body it is.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::InputMessages => "gen_ai.input.messages",
            Kind::OutputMessages => "gen_ai.output.messages",
            Kind::SystemInstructions => "gen_ai.system_instructions",
            Kind::ToolDefinitions => "gen_ai.tool.definitions",
            Kind::ToolCallArguments => "gen_ai.tool.call.arguments",
            Kind::ToolCallResult => "gen_ai.tool.call.result",
            Kind::RetrievalDocuments => "gen_ai.retrieval.documents",
            Kind::MemoryRecords => "gen_ai.memory.records",
            Kind::SystemMessage => "gen_ai.system.message",
            Kind::UserMessage => "gen_ai.user.message",
            Kind::AssistantMessage => "gen_ai.assistant.message",
            Kind::ToolMessage => "gen_ai.tool.message",
            Kind::Choice => "gen_ai.choice",
        }
    }

    /// Whether it is the body of an event, and no attribute.
    #[must_use]
    pub fn is_body(self) -> bool {
        use Kind::{AssistantMessage, Choice, SystemMessage, ToolMessage, UserMessage};
        matches!(self, SystemMessage | UserMessage | AssistantMessage | ToolMessage | Choice)
    }

    /// The schemas of the kind, oldest first.
    #[must_use]
    pub fn schemas(self) -> &'static [Schema] {
        match self {
            Kind::InputMessages => {
                schemas!("input-messages", "1.37.0", "1.38.0", "1.40.0", "genai-dev")
            }
            Kind::OutputMessages => {
                schemas!("output-messages", "1.37.0", "1.38.0", "1.40.0", "genai-dev")
            }
            Kind::SystemInstructions => {
                schemas!("system-instructions", "1.37.0", "1.38.0", "genai-dev")
            }
            Kind::ToolDefinitions => schemas!("tool-definitions", "1.38.0", "1.41.1"),
            Kind::ToolCallArguments => schemas!("tool-call-arguments", "1.38.0"),
            Kind::ToolCallResult => schemas!("tool-call-result", "1.38.0"),
            Kind::RetrievalDocuments => schemas!("retrieval-documents", "1.40.0", "genai-dev"),
            Kind::MemoryRecords => schemas!("memory-records", "genai-dev"),
            Kind::SystemMessage => schemas!("system-message", "1.28.0"),
            Kind::UserMessage => schemas!("user-message", "1.28.0"),
            Kind::AssistantMessage => schemas!("assistant-message", "1.28.0"),
            Kind::ToolMessage => schemas!("tool-message", "1.28.0"),
            Kind::Choice => schemas!("choice", "1.28.0"),
        }
    }

    /// The schema that holds for a version; nothing before the first one.
    #[must_use]
    pub fn schema(self, version: Version) -> Option<&'static Schema> {
        self.schemas()
            .iter()
            .rev()
            .find(|schema| schema.since.parse::<Version>().is_ok_and(|since| since <= version))
    }
}

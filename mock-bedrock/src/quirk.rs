//! Oddities of the service that were recorded or reported, offered by name.
//!
//! Without quirks answers hold together: every place that states a count states the same one, and
//! every body fits the service's own model. The real service breaks that now and then; a quirk
//! breaks it in the same way. The ledger keeps the counts as they were charged, whatever a quirk
//! makes the answer say.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An oddity of the service. What a family does always, such as the empty text that opens a stream
/// of gpt-oss, is no quirk. Recorded ones were seen in the service's own bytes, reported ones
/// stand in public issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// The last `message_delta` of a streamed tool call by Claude 3.5 counts more output tokens
    /// than `amazon-bedrock-invocationMetrics` does: 133 against 97. Recorded.
    ClaudeToolStreamUsage,
    /// `toolUse` blocks of the Converse operations carry `"type":"tool_use"`, a value that the
    /// service's model does not list. Recorded in 2026.
    ConverseToolUseType,
    /// ConverseStream counts a cache write twice when Claude thinks before it answers. Reported in
    /// langchain-aws#983.
    ThinkingCacheWriteTwice,
    /// ConverseStream counts what GPT-5.6 reads from the prompt cache and writes to it among
    /// `inputTokens` too, and so twice in `totalTokens`: 4,995 of input with 4,993 written, where
    /// Converse says 2. Reported in maximhq/bifrost#6942.
    OpenaiInputIncludesCached,
    /// `billed_units.input_tokens` of Cohere Command R leaves out most of what
    /// `tokens.input_tokens` counts: 5 against 71. Recorded.
    CohereBilledUnits,
    /// Under a guardrail the counts in Titan's native bodies are written as floats: `28.0`.
    /// Recorded.
    GuardrailTitanFloats,
    /// Under a guardrail the usage in Nova's native bodies shrinks to `{"inputTokens":30}`.
    /// Recorded.
    GuardrailNovaUsage,
    /// Assessments of a guardrail leave out lists that are empty, though the service's model
    /// requires them: `regexes` beside `piiEntities`, `customWords` beside `managedWordLists`.
    /// Recorded.
    GuardrailNoEmptyLists,
}

impl Quirk {
    /// Every quirk.
    pub const ALL: &[Quirk] = &[
        Quirk::ClaudeToolStreamUsage,
        Quirk::ConverseToolUseType,
        Quirk::ThinkingCacheWriteTwice,
        Quirk::OpenaiInputIncludesCached,
        Quirk::CohereBilledUnits,
        Quirk::GuardrailTitanFloats,
        Quirk::GuardrailNovaUsage,
        Quirk::GuardrailNoEmptyLists,
    ];

    /// Its name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Quirk::ClaudeToolStreamUsage => "claude-tool-stream-usage",
            Quirk::ConverseToolUseType => "converse-tool-use-type",
            Quirk::ThinkingCacheWriteTwice => "thinking-cache-write-twice",
            Quirk::OpenaiInputIncludesCached => "openai-input-includes-cached",
            Quirk::CohereBilledUnits => "cohere-billed-units",
            Quirk::GuardrailTitanFloats => "guardrail-titan-floats",
            Quirk::GuardrailNovaUsage => "guardrail-nova-usage",
            Quirk::GuardrailNoEmptyLists => "guardrail-no-empty-lists",
        }
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no quirk has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a quirk: use one of {names}", names = names())]
pub struct UnknownQuirk(String);

fn names() -> String {
    let names: Vec<&str> = Quirk::ALL.iter().map(|quirk| quirk.name()).collect();
    names.join(", ")
}

impl FromStr for Quirk {
    type Err = UnknownQuirk;

    fn from_str(name: &str) -> Result<Self, UnknownQuirk> {
        Quirk::ALL
            .iter()
            .find(|quirk| quirk.name() == name)
            .copied()
            .ok_or_else(|| UnknownQuirk(name.to_owned()))
    }
}

/// The quirks that a server has, small enough to go along with every answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quirks(u32);

impl Quirks {
    pub(crate) fn of(quirks: &BTreeSet<Quirk>) -> Self {
        Quirks(quirks.iter().fold(0, |bits, quirk| bits | 1 << *quirk as u32))
    }

    pub(crate) fn has(self, quirk: Quirk) -> bool {
        self.0 & 1 << quirk as u32 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back_alike_by_the_command_line_and_by_files() {
        for quirk in Quirk::ALL {
            assert_eq!(quirk.name().parse(), Ok(*quirk));
            assert_eq!(serde_json::to_value(quirk).unwrap(), quirk.name());
        }
        let names: BTreeSet<&str> = Quirk::ALL.iter().map(|quirk| quirk.name()).collect();
        assert_eq!(names.len(), Quirk::ALL.len());
        let unknown = "none".parse::<Quirk>().unwrap_err().to_string();
        assert!(unknown.contains("guardrail-nova-usage"), "{unknown}");
    }

    #[test]
    fn a_server_has_the_quirks_that_it_was_given() {
        let quirks = Quirks::of(&BTreeSet::from([Quirk::GuardrailNovaUsage]));
        for quirk in Quirk::ALL {
            assert_eq!(quirks.has(*quirk), *quirk == Quirk::GuardrailNovaUsage);
        }
    }
}

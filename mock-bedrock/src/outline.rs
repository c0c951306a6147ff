//! What a request says its answer is to be like, where chance would decide otherwise.

use std::str::FromStr;

/// The request header that says it.
pub(crate) const HEADER: &str = "x-spanproof-answer";
/// The key of `requestMetadata` that does.
pub(crate) const METADATA_KEY: &str = "spanproof-answer";

/// The longest answer to ask for: more than any model's limit.
const MOST_TOKENS: u64 = 1_000_000;

/// An answer's length, and how it ends: `130`, `130 end_turn`, `130 tool_use`, `130 stop_sequence`.
///
/// It takes the place of what the mock would draw, and of nothing that the request itself decides:
/// an answer stays within its limit of tokens, calls only tools that are offered, and ends at
/// stop sequences that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// How many tokens the text has if nothing ends it before.
    pub(crate) tokens: u64,
    /// How it ends. Nothing leaves that to chance.
    pub(crate) end: Option<End>,
}

/// How an answer ends, of the ways that a request leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// When all is said.
    OfItself,
    /// With the use of a tool.
    WithToolUse,
    /// With a stop sequence.
    AtSequence,
}

impl FromStr for Outline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |what: String| {
            format!(
                "{what}; write a number of tokens from 1 to {MOST_TOKENS} and, if you like, how the answer ends: `130 end_turn`, `130 tool_use` or `130 stop_sequence`"
            )
        };
        let mut words = text.split_ascii_whitespace();
        let tokens = words.next().unwrap_or_default();
        let tokens = tokens
            .parse()
            .ok()
            .filter(|tokens| (1..=MOST_TOKENS).contains(tokens))
            .ok_or_else(|| refused(format!("`{tokens}` is no length of an answer")))?;
        let end = match words.next() {
            None => None,
            Some("end_turn") => Some(End::OfItself),
            Some("tool_use") => Some(End::WithToolUse),
            Some("stop_sequence") => Some(End::AtSequence),
            Some(other) => return Err(refused(format!("`{other}` is no end to ask for"))),
        };
        match words.next() {
            None => Ok(Outline { tokens, end }),
            Some(beyond) => Err(refused(format!("`{beyond}` is one word too many"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_outline_is_told_with_what_to_write() {
        let said: Vec<String> = ["", "0", "1000001", "many", "130 max_tokens", "130 end_turn now"]
            .into_iter()
            .map(|text| text.parse::<Outline>().unwrap_err())
            .collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    proptest! {
        #[test]
        fn any_text_is_an_outline_or_refused(text in "\\PC*|[0-9]{1,8}( [a-z_]{1,14})?") {
            let _ = text.parse::<Outline>();
        }
    }
}

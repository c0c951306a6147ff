//! How the answer to a call is to be, which the mock is told.

use crate::scenario::{StopReason, Weighted};

/// The request header that tells the mock.
const HEADER: &str = "x-spanproof-answer";

/// More tokens than the use of a tool takes.
const TOOL_USE_TOKENS: u32 = 256;

/// How the answer to a call is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// How many tokens it has; as many as its limit, if that ends it. The use of a tool takes what
    /// its arguments take.
    pub(crate) tokens: u32,
    /// Why it ends.
    pub(crate) stop: StopReason,
}

impl Answer {
    /// One of `tokens` tokens that ends for `stop`. One that runs into its limit has that of `limits`
    /// which comes before its length.
    pub(crate) fn new(tokens: u32, stop: StopReason, limits: &[Weighted<u32>]) -> Answer {
        if stop != StopReason::MaxTokens {
            return Answer { tokens, stop };
        }
        let below = limits.iter().map(|limit| limit.value).filter(|limit| *limit <= tokens);
        Answer { tokens: below.max().unwrap_or_else(|| smallest_from(limits, 0)), stop }
    }

    /// The upper limit that lets it end as it is to: `drawn`, unless it needs another of `limits`.
    pub(crate) fn limit(self, limits: &[Weighted<u32>], drawn: u32) -> u32 {
        match self.stop {
            StopReason::MaxTokens => self.tokens,
            StopReason::ToolUse => drawn.max(smallest_from(limits, TOOL_USE_TOKENS)),
            StopReason::EndTurn | StopReason::StopSequence if drawn > self.tokens => drawn,
            StopReason::EndTurn | StopReason::StopSequence => {
                smallest_from(limits, self.tokens.saturating_add(1))
            }
        }
    }

    /// The upper limit of an answer that was recorded, whatever the limits of the scenario are.
    pub(crate) fn recorded_limit(self, drawn: u32) -> u32 {
        match self.stop {
            StopReason::MaxTokens => self.tokens,
            _ => drawn.max(self.tokens.saturating_add(1)).max(TOOL_USE_TOKENS),
        }
    }

    pub(crate) fn header(self) -> (String, String) {
        let Answer { tokens, stop } = self;
        let outline = match stop {
            // The answer goes on where the limit ends it.
            StopReason::MaxTokens => format!("{} end_turn", tokens.saturating_add(1)),
            StopReason::EndTurn | StopReason::ToolUse | StopReason::StopSequence => {
                format!("{tokens} {}", stop.name())
            }
        };
        (HEADER.to_owned(), outline)
    }
}

/// The smallest limit that is at least `least`, or else the largest.
fn smallest_from(limits: &[Weighted<u32>], least: u32) -> u32 {
    let values = || limits.iter().map(|limit| limit.value);
    values().filter(|value| *value >= least).min().or(values().max()).unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Vec<Weighted<u32>> {
        [64, 256, 1024].map(|value| Weighted { value, weight: 1.0 }).to_vec()
    }

    #[test]
    fn an_answer_that_is_cut_short_would_go_on_beyond_its_limit() {
        let cut = Answer::new(300, StopReason::MaxTokens, &limits());
        assert_eq!((cut.tokens, cut.limit(&limits(), 64)), (256, 256));
        // Told of 256 tokens, the mock would end the answer of itself.
        assert_eq!(cut.header().1, "257 end_turn");
        let shorter = Answer::new(9, StopReason::MaxTokens, &limits());
        assert_eq!((shorter.tokens, shorter.limit(&limits(), 1024)), (64, 64));
    }

    #[test]
    fn an_answer_that_is_not_cut_short_ends_below_its_limit() {
        for (tokens, drawn, limit) in [(63, 64, 64), (64, 64, 256), (255, 64, 256), (256, 64, 1024)]
        {
            for stop in [StopReason::EndTurn, StopReason::StopSequence] {
                let answer = Answer::new(tokens, stop, &limits());
                assert_eq!(answer.limit(&limits(), drawn), limit);
                assert_eq!(answer.header().1, format!("{tokens} {}", stop.name()));
            }
        }
        let tool = Answer::new(9, StopReason::ToolUse, &limits());
        assert_eq!(tool.limit(&limits(), 64), 256);
    }

    #[test]
    fn a_recorded_answer_ends_as_it_is_to_whatever_the_scenario_allows() {
        let limit = |tokens, stop, drawn| Answer { tokens, stop }.recorded_limit(drawn);
        assert_eq!(limit(5_000, StopReason::EndTurn, 64), 5_001);
        assert_eq!(limit(5_000, StopReason::MaxTokens, 64), 5_000);
        assert_eq!(limit(9, StopReason::StopSequence, 1024), 1024);
        assert_eq!(limit(9, StopReason::ToolUse, 64), TOOL_USE_TOKENS);
    }
}

//! How the answer to a call is to be, which the mock is told.

use super::choose::{length, weighted};
use crate::scenario::{Scenario, StopReason, Weighted};
use crate::streams::{Purpose, stream};
use crate::trace::Recorded;

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
    /// The answer to call `k` of a plan with `seed`, and the upper limit that goes with it:
    /// `drawn`, unless the answer asks for another. `can_end` says which ends there are; where one
    /// is not, the answer ends of itself.
    pub(crate) fn draw(
        scenario: &Scenario,
        recorded: Option<Recorded>,
        (seed, k): (u64, u64),
        drawn: u32,
        can_end: impl Fn(StopReason) -> bool,
    ) -> (Answer, u32) {
        let random = &mut stream(seed, Purpose::Answer, k);
        let tokens = length(&scenario.answers.output_tokens, random);
        let stop = weighted(&scenario.answers.stop_reasons, random);
        let stop = if can_end(stop) { stop } else { StopReason::EndTurn };
        if let Some(Recorded { tokens_out, .. }) = recorded {
            // As long as it was, whatever the scenario's limits are.
            let limit = match stop {
                StopReason::MaxTokens => tokens_out,
                _ => drawn.max(tokens_out.saturating_add(1)).max(TOOL_USE_TOKENS),
            };
            return (Answer { tokens: tokens_out, stop }, limit);
        }
        let limits = &scenario.max_tokens;
        match stop {
            StopReason::MaxTokens => {
                let limit = limits.iter().map(|limit| limit.value).filter(|limit| *limit <= tokens);
                let limit = limit.max().unwrap_or_else(|| smallest_from(limits, 0));
                (Answer { tokens: limit, stop }, limit)
            }
            StopReason::ToolUse => {
                (Answer { tokens, stop }, drawn.max(smallest_from(limits, TOOL_USE_TOKENS)))
            }
            StopReason::EndTurn | StopReason::StopSequence if drawn > tokens => {
                (Answer { tokens, stop }, drawn)
            }
            StopReason::EndTurn | StopReason::StopSequence => {
                (Answer { tokens, stop }, smallest_from(limits, tokens + 1))
            }
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

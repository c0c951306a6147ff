//! What becomes of a call.

use rand::Rng;
use rand_distr::{Distribution, LogNormal};
use spanproof_schemas::ledger::Usage;

use crate::capabilities::Family;
use crate::plan::answer::Answer as Planned;
use crate::plan::choose::{length, share};
use crate::plan::shape::{Shape, System};
use crate::scenario::{Scenario, Spread, StopReason};
use crate::text::tokens_of;

/// How often clients try.
const MOST_ATTEMPTS: u32 = 3;

/// How long an attempt takes that is refused, and the pause after it.
const REFUSAL_NANOS: u64 = 80_000_000;
const PAUSE_NANOS: u64 = 700_000_000;

/// How fast an embedding is, whatever a scenario says of answers.
const EMBEDDING: Spread = Spread { median: 0.09, sigma: 0.35 };

/// What became of a call, its attempts together.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// What was used, unless the call failed or its stream does not say.
    pub(super) usage: Option<Usage>,
    pub(super) stop_reason: Option<StopReason>,
    /// How many tokens of the answer came, whether or not it says so.
    pub(super) output_tokens: u32,
    /// The error that the call ended with.
    pub(super) error: Option<String>,
    /// Attempts that were refused, each with this status, before the last one.
    pub(super) refused: u32,
    pub(super) refused_status: u16,
    /// The HTTP status of the last attempt.
    pub(super) status: u16,
    /// From the start of the call to the first chunk, in nanoseconds; there is none where the last
    /// attempt was refused.
    pub(super) first_chunk_nanos: Option<u64>,
    /// How long the call took, in nanoseconds.
    pub(super) nanos: u64,
}

/// What is asked of a model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Tokens that the model reads for the first time, the shared prefix apart.
    pub(super) new_tokens: u32,
    /// Tokens that it has read in earlier calls of the session.
    pub(super) known_tokens: u32,
    /// Whether it is the first call of its trace, which may meet the plan's fault. Later ones come
    /// so soon that what the ones before them cached is there.
    pub(super) is_first: bool,
    pub(super) ends: Ends,
}

impl Asked {
    /// The first call of a trace.
    pub(super) fn first(shape: &Shape<'_>) -> Asked {
        Asked {
            new_tokens: shape.said_tokens,
            known_tokens: shape.known_tokens,
            is_first: true,
            ends: Ends::AsPlanned,
        }
    }
}

/// Why an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// As the plan has it.
    AsPlanned,
    /// For a tool, as the agent goes on.
    WithTool,
}

impl Answer {
    /// The answer to a call of `shape`. Draws as much, whatever comes out.
    pub(super) fn new(
        scenario: &Scenario,
        shape: &Shape<'_>,
        asked: Asked,
        random: &mut impl Rng,
    ) -> Answer {
        let serving = &scenario.serving;
        let tokens = length(&scenario.answers.output_tokens, random).min(shape.max_tokens);
        let is_hit = share(serving.cache_hit_share, random);
        let first_chunk = seconds(serving.first_chunk_seconds, random);
        let tokens_per_second = drawn(serving.tokens_per_second, random);
        let broken_at = random.next_u32();

        let (stop_reason, output_tokens) = match (asked.ends, shape.answer) {
            _ if shape.family == Family::TitanEmbeddings => (None, 0),
            (Ends::AsPlanned, Some(Planned { tokens, stop })) => (Some(stop), tokens),
            (Ends::WithTool, _) => (Some(StopReason::ToolUse), tokens),
            (Ends::AsPlanned, None) => (Some(StopReason::EndTurn), tokens),
        };
        let generation = nanos(f64::from(output_tokens) / tokens_per_second);
        let fault = shape.fault.filter(|_| asked.is_first);
        let struck = fault.map_or(0, |fault| fault.struck_attempts(MOST_ATTEMPTS));
        let error = fault.and_then(crate::fault::Fault::error_type);
        let status = fault.map_or(200, crate::fault::Fault::status);
        let is_refused = error.is_some() && status != 200;
        let refused = match (status, is_refused) {
            (200, _) => 0,
            (_, true) => struck.saturating_sub(1),
            (_, false) => struck,
        };
        let before = u64::from(refused) * (REFUSAL_NANOS + PAUSE_NANOS);
        let first_chunk_nanos = (!is_refused).then_some(before + first_chunk);
        let nanos = match first_chunk_nanos {
            None => before + REFUSAL_NANOS,
            // A stream that breaks has come to some point.
            Some(first) if error.is_some() => first + generation / 256 * u64::from(broken_at >> 24),
            Some(first) => first + generation,
        };
        let usage = Answer::usage(scenario, shape, asked, is_hit, output_tokens);
        let hides_usage = error.is_some() || fault.is_some_and(crate::fault::Fault::hides_usage);
        Answer {
            usage: (!hides_usage).then_some(usage),
            stop_reason: stop_reason.filter(|_| error.is_none()),
            output_tokens: if is_refused { 0 } else { output_tokens },
            refused,
            refused_status: status,
            status: if is_refused { status } else { 200 },
            error,
            first_chunk_nanos,
            nanos,
        }
    }

    /// The embedding of `tokens` tokens.
    pub(super) fn of_embedding(tokens: u32, random: &mut impl Rng) -> Answer {
        let nanos = seconds(EMBEDDING, random);
        Answer {
            usage: Some(Usage { input_tokens: tokens.into(), ..Usage::default() }),
            stop_reason: None,
            output_tokens: 0,
            error: None,
            refused: 0,
            refused_status: 200,
            status: 200,
            first_chunk_nanos: Some(nanos),
            nanos,
        }
    }

    fn usage(
        scenario: &Scenario,
        shape: &Shape<'_>,
        asked: Asked,
        is_hit: bool,
        output_tokens: u32,
    ) -> Usage {
        let (new, known) = (u64::from(asked.new_tokens), u64::from(asked.known_tokens));
        let prefix = u64::from(scenario.cached_prefix.tokens);
        let is_hit = is_hit || !asked.is_first;
        let (plain, read, written) = match (shape.system, is_hit) {
            (System::None, _) => (known + new, 0, 0),
            (System::Plain(text), _) => (known + new + u64::from(tokens_of(text)), 0, 0),
            (System::Cached { .. }, true) if shape.caches_conversation => (0, prefix + known, new),
            (System::Cached { .. }, false) if shape.caches_conversation => {
                (0, 0, prefix + known + new)
            }
            (System::Cached { .. }, true) => (known + new, prefix, 0),
            (System::Cached { .. }, false) => (known + new, 0, prefix),
        };
        Usage {
            input_tokens: plain,
            output_tokens: output_tokens.into(),
            cache_read_input_tokens: read,
            cache_write_input_tokens: written,
            ..Usage::default()
        }
    }

    /// When each attempt begins and ends, in nanoseconds from the start of the call, with its HTTP
    /// status.
    pub(super) fn attempts(&self) -> impl Iterator<Item = (u64, u64, u16)> + '_ {
        let each = REFUSAL_NANOS + PAUSE_NANOS;
        let refused = (0..u64::from(self.refused))
            .map(move |n| (n * each, n * each + REFUSAL_NANOS, self.refused_status));
        let last = (u64::from(self.refused) * each, self.nanos, self.status);
        refused.chain([last])
    }
}

/// A duration in nanoseconds.
pub(super) fn seconds(spread: Spread, random: &mut impl Rng) -> u64 {
    nanos(drawn(spread, random))
}

fn drawn(Spread { median, sigma }: Spread, random: &mut impl Rng) -> f64 {
    LogNormal::new(median.ln(), sigma).expect("a scenario's sigma is finite").sample(random)
}

/// At most a day, so that no sum overflows.
fn nanos(seconds: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "above zero and at most a day"
    )]
    let nanos = (seconds.clamp(0.0, 86_400.0) * 1e9) as u64;
    nanos
}

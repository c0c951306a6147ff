//! When an answer comes.
//!
//! Times are drawn once an answer, log-normal as measured latencies of hosted models are: the time
//! to the first token, and how fast the rest is generated. In a stream the time between two chunks
//! varies as well, around what the length of the second asks for.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use spanproof_schemas::speed::Speed;

use crate::draw::{self, Purpose};
use crate::model::Model;

/// The longest that a first token takes.
const LONGEST_FIRST_MS: f64 = 60_000.0;

/// How fast a model answers: the medians and spreads that times are drawn from. A spread is the
/// standard deviation of the logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// Median of the time to the first token.
    pub(crate) first_token_median_ms: f64,
    pub(crate) first_token_sigma: f64,
    /// Median of the speed of generation after it.
    pub(crate) tokens_per_second: f64,
    pub(crate) tokens_per_second_sigma: f64,
    /// Spread of the time between two chunks of a stream.
    pub(crate) gap_sigma: f64,
}

/// When an answer comes, in simulated time from the arrival of the request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    pub(crate) first: Duration,
    chars_per_second: f64,
    pub(crate) total: Duration,
    gap_sigma: f64,
    key: u64,
}

impl Timing {
    /// The timing of an answer of `chars` characters by `model`.
    pub(crate) fn draw(model: &Model, pace: &Pace, chars: usize, key: u64) -> Self {
        let mut draws = draw::generator(key, Purpose::Timing);
        let first_ms = log_normal(pace.first_token_median_ms, pace.first_token_sigma, &mut draws)
            .clamp(1.0, LONGEST_FIRST_MS);
        let first = Duration::from_secs_f64(first_ms / 1_000.0);
        if chars == 0 {
            return Timing { first, total: first, chars_per_second: 1.0, gap_sigma: 0.0, key };
        }
        let tokens_per_second =
            log_normal(pace.tokens_per_second, pace.tokens_per_second_sigma, &mut draws);
        let chars_per_second = (tokens_per_second * model.chars_per_token).max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "answers are far below 2^52 characters")]
        let generation = Duration::from_secs_f64(chars as f64 / chars_per_second);
        Timing {
            first,
            chars_per_second,
            total: first + generation,
            gap_sigma: pace.gap_sigma,
            key,
        }
    }

    /// When `chars` characters have been generated, were they generated evenly.
    pub(crate) fn at(&self, chars: usize) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "answers are far below 2^52 characters")]
        let seconds = chars as f64 / self.chars_per_second;
        (self.first + Duration::from_secs_f64(seconds)).min(self.total)
    }

    /// Varies the gaps between `dues`, which are in order and none before the first token: each by
    /// a factor drawn for it, and all so that the last is due when it was. What was due together
    /// stays together.
    pub(crate) fn vary<'d>(&self, dues: impl IntoIterator<Item = &'d mut Duration>) {
        let Ok(factors) = LogNormal::new(0.0, self.gap_sigma) else { return };
        if self.gap_sigma == 0.0 {
            return;
        }
        let mut draws = draw::generator(self.key, Purpose::Gaps);
        let (mut planned, mut varied) = (self.first, 0.0);
        // Where each stands once gaps are varied, before they are scaled back.
        let mut dues: Vec<(&mut Duration, f64)> = dues
            .into_iter()
            .map(|due| {
                let gap = due.saturating_sub(planned);
                if !gap.is_zero() {
                    planned = *due;
                    varied += gap.as_secs_f64() * factors.sample(&mut draws);
                }
                (due, varied)
            })
            .collect();
        if varied > 0.0 {
            let scale = planned.saturating_sub(self.first).as_secs_f64() / varied;
            for (due, at) in &mut dues {
                **due = (self.first + Duration::from_secs_f64(*at * scale)).min(planned);
            }
        }
    }

    /// Everything comes at once, at `due`.
    pub(crate) fn end_at(&mut self, due: Duration) {
        self.first = due;
        self.total = due;
    }

    /// The first token comes at `first` and the last at `last`.
    pub(crate) fn span(&mut self, first: Duration, last: Duration) {
        self.first = first;
        self.total = last.max(first);
    }

    /// Everything comes later `by` as much.
    pub(crate) fn delay(&mut self, by: Duration) {
        self.first += by;
        self.total += by;
    }

    /// The whole latency in milliseconds, as the service reports it.
    pub(crate) fn total_ms(&self) -> u64 {
        milliseconds(self.total)
    }

    /// The time to the first token in milliseconds.
    pub(crate) fn first_ms(&self) -> u64 {
        milliseconds(self.first)
    }
}

/// How long an operation takes that generates nothing: log-normal, with `median_ms`. The spread is
/// a plausible one.
pub(crate) fn latency(median_ms: f64, key: u64) -> Duration {
    let mut draws = draw::generator(key, Purpose::Latency);
    let millis = log_normal(median_ms, 0.35, &mut draws).clamp(1.0, 600_000.0);
    Duration::from_secs_f64(millis / 1_000.0)
}

/// How long to wait for what is due in simulated time, `held` of it because a fault asked for that
/// span. Who asks for a stall of a second wants one, and gets it at [`Speed::Max`] too, where
/// nothing else is waited for.
pub(crate) fn wait(speed: Speed, due: Duration, held: Duration) -> Duration {
    match speed {
        Speed::Max => held,
        Speed::Times(_) => speed.scale(due),
    }
}

/// Whole milliseconds, as the service reports durations.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A draw from the log-normal distribution with `median`, and `sigma` as the standard deviation of
/// the logarithm.
pub(crate) fn log_normal(median: f64, sigma: f64, draws: &mut ChaCha8Rng) -> f64 {
    LogNormal::new(0.0, sigma).map_or(median, |distribution| median * distribution.sample(draws))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalogue;

    const MODEL: &str = "anthropic.claude-3-haiku-20240307-v1:0";

    fn drawn(pace: &Pace, chars: usize, key: u64) -> Timing {
        Timing::draw(catalogue::resolve(MODEL).unwrap(), pace, chars, key)
    }

    fn paces() -> impl Strategy<Value = Pace> {
        (1.0..5_000.0, 0.0..1.0, 1.0..500.0, 0.0..1.0, 0.0..2.0).prop_map(
            |(first, first_sigma, speed, speed_sigma, gap_sigma)| Pace {
                first_token_median_ms: first,
                first_token_sigma: first_sigma,
                tokens_per_second: speed,
                tokens_per_second_sigma: speed_sigma,
                gap_sigma,
            },
        )
    }

    proptest! {
        #[test]
        fn the_first_token_is_never_after_the_last(pace in paces(), chars in 0..9_000_usize, key in any::<u64>()) {
            let timing = drawn(&pace, chars, key);
            prop_assert!(timing.first_ms() <= timing.total_ms());
            prop_assert!(timing.first <= timing.at(chars / 2));
            prop_assert!(timing.at(chars / 2) <= timing.total);
        }

        #[test]
        fn varied_gaps_keep_the_order_the_beginning_and_the_end(
            pace in paces(),
            // Some chunks tell nothing and are due with the one before.
            lengths in prop::collection::vec(prop_oneof![Just(0), 1..40_usize], 1..80),
            key in any::<u64>(),
        ) {
            let chars = lengths.iter().sum();
            let timing = drawn(&pace, chars, key);
            let mut told = 0;
            let even: Vec<Duration> = lengths.iter().map(|length| { told += length; timing.at(told) }).collect();
            let mut dues = even.clone();
            timing.vary(&mut dues);
            prop_assert!(dues.is_sorted());
            prop_assert!(dues[0] >= timing.first);
            let off = dues[dues.len() - 1].abs_diff(even[even.len() - 1]);
            prop_assert!(off < Duration::from_micros(1), "{off:?}");
            for (pair, length) in dues.windows(2).zip(&lengths[1..]) {
                prop_assert!(*length > 0 || pair[0] == pair[1]);
            }
            let mut again = even;
            drawn(&pace, chars, key).vary(&mut again);
            prop_assert_eq!(dues, again);
        }
    }

    /// Medians and spreads of many draws are those that were asked for.
    #[test]
    fn draws_follow_the_pace() {
        let pace = Pace {
            first_token_median_ms: 400.0,
            first_token_sigma: 0.3,
            tokens_per_second: 80.0,
            tokens_per_second_sigma: 0.2,
            gap_sigma: 0.5,
        };
        let close = |logs: &mut Vec<f64>, median: f64, sigma: f64| {
            logs.sort_by(f64::total_cmp);
            let at = |share: usize| logs[logs.len() * share / 1_000];
            assert!((at(500) - median.ln()).abs() < 0.05, "median {}", at(500).exp());
            // One standard deviation on each side of the median holds 68.3 %.
            let spread = (at(841) - at(159)) / 2.0;
            assert!((spread - sigma).abs() < 0.05, "spread {spread}");
        };
        let (mut firsts, mut speeds, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
        for key in 0..2_000 {
            let timing = drawn(&pace, 3_600, key);
            firsts.push((timing.first.as_secs_f64() * 1_000.0).ln());
            speeds.push((1_000.0 / timing.total.saturating_sub(timing.first).as_secs_f64()).ln());
            let even = timing.total.saturating_sub(timing.first) / 30;
            let mut dues: Vec<Duration> = (1..=30).map(|n| timing.first + even * n).collect();
            timing.vary(&mut dues);
            gaps.push((dues[1].saturating_sub(dues[0]).as_secs_f64() / even.as_secs_f64()).ln());
        }
        close(&mut firsts, 400.0, 0.3);
        close(&mut speeds, 80.0, 0.2);
        // Scaled back to the sum, so that the mean is one and the median a little less.
        close(&mut gaps, (-0.5_f64 * 0.5 * 0.5).exp(), 0.5);
    }
}

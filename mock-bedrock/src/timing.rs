//! When an answer comes.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};

use crate::draw::{self, Purpose};
use crate::model::Model;

/// When an answer comes, in simulated time from the arrival of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) first: Duration,
    chars_per_second: f64,
    pub(crate) total: Duration,
}

impl Timing {
    /// The timing of an answer of `chars` characters.
    pub(crate) fn draw(model: &Model, chars: usize, key: u64) -> Self {
        let mut draws = draw::generator(key, Purpose::Timing);
        let first_ms = log_normal(model.first_token_median_ms, model.first_token_sigma, &mut draws)
            .clamp(1.0, 60_000.0);
        let first = Duration::from_secs_f64(first_ms / 1_000.0);
        let chars_per_second = (model.tokens_per_second * model.chars_per_token).max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "answers are far below 2^52 characters")]
        let generation = Duration::from_secs_f64(chars as f64 / chars_per_second);
        Timing { first, chars_per_second, total: first + generation }
    }

    /// When `chars` characters have been generated.
    pub(crate) fn at(&self, chars: usize) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "answers are far below 2^52 characters")]
        let seconds = chars as f64 / self.chars_per_second;
        (self.first + Duration::from_secs_f64(seconds)).min(self.total)
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

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A draw from the log-normal distribution with `median`, and `sigma` as the standard deviation of
/// the logarithm.
pub(crate) fn log_normal(median: f64, sigma: f64, draws: &mut ChaCha8Rng) -> f64 {
    LogNormal::new(median.ln(), sigma).map_or(median, |distribution| distribution.sample(draws))
}

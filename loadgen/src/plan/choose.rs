//! Random choices by weight and share.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, LogNormal};

use crate::scenario::{Chosen, Lengths, Weighted};

/// Weights, added up for choosing.
#[derive(Debug)]
pub(super) struct Weights {
    ends: Vec<f64>,
    sum: f64,
}

impl Weights {
    /// `None` when they add up to nothing.
    pub(super) fn new(weights: impl Iterator<Item = f64>) -> Option<Weights> {
        let mut sum = 0.0;
        let ends = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        (sum > 0.0).then_some(Weights { ends, sum })
    }

    /// The index of one of them, never of one that is zero.
    pub(super) fn choose(&self, random: &mut impl Rng) -> usize {
        let at = random.random::<f64>() * self.sum;
        // Rounding may lift `at` to the sum itself, where nothing is; then it is the last weight
        // above zero.
        let index = self.ends.partition_point(|end| *end <= at);
        index.min(self.ends.partition_point(|end| *end < self.sum))
    }
}

/// One of `choices` by weight; they are not empty.
pub(super) fn weighted<T: Copy>(choices: &[Weighted<T>], random: &mut impl Rng) -> T {
    let sum: f64 = choices.iter().map(|choice| choice.weight).sum();
    let mut left = random.random::<f64>() * sum;
    for choice in choices {
        left -= choice.weight;
        if left < 0.0 {
            return choice.value;
        }
    }
    choices[choices.len() - 1].value
}

/// True in `share` of all cases. Draws once, whatever the share.
pub(super) fn share(share: f64, random: &mut impl Rng) -> bool {
    random.random::<f64>() < share
}

/// One of the values, or nothing. Draws twice, whatever comes out, so that what is drawn
/// afterwards does not depend on it.
pub(super) fn chosen<'a, T>(chosen: &'a Chosen<T>, random: &mut impl Rng) -> Option<&'a T> {
    let taken = share(chosen.share, random);
    let index = random.random_range(0..chosen.values.len().max(1));
    if taken { chosen.values.get(index) } else { None }
}

/// A length in tokens.
pub(super) fn length(lengths: &Lengths, random: &mut impl Rng) -> u32 {
    let sum: f64 = lengths.mixture.iter().map(|part| part.weight).sum();
    let mut left = random.random::<f64>() * sum;
    let part = lengths.mixture.iter().find(|part| {
        left -= part.weight;
        left < 0.0
    });
    let Some(part) = part.or(lengths.mixture.last()) else { return lengths.least };
    let distribution =
        LogNormal::new(part.median.ln(), part.sigma).expect("a scenario's sigma is finite");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "lengths are above zero, and the cast saturates"
    )]
    let drawn = distribution.sample(random).round() as u32;
    drawn.clamp(lengths.least, lengths.most)
}

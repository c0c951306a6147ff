//! Random choices by weight and share.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, LogNormal};

use crate::scenario::{Chosen, Lengths, Weighted};

/// Weights, added up for choosing.
#[derive(Debug)]
pub(crate) struct Weights {
    ends: Vec<f64>,
    sum: f64,
}

impl Weights {
    /// `None` when they add up to nothing.
    pub(crate) fn new(weights: impl Iterator<Item = f64>) -> Option<Weights> {
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
    pub(crate) fn choose(&self, random: &mut impl Rng) -> usize {
        let at = random.random::<f64>() * self.sum;
        // Rounding may lift `at` to the sum itself, where nothing is; then it is the last weight
        // above zero.
        let index = self.ends.partition_point(|end| *end <= at);
        index.min(self.ends.partition_point(|end| *end < self.sum))
    }
}

/// One of `choices` by weight; they are not empty.
pub(crate) fn weighted<T: Copy>(choices: &[Weighted<T>], random: &mut impl Rng) -> T {
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
pub(crate) fn share(share: f64, random: &mut impl Rng) -> bool {
    random.random::<f64>() < share
}

/// One of the values, or nothing. Draws twice, whatever comes out, so that what is drawn
/// afterwards does not depend on it.
pub(crate) fn chosen<'a, T>(chosen: &'a Chosen<T>, random: &mut impl Rng) -> Option<&'a T> {
    chosen_index(chosen, random).map(|index| &chosen.values[index])
}

/// The index of one of the values, or nothing. Draws like [`chosen`].
pub(crate) fn chosen_index<T>(chosen: &Chosen<T>, random: &mut impl Rng) -> Option<usize> {
    let taken = share(chosen.share, random);
    let index = random.random_range(0..chosen.values.len().max(1));
    (taken && index < chosen.values.len()).then_some(index)
}

/// Any of `values`, all equally likely; nothing if there are none. Draws once, whatever there is.
pub(crate) fn any_of<'a, T>(values: &'a [T], random: &mut impl Rng) -> Option<&'a T> {
    values.get(random.random_range(0..values.len().max(1)))
}

/// A length in tokens.
pub(crate) fn length(lengths: &Lengths, random: &mut impl Rng) -> u32 {
    if !lengths.quantiles.is_empty() {
        return between_quantiles(lengths, random.random());
    }
    let sum: f64 = lengths.mixture.iter().map(|part| part.weight).sum();
    let mut left = random.random::<f64>() * sum;
    let part = lengths.mixture.iter().find(|part| {
        left -= part.weight;
        left < 0.0
    });
    let Some(part) = part.or(lengths.mixture.last()) else { return lengths.least };
    let distribution =
        LogNormal::new(part.median.ln(), part.sigma).expect("a scenario's sigma is finite");
    whole(distribution.sample(random)).clamp(lengths.least, lengths.most)
}

/// The length that the share `at` does not exceed.
fn between_quantiles(lengths: &Lengths, at: f64) -> u32 {
    let measured = lengths.quantiles.iter().map(|quantile| (quantile.at, quantile.tokens));
    let points = [(0.0, lengths.least)].into_iter().chain(measured).chain([(1.0, lengths.most)]);
    let mut from = (0.0, lengths.least);
    for to in points {
        if at < to.0 {
            let (low, high) = (f64::from(from.1.max(1)).ln(), f64::from(to.1.max(1)).ln());
            let share = (at - from.0) / (to.0 - from.0);
            return whole((low + share * (high - low)).exp()).clamp(from.1, to.1);
        }
        from = to;
    }
    lengths.most
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths are above zero, and the cast saturates"
)]
fn whole(length: f64) -> u32 {
    length.round() as u32
}

//! Tests of goodness of fit, and the distributions they compare with.

use crate::scenario::{Chosen, Lengths};

/// The normal deviate that one in a thousand exceeds.
const ONE_IN_A_THOUSAND: f64 = 3.09;

/// Holds that the sum of the first members of independent `pairs` is `expected` of that of the second,
/// by the normal distribution of the difference.
#[track_caller]
pub(super) fn assert_ratio(pairs: &[(f64, f64)], expected: f64) {
    let differences = pairs.iter().map(|(part, whole)| part - expected * whole);
    let squares: f64 = differences.clone().map(|difference| difference.powi(2)).sum();
    let deviate = differences.sum::<f64>() / squares.sqrt();
    // One in two thousand at either side.
    assert!(deviate.abs() < 3.29, "{deviate} standard errors from {expected}");
}

/// Holds that `sample` follows the cumulative `distribution`, by Kolmogorov and Smirnov.
#[track_caller]
pub(super) fn assert_follows(mut sample: Vec<f64>, distribution: impl Fn(f64) -> f64) {
    sample.sort_by(f64::total_cmp);
    let n = count(sample.len());
    let furthest = sample.iter().enumerate().map(|(index, value)| {
        let (below, with, expected) =
            (count(index) / n, count(index + 1) / n, distribution(*value));
        (expected - below).max(with - expected)
    });
    assert_near(furthest.fold(0.0, f64::max), n);
}

/// Holds that `seen` follow a mixture, clipped.
#[track_caller]
pub(super) fn assert_lengths_follow(seen: &[u32], lengths: &Lengths) {
    let n = count(seen.len());
    assert!(seen.iter().all(|length| (lengths.least..=lengths.most).contains(length)));
    // Lengths are whole numbers, so the steps are compared where they are, and not where lengths
    // beyond the clips are put.
    let furthest = (lengths.least..lengths.most).map(|length| {
        let below = seen.iter().filter(|other| **other <= length).count();
        (count(below) / n - mixture(lengths, f64::from(length) + 0.5)).abs()
    });
    assert_near(furthest.fold(0.0, f64::max), n);
}

/// Holds that two distributions may be the same that are `distance` apart in a sample of `n`.
#[track_caller]
fn assert_near(distance: f64, n: f64) {
    let critical = 1.949 / n.sqrt();
    assert!(distance < critical, "{distance} is not below {critical}");
}

/// Holds that the values `seen` are there in their share of all cases, each as often as the others.
#[track_caller]
pub(super) fn assert_chosen<'a, T: PartialEq + 'a>(
    chosen: &'a Chosen<T>,
    seen: impl Iterator<Item = Option<&'a T>>,
) {
    let mut counts = vec![0.0; chosen.values.len() + 1];
    for value in seen {
        let place = value.map(|value| chosen.values.iter().position(|known| known == value));
        counts[place.map_or(chosen.values.len(), Option::unwrap)] += 1.0;
    }
    let each = chosen.share / count(chosen.values.len());
    let mut shares = vec![each; chosen.values.len()];
    shares.push(1.0 - chosen.share);
    assert_in_shares(&counts, &shares);
}

/// Holds that `counts` are in the proportions of `shares`, by a chi-square test.
#[track_caller]
pub(super) fn assert_in_shares(counts: &[f64], shares: &[f64]) {
    let (all, sum) = (counts.iter().sum::<f64>(), shares.iter().sum::<f64>());
    let expected = shares.iter().map(|share| all * share / sum);
    let terms = counts.iter().zip(expected).map(|(count, expected)| {
        assert!(expected >= 5.0, "{expected} are too few for the test");
        (count - expected).powi(2) / expected
    });
    assert_chi_square(terms.sum(), count(counts.len() - 1));
}

/// Holds that the members of `pairs` are independent, by a chi-square test of their quarters.
#[track_caller]
pub(super) fn assert_independent(pairs: &[(f64, f64)]) {
    let quarter = |member: fn(&(f64, f64)) -> f64| {
        let mut sorted: Vec<f64> = pairs.iter().map(member).collect();
        sorted.sort_by(f64::total_cmp);
        let bounds = [1, 2, 3].map(|quarter| sorted[sorted.len() * quarter / 4]);
        move |pair| bounds.iter().filter(|bound| member(pair) >= **bound).count()
    };
    let (row, column) = (quarter(|pair| pair.0), quarter(|pair| pair.1));
    let mut table = [[0.0; 4]; 4];
    for pair in pairs {
        table[row(pair)][column(pair)] += 1.0;
    }
    let rows = table.map(|row| row.iter().sum::<f64>());
    let columns = [0, 1, 2, 3].map(|column| table.iter().map(|row| row[column]).sum::<f64>());
    let mut chi_square = 0.0;
    for (row, in_row) in table.iter().zip(rows) {
        for (seen, in_column) in row.iter().zip(columns) {
            let expected = in_row * in_column / count(pairs.len());
            // Where many values are equal, a quarter may be empty.
            if expected > 0.0 {
                chi_square += (seen - expected).powi(2) / expected;
            }
        }
    }
    assert_chi_square(chi_square, 9.0);
}

/// Holds that `value` is not above what one in a thousand of its distribution exceeds, which
/// Wilson and Hilferty's approximation gives.
#[track_caller]
fn assert_chi_square(value: f64, degrees: f64) {
    let spread = 2.0 / (9.0 * degrees);
    let critical = degrees * (1.0 - spread + ONE_IN_A_THOUSAND * spread.sqrt()).powi(3);
    assert!(value < critical, "{value} is not below {critical}");
}

/// The distribution of a scenario's lengths before they are clipped.
pub(super) fn mixture(lengths: &Lengths, length: f64) -> f64 {
    let sum: f64 = lengths.mixture.iter().map(|part| part.weight).sum();
    let parts = lengths.mixture.iter();
    parts.map(|part| part.weight * normal((length / part.median).ln() / part.sigma)).sum::<f64>()
        / sum
}

/// The standard normal distribution.
fn normal(deviate: f64) -> f64 {
    // Further out the series is too small for its type.
    let deviate = deviate.clamp(-30.0, 30.0);
    0.5 + 0.5 * gamma(0.5, deviate * deviate / 2.0).copysign(deviate)
}

/// The gamma distribution of scale 1 and of a shape that is 0.5 or whole: its series, of which all
/// terms are above zero.
pub(super) fn gamma(shape: f64, x: f64) -> f64 {
    let gamma_of_shape = match shape {
        0.5 => std::f64::consts::PI.sqrt(),
        _ => (1_u32..9).map(f64::from).take_while(|factor| *factor < shape).product(),
    };
    let mut term = x.powf(shape) * (-x).exp() / (gamma_of_shape * shape);
    let mut sum = 0.0;
    let mut next = shape + 1.0;
    while next < 2.0 * x + 200.0 {
        sum += term;
        term *= x / next;
        next += 1.0;
    }
    sum
}

#[expect(clippy::cast_precision_loss, reason = "counts of tests are small")]
pub(super) fn count(of: usize) -> f64 {
    of as f64
}

//! When calls arrive.

use std::time::Duration;

use rand_distr::{Beta, Distribution};

use crate::day_curve::{DayCurve, Intensity};
use crate::streams::{Purpose, stream};

/// How calls follow one another, apart from the day's shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrivals {
    /// Evenly spaced.
    #[default]
    Constant,
    /// As if each call came from somebody who knows nothing of the others: a Poisson process given
    /// its number of calls, so that the count is exact.
    Poisson,
}

impl Arrivals {
    /// Every process, with the name it goes by in options.
    pub const ALL: [(&'static str, Arrivals); 2] =
        [("constant", Arrivals::Constant), ("poisson", Arrivals::Poisson)];
}

/// The planned times of a number of calls.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    arrivals: Arrivals,
    intensity: Intensity,
    calls: u64,
    seed: u64,
}

impl Schedule {
    /// `calls` calls spread over `length`.
    pub(crate) fn new(
        arrivals: Arrivals,
        curve: DayCurve,
        length: Duration,
        calls: u64,
        seed: u64,
    ) -> Self {
        Self { arrivals, intensity: Intensity::new(curve, length), calls, seed }
    }

    /// When call `k` is planned, from the start of simulated time. Later calls are planned no
    /// earlier. The time depends on `k` alone, not on the order of asking.
    pub(crate) fn planned(&self, k: u64) -> Duration {
        let fraction = match self.arrivals {
            #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 calls")]
            Arrivals::Constant => k as f64 / self.calls as f64,
            Arrivals::Poisson => self.order_statistic(k),
        };
        Duration::from_secs_f64(self.intensity.when(fraction))
    }

    /// The `k`-th smallest of `self.calls` uniform numbers, without drawing the others: the middle
    /// one of `n` follows a beta distribution, and given its value those on either side of it are
    /// uniform again on what is left of the interval, so a search for `k` meets the same middles
    /// whichever `k` it is for.
    fn order_statistic(&self, k: u64) -> f64 {
        let (mut first, mut end) = (0, self.calls);
        let (mut low, mut high) = (0.0, 1.0);
        loop {
            let middle = first + (end - first) / 2;
            let value = low + (high - low) * self.middle_share(first, middle, end);
            match k.cmp(&middle) {
                std::cmp::Ordering::Equal => return value,
                std::cmp::Ordering::Less => (end, high) = (middle, value),
                std::cmp::Ordering::Greater => (first, low) = (middle + 1, value),
            }
        }
    }

    /// Where `middle` of `first..end` uniform numbers stands between 0 and 1.
    fn middle_share(&self, first: u64, middle: u64, end: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 calls")]
        let (at_or_below, at_or_above) = ((middle - first + 1) as f64, (end - middle) as f64);
        let beta = Beta::new(at_or_below, at_or_above).expect("both are at least 1");
        beta.sample(&mut stream(self.seed, Purpose::Arrival, middle))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(arrivals: Arrivals, curve: DayCurve, calls: u64, seed: u64) -> Vec<Duration> {
        let schedule = Schedule::new(arrivals, curve, Duration::from_hours(24), calls, seed);
        (0..calls).map(|k| schedule.planned(k)).collect()
    }

    #[test]
    fn constant_calls_are_evenly_spaced() {
        let times = times(Arrivals::Constant, DayCurve::Flat, 86_400, 1);
        for (second, at) in (0..).zip(times) {
            assert_eq!(at.as_millis(), second * 1_000);
        }
    }

    #[test]
    fn poisson_gaps_vary_as_much_as_their_mean() {
        let times = times(Arrivals::Poisson, DayCurve::Flat, 20_000, 7);
        let gaps: Vec<f64> =
            times.windows(2).map(|two| (two[1].saturating_sub(two[0])).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / 19_999.0;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / 19_999.0;
        let variation = variance.sqrt() / mean;
        assert!((0.95..1.05).contains(&variation), "coefficient of variation {variation}");
        // Half of all exponential gaps are shorter than ln 2 of their mean.
        let short = gaps.iter().filter(|gap| **gap < mean * std::f64::consts::LN_2).count();
        assert!((9_700..10_300).contains(&short), "{short} short gaps");
    }

    proptest! {
        #[test]
        fn times_are_sorted_and_within_the_length(
            poisson: bool, curve in 0_usize..3, calls in 1_u64..300, seed: u64,
        ) {
            let arrivals = if poisson { Arrivals::Poisson } else { Arrivals::Constant };
            let times = times(arrivals, DayCurve::ALL[curve].1, calls, seed);
            prop_assert!(times.is_sorted());
            prop_assert!(times.iter().all(|at| *at <= Duration::from_hours(24)));
        }
    }
}

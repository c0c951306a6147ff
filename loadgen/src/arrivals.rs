//! How calls follow one another, apart from the rate's shape over the day.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use rand_distr::{Distribution, Exp1, Gamma, Weibull};

use crate::streams::{Purpose, stream};

/// The shapes that gamma and Weibull take. Public traces lie between 0.1 and 3; below the least,
/// all calls of a day would come in one burst, and above the most they are evenly spaced.
const SHAPES: RangeInclusive<f64> = 0.05..=1_000.0;

/// An arrival process: `constant`, `poisson`, `gamma:K` or `weibull:K`, where `K` is the shape.
///
/// The number of calls is that of the rate whatever the process: gaps are drawn from the process
/// and then scaled so that they fill the time, which for Poisson and gamma is the process given its
/// count.
///
/// ```
/// let bursty: loadgen::Arrivals = "gamma:0.5".parse().unwrap();
/// assert_eq!(bursty, loadgen::Arrivals::Gamma(0.5));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Arrivals {
    /// Evenly spaced.
    #[default]
    Constant,
    /// As if each call came from somebody who knows nothing of the others.
    Poisson,
    /// Gaps of a gamma distribution with this shape `k`, whose coefficient of variation is
    /// `1/sqrt(k)`: 1 is Poisson, 0.5 is bursty, 4 is smooth.
    Gamma(f64),
    /// Gaps of a Weibull distribution with this shape: 1 is Poisson, below 1 the long gaps are
    /// longer than those of a gamma process.
    Weibull(f64),
}

/// A text that names no arrival process, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{given}` is not an arrival process: {why}; write `constant`, `poisson`, `gamma:0.5` or `weibull:0.5`"
)]
pub struct ParseArrivalsError {
    given: String,
    why: &'static str,
}

impl FromStr for Arrivals {
    type Err = ParseArrivalsError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        parse(given).map_err(|why| ParseArrivalsError { given: given.to_owned(), why })
    }
}

fn parse(given: &str) -> Result<Arrivals, &'static str> {
    match given.split_once(':') {
        None if given == "constant" => Ok(Arrivals::Constant),
        None if given == "poisson" => Ok(Arrivals::Poisson),
        None if given == "gamma" || given == "weibull" => Err("it has no shape"),
        Some(("gamma", shape)) => parse_shape(shape).map(Arrivals::Gamma),
        Some(("weibull", shape)) => parse_shape(shape).map(Arrivals::Weibull),
        _ => Err("there is none of this name"),
    }
}

fn parse_shape(given: &str) -> Result<f64, &'static str> {
    let shape: f64 = given.parse().map_err(|_| "its shape is not a number")?;
    if SHAPES.contains(&shape) { Ok(shape) } else { Err("its shape is not from 0.05 to 1000") }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arrivals::Constant => f.write_str("constant"),
            Arrivals::Poisson => f.write_str("poisson"),
            Arrivals::Gamma(shape) => write!(f, "gamma:{shape}"),
            Arrivals::Weibull(shape) => write!(f, "weibull:{shape}"),
        }
    }
}

/// One process with a fixed number of calls, on a time that runs from 0 to 1 and in which the rate
/// is even.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    calls: u64,
    seed: u64,
    spacing: Spacing,
}

#[derive(Clone, Debug)]
enum Spacing {
    /// Evenly, the first call this share of a gap after the start.
    Even { phase: f64 },
    /// By gaps, drawn from the streams from `first_gap` on.
    Random { gaps: Gaps, first_gap: u64, total: f64 },
}

#[derive(Clone, Copy, Debug)]
enum Gaps {
    Exponential,
    Gamma(Gamma<f64>),
    Weibull(Weibull<f64>),
}

impl Process {
    /// A process of `calls` calls. Random ones use the streams of `calls + 1` positions from
    /// `first_gap` on; those evenly spaced start after `phase` of a gap.
    pub(crate) fn new(
        arrivals: Arrivals,
        calls: u64,
        seed: u64,
        first_gap: u64,
        phase: f64,
    ) -> Self {
        let shape_is_valid = "a shape is above zero and finite";
        let gaps = match arrivals {
            Arrivals::Constant => {
                return Self { calls, seed, spacing: Spacing::Even { phase } };
            }
            Arrivals::Poisson => Gaps::Exponential,
            Arrivals::Gamma(shape) => Gaps::Gamma(Gamma::new(shape, 1.0).expect(shape_is_valid)),
            Arrivals::Weibull(shape) => {
                Gaps::Weibull(Weibull::new(1.0, shape).expect(shape_is_valid))
            }
        };
        // The gap after the last call counts, too: the calls lie between the ends, not on them.
        let total = (0..=calls).map(|gap| gaps.draw(seed, first_gap + gap)).sum();
        Self { calls, seed, spacing: Spacing::Random { gaps, first_gap, total } }
    }

    /// When the calls come, in order, each between 0 and 1. Every gap has a stream of its own, so
    /// the times are the same whoever asks, however often.
    pub(crate) fn fractions(&self) -> impl Iterator<Item = f64> + use<> {
        let Process { calls, seed, spacing } = self.clone();
        let mut sum = 0.0;
        (0..calls).map(move |call| match &spacing {
            #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 calls")]
            Spacing::Even { phase } => (call as f64 + phase) / calls as f64,
            Spacing::Random { gaps, first_gap, total } => {
                sum += gaps.draw(seed, first_gap + call);
                // Gaps can be too small to be told from nothing, all of them.
                if *total > 0.0 { sum / total } else { 0.0 }
            }
        })
    }
}

impl Gaps {
    fn draw(self, seed: u64, position: u64) -> f64 {
        let random = &mut stream(seed, Purpose::Arrival, position);
        match self {
            Gaps::Exponential => Exp1.sample(random),
            Gaps::Gamma(gamma) => gamma.sample(random),
            Gaps::Weibull(weibull) => weibull.sample(random),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_a_process_is_told_with_what_to_write() {
        let said: String = [
            "bursty",
            "gamma",
            "gamma:",
            "gamma:x",
            "gamma:0",
            "gamma:nan",
            "weibull:-1",
            "weibull:1e9",
            "poisson:2",
            "",
        ]
        .into_iter()
        .map(|text| text.parse::<Arrivals>().unwrap_err().to_string())
        .collect::<Vec<String>>()
        .join("\n");
        insta::assert_snapshot!(said);
    }

    #[test]
    fn constant_calls_are_evenly_spaced() {
        let process = Process::new(Arrivals::Constant, 4, 1, 0, 0.0);
        assert_eq!(process.fractions().collect::<Vec<f64>>(), [0.0, 0.25, 0.5, 0.75]);
    }

    fn any_arrivals() -> impl Strategy<Value = Arrivals> {
        prop_oneof![
            Just(Arrivals::Constant),
            Just(Arrivals::Poisson),
            SHAPES.prop_map(Arrivals::Gamma),
            SHAPES.prop_map(Arrivals::Weibull),
            (0.05..1.0).prop_map(Arrivals::Gamma),
            (0.05..1.0).prop_map(Arrivals::Weibull),
        ]
    }

    proptest! {
        #[test]
        fn calls_come_in_order_and_between_the_ends(
            arrivals in any_arrivals(), calls in 1_u64..300, seed: u64, first_gap in 0_u64..1_000,
        ) {
            let process = Process::new(arrivals, calls, seed, first_gap, 0.5);
            let fractions: Vec<f64> = process.fractions().collect();
            prop_assert_eq!(fractions.len() as u64, calls);
            prop_assert!(fractions.is_sorted());
            prop_assert!(fractions.iter().all(|at| (0.0..=1.0).contains(at)));
            prop_assert_eq!(fractions, process.fractions().collect::<Vec<f64>>());
        }

        #[test]
        fn a_process_reads_back_from_what_it_prints(arrivals in any_arrivals()) {
            prop_assert_eq!(arrivals.to_string().parse::<Arrivals>().unwrap(), arrivals);
        }

        #[test]
        fn any_text_parses_or_is_refused(text in "(gamma:|weibull:)?\\PC*") {
            let _ = text.parse::<Arrivals>();
        }
    }
}

//! Who makes the calls: tenants of unequal size, each with an arrival process of its own.

use std::fmt;
use std::str::FromStr;

/// The exponent of Zipf's law unless another is given: the slope over the fifty largest clients in
/// production traces is from 1.16 to 1.35.
const DEFAULT_EXPONENT: f64 = 1.2;

/// The most tenants. Each keeps a position in its process while a plan is gone through.
const MOST: u32 = 100_000;

/// A number of tenants whose shares of the calls fall by Zipf's law: `50` or `50:1.3`, where the
/// second number is the exponent. 0 makes them equal.
///
/// ```
/// let tenants: loadgen::Tenants = "3:1".parse().unwrap();
/// assert_eq!(tenants.calls_of_each(110), [60, 30, 20]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tenants {
    count: u32,
    exponent: f64,
}

impl Tenants {
    /// A single tenant.
    pub const ONE: Tenants = Tenants { count: 1, exponent: DEFAULT_EXPONENT };

    /// How many of `calls` calls each tenant makes, the largest first: its share, rounded so that
    /// the sum is exact. The parts that rounding down leaves go to those who lost most, the larger
    /// tenant first.
    #[must_use]
    pub fn calls_of_each(self, calls: u64) -> Vec<u64> {
        let weights = (1..=self.count).map(|rank| f64::from(rank).powf(-self.exponent));
        let sum: f64 = weights.clone().sum();
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 calls")]
        let exact: Vec<f64> = weights.map(|weight| weight / sum * calls as f64).collect();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to the number of calls"
        )]
        let mut whole: Vec<u64> = exact.iter().map(|share| share.floor() as u64).collect();
        let mut by_loss: Vec<usize> = (0..exact.len()).collect();
        by_loss.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()));
        let left = calls.saturating_sub(whole.iter().sum());
        for tenant in by_loss.into_iter().cycle().zip(0..left).map(|(tenant, _)| tenant) {
            whole[tenant] += 1;
        }
        whole
    }
}

impl Default for Tenants {
    fn default() -> Self {
        Tenants::ONE
    }
}

/// A text that is no number of tenants, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{given}` is not a number of tenants: {why}; write such as `50`, or `50:1.3` with the exponent of Zipf's law"
)]
pub struct ParseTenantsError {
    given: String,
    why: &'static str,
}

impl FromStr for Tenants {
    type Err = ParseTenantsError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        parse(given).map_err(|why| ParseTenantsError { given: given.to_owned(), why })
    }
}

fn parse(given: &str) -> Result<Tenants, &'static str> {
    let (count, exponent) = match given.split_once(':') {
        Some((count, exponent)) => {
            (count, exponent.parse().map_err(|_| "its exponent is not a number")?)
        }
        None => (given, DEFAULT_EXPONENT),
    };
    let count = count.parse().map_err(|_| "it is not a whole number")?;
    if !(1..=MOST).contains(&count) {
        return Err("it is not from 1 to 100000");
    }
    if !(0.0..=10.0).contains(&exponent) {
        return Err("its exponent is not from 0 to 10");
    }
    Ok(Tenants { count, exponent })
}

impl fmt::Display for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.count, self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_a_number_of_tenants_is_told_with_what_to_write() {
        let said: String = ["", "0", "-1", "many", "200000", "5:", "5:x", "5:nan", "5:11"]
            .into_iter()
            .map(|text| text.parse::<Tenants>().unwrap_err().to_string())
            .collect::<Vec<String>>()
            .join("\n");
        insta::assert_snapshot!(said);
    }

    proptest! {
        #[test]
        fn every_call_has_a_tenant_and_larger_ones_have_more(
            count in 1_u32..300, exponent in 0.0..10.0, calls in 0_u64..1_000_000,
        ) {
            let each = Tenants { count, exponent }.calls_of_each(calls);
            prop_assert_eq!(each.len(), count as usize);
            prop_assert_eq!(each.iter().sum::<u64>(), calls);
            prop_assert!(each.windows(2).all(|two| two[0] >= two[1]));
        }

        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC*|[0-9]{1,6}:\\PC*") {
            let _ = text.parse::<Tenants>();
        }
    }
}

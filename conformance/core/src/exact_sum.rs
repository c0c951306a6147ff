//! A sum of doubles that does not depend on their order.

/// Doubles added up as fixed-point numbers. Exact for values whose last bit stands for 2⁻⁶⁴ or
/// more, which every double from 2⁻¹² on is, and for any number of them that telemetry can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExactSum {
    whole: i128,
    /// In units of 2⁻⁶⁴.
    fraction: i128,
    /// Whether a value was no number, or so large that no measurement has it.
    is_beyond: bool,
}

/// Values of this size or more, 2⁶³, make the sum infinite.
const LARGEST: f64 = 9_223_372_036_854_775_808.0;

/// 2⁶⁴
const UNITS: f64 = 18_446_744_073_709_551_616.0;

impl ExactSum {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the guard bounds it; less than a unit goes"
    )]
    pub(crate) fn add(&mut self, value: f64) {
        if value.abs() < LARGEST {
            self.whole += value.trunc() as i128;
            self.fraction += (value.fract() * UNITS) as i128;
        } else {
            self.is_beyond = true;
        }
    }

    pub(crate) fn merge(&mut self, other: ExactSum) {
        self.whole += other.whole;
        self.fraction += other.fraction;
        self.is_beyond |= other.is_beyond;
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
    pub(crate) fn value(self) -> f64 {
        if self.is_beyond {
            f64::INFINITY
        } else {
            self.whole as f64 + self.fraction as f64 / UNITS
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::ExactSum;

    fn sum(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        for value in values {
            sum.add(*value);
        }
        sum
    }

    proptest! {
        #[test]
        fn order_and_grouping_do_not_show(
            (values, shuffled) in vec(any::<f64>(), 0..20)
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
            at in any::<prop::sample::Index>(),
        ) {
            let (left, right) = shuffled.split_at(at.index(shuffled.len() + 1));
            let mut merged = sum(left);
            merged.merge(sum(right));
            prop_assert_eq!(sum(&values), merged);
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the sums are exact")]
    fn sums_are_the_nearest_double() {
        assert_eq!(sum(&[0.1; 10]).value(), 1.0);
        assert_eq!(sum(&[1e18, 0.5, -1e18]).value(), 0.5);
        assert!(sum(&[1.0, f64::NAN]).value().is_infinite());
    }
}

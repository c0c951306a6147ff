//! The shape of a day or a week: how the rate rises and falls by the hour.

use std::borrow::Cow;
use std::str::FromStr;

/// Hours in a day.
const DAY: usize = 24;
/// Hours in a week.
const WEEK: usize = 7 * DAY;

/// How the rate varies by the hour, repeated for as long as a plan is. Hours are UTC; a plan starts
/// at midnight, and one with the curve of a week on a Monday.
///
/// A curve says nothing of how much: the rate that a plan is given is the mean of the curve, over a
/// day or a week.
#[derive(Clone, Debug, PartialEq)]
pub struct DayCurve(Cow<'static, [f64]>);

/// A curve's name, and its multipliers by hour. Those of conversation and coding were read off the
/// plots of the Azure LLM inference trace of 2024, against the mean of the week.
type Named = (&'static str, &'static [f64]);

const NAMED: [Named; 7] = [
    ("flat", &[1.0]),
    ("conversation", &CONVERSATION),
    ("conversation-weekend", &CONVERSATION_WEEKEND),
    ("conversation-week", &week(CONVERSATION, CONVERSATION_WEEKEND)),
    ("coding", &CODING),
    ("coding-weekend", &CODING_WEEKEND),
    ("coding-week", &week(CODING, CODING_WEEKEND)),
];

/// People talking to an assistant on a weekday: two waves and a shallow night.
const CONVERSATION: [f64; DAY] = [
    1.01, 1.11, 1.09, 0.91, 0.91, 0.99, 1.14, 1.24, 1.27, 1.24, 1.12, 1.17, 1.30, 1.45, 1.53, 1.42,
    1.30, 1.24, 1.23, 1.16, 1.07, 0.89, 0.80, 0.82,
];

const CONVERSATION_WEEKEND: [f64; DAY] = [
    0.57, 0.61, 0.60, 0.52, 0.50, 0.52, 0.53, 0.59, 0.61, 0.56, 0.59, 0.66, 0.71, 0.79, 0.79, 0.82,
    0.78, 0.76, 0.73, 0.69, 0.69, 0.66, 0.61, 0.66,
];

/// Developers at work on a weekday: one high wave and a deep night.
const CODING: [f64; DAY] = [
    0.88, 0.85, 0.80, 0.66, 0.52, 0.43, 0.37, 0.31, 0.29, 0.30, 0.32, 0.45, 0.83, 1.43, 2.05, 2.27,
    2.13, 2.43, 2.70, 2.77, 2.59, 1.94, 1.40, 1.03,
];

const CODING_WEEKEND: [f64; DAY] = [
    0.55, 0.53, 0.48, 0.46, 0.39, 0.32, 0.25, 0.18, 0.13, 0.12, 0.11, 0.15, 0.24, 0.32, 0.40, 0.45,
    0.49, 0.53, 0.58, 0.60, 0.60, 0.60, 0.60, 0.55,
];

/// Five weekdays and two days of a weekend.
const fn week(weekday: [f64; DAY], weekend: [f64; DAY]) -> [f64; WEEK] {
    let mut hours = [0.0; WEEK];
    let mut hour = 0;
    while hour < WEEK {
        hours[hour] = if hour < 5 * DAY { weekday[hour % DAY] } else { weekend[hour % DAY] };
        hour += 1;
    }
    hours
}

impl DayCurve {
    /// The same rate all day.
    pub const FLAT: DayCurve = DayCurve(Cow::Borrowed(NAMED[0].1));

    /// The names of all curves.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// The rate in the busiest hour, against the mean of the curve.
    #[must_use]
    pub fn peak(&self) -> f64 {
        (0..self.0.len()).map(|hour| self.multiplier(hour)).fold(0.0, f64::max)
    }

    /// The rate in the hour `hour` of a plan, against the mean of the curve.
    pub(crate) fn multiplier(&self, hour: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "the hours of a week at most")]
        let mean = self.0.iter().sum::<f64>() / self.0.len() as f64;
        self.0[hour % self.0.len()] / mean
    }
}

impl Default for DayCurve {
    fn default() -> Self {
        DayCurve::FLAT
    }
}

/// A text that is no day curve, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a day curve: {why}; write 24 or 168 numbers with commas, or one of {known}", known = known())]
pub struct ParseDayCurveError {
    given: String,
    why: String,
}

fn known() -> String {
    DayCurve::names().collect::<Vec<_>>().join(", ")
}

/// Reads a name, or the multipliers of the hours of a day (24) or a week (168), separated by
/// commas. Only their proportions count.
impl FromStr for DayCurve {
    type Err = ParseDayCurveError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        if let Some((_, hours)) = NAMED.iter().find(|(name, _)| *name == given) {
            return Ok(DayCurve(Cow::Borrowed(hours)));
        }
        match hours(given) {
            Ok(hours) => Ok(DayCurve(Cow::Owned(hours))),
            Err(why) => Err(ParseDayCurveError { given: given.to_owned(), why }),
        }
    }
}

fn hours(given: &str) -> Result<Vec<f64>, String> {
    if !given.contains(',') {
        return Err("there is none of this name".to_owned());
    }
    let hours: Vec<f64> = given
        .split(',')
        .map(|hour| match hour.trim().parse::<f64>() {
            Ok(hour) if (0.0..=1e9).contains(&hour) => Ok(hour),
            Ok(hour) => Err(format!("{hour} is not from 0 to 1000000000")),
            Err(_) => Err(format!("`{}` is not a number", hour.trim())),
        })
        .collect::<Result<_, _>>()?;
    if hours.len() != DAY && hours.len() != WEEK {
        return Err(format!("it has {} numbers", hours.len()));
    }
    if hours.iter().sum::<f64>() > 0.0 { Ok(hours) } else { Err("all of it is zero".to_owned()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_week_of_the_trace_is_busier_on_weekdays() {
        // The ratios of weekday to weekend that the trace was published with.
        for (name, ratio) in [("conversation-week", 1.76), ("coding-week", 3.1)] {
            let curve: DayCurve = name.parse().unwrap();
            let day =
                |day: usize| (0..DAY).map(|hour| curve.multiplier(day * DAY + hour)).sum::<f64>();
            assert!((day(0) / day(6) - ratio).abs() < 0.1, "{name}: {}", day(0) / day(6));
            assert_eq!((day(4).to_bits(), day(7).to_bits()), (day(0).to_bits(), day(0).to_bits()));
        }
    }

    #[test]
    fn days_of_the_trace_have_its_busiest_and_its_quietest_hour() {
        // As read off the published plots, against the mean of the day.
        for (name, busiest, peak, quietest, trough) in [
            ("coding", 19, 2.23, 8, 0.23),
            ("coding-weekend", 19, 1.50, 10, 0.27),
            ("conversation", 14, 1.34, 22, 0.70),
            ("conversation-weekend", 15, 1.27, 4, 0.77),
        ] {
            let curve: DayCurve = name.parse().unwrap();
            let hours = (0..DAY).map(|hour| curve.multiplier(hour));
            assert!(hours.clone().all(|hour| hour <= curve.multiplier(busiest)), "{name}");
            assert!(hours.clone().all(|hour| hour >= curve.multiplier(quietest)), "{name}");
            let extremes = [curve.multiplier(busiest) - peak, curve.multiplier(quietest) - trough];
            assert!(extremes.iter().all(|off| off.abs() < 0.011), "{name}: {extremes:?}");
        }
    }

    #[test]
    fn numbers_of_a_user_count_by_their_proportions() {
        let office = [0; 9].into_iter().chain([30; 8]).chain([0; 7]).map(|rate| rate.to_string());
        let curve: DayCurve = office.collect::<Vec<_>>().join(", ").parse().unwrap();
        let shown: Vec<f64> = (7..11).map(|hour| curve.multiplier(hour)).collect();
        assert_eq!(shown, [0.0, 0.0, 3.0, 3.0]);
        assert_eq!(curve.multiplier(24 + 9).to_bits(), 3.0_f64.to_bits());
    }

    #[test]
    fn what_is_not_a_curve_is_told_with_what_to_write() {
        let zeros = ["0"; 24].join(",");
        let said: String = ["lunar", "", "1,2,3", "1,x", "1,-1", "1,nan", "1,inf", &zeros]
            .into_iter()
            .map(|text| text.parse::<DayCurve>().unwrap_err().to_string())
            .collect::<Vec<String>>()
            .join("\n");
        insta::assert_snapshot!(said);
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC*|([0-9.]{0,3},){23}[0-9]") {
            let _ = text.parse::<DayCurve>();
        }
    }
}

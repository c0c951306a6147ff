//! How many calls in how much time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The most calls per second that a plan may ask for; beyond it every machine is the limit.
const MOST_PER_SECOND: f64 = 1e6;

/// A mean rate of calls, in simulated time: `80000/day`, `5/s`, `300/min`, `1.5/h`.
///
/// ```
/// # use std::time::Duration;
/// let rate: loadgen::Rate = "80000/day".parse().unwrap();
/// assert_eq!(rate.calls_in(Duration::from_secs(86_400)), 80_000.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    calls: f64,
    per: Period,
}

impl Rate {
    /// How many calls `length` holds, fractions included.
    #[must_use]
    pub fn calls_in(self, length: Duration) -> f64 {
        // Multiplied before dividing, so that a whole number of periods gives a whole number.
        self.calls * length.as_secs_f64() / self.per.seconds()
    }
}

/// The unit of time that a rate counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Second,
    Minute,
    Hour,
    Day,
}

impl Period {
    fn named(name: &str) -> Option<Period> {
        match name {
            "s" | "sec" | "second" => Some(Period::Second),
            "m" | "min" | "minute" => Some(Period::Minute),
            "h" | "hour" => Some(Period::Hour),
            "d" | "day" => Some(Period::Day),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Period::Second => "s",
            Period::Minute => "min",
            Period::Hour => "h",
            Period::Day => "day",
        }
    }

    fn seconds(self) -> f64 {
        match self {
            Period::Second => 1.0,
            Period::Minute => 60.0,
            Period::Hour => 3_600.0,
            Period::Day => 86_400.0,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.calls, self.per.name())
    }
}

/// A text that is not a rate, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{given}` is not a rate: {why}; write calls per unit of time, such as `80000/day`, `300/min` or `5/s`"
)]
pub struct ParseRateError {
    given: String,
    why: &'static str,
}

impl FromStr for Rate {
    type Err = ParseRateError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        parse(given).map_err(|why| ParseRateError { given: given.to_owned(), why })
    }
}

fn parse(given: &str) -> Result<Rate, &'static str> {
    let (calls, per) = given.split_once('/').ok_or("there is no `/` in it")?;
    let per = Period::named(per.trim()).ok_or("the unit is none of s, min, h and day")?;
    let calls: f64 = calls.trim().parse().map_err(|_| "there is no number before the `/`")?;
    if !calls.is_finite() {
        return Err("the number is not finite");
    }
    if calls <= 0.0 {
        return Err("the number is not above zero");
    }
    if calls / per.seconds() > MOST_PER_SECOND {
        return Err("it is more than 1000000/s");
    }
    Ok(Rate { calls, per })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_mean_what_they_say() {
        for (text, seconds, calls) in [
            ("80000/day", 86_400, 80_000.0),
            ("80000/d", 43_200, 40_000.0),
            ("5/s", 3_600, 18_000.0),
            ("5/sec", 1, 5.0),
            ("300/min", 60, 300.0),
            ("300/m", 30, 150.0),
            ("1.5/h", 7_200, 3.0),
            ("1.5/hour", 86_400, 36.0),
            (" 2 / minute ", 60, 2.0),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.calls_in(Duration::from_secs(seconds)).to_bits(), f64::to_bits(calls));
        }
    }

    #[test]
    fn what_is_not_a_rate_is_told_with_what_to_write() {
        let said: String = [
            "0/day",
            "-5/s",
            "nan/s",
            "inf/s",
            "1e300/s",
            "2000000/s",
            "5",
            "5/",
            "/s",
            "x/s",
            "5/week",
            "",
        ]
        .into_iter()
        .map(|text| text.parse::<Rate>().unwrap_err().to_string())
        .collect::<Vec<String>>()
        .join("\n");
        insta::assert_snapshot!(said);
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC*") {
            let _ = text.parse::<Rate>();
        }

        #[test]
        fn a_rate_reads_back_from_what_it_prints(calls in 0.001..1e6, unit in "s|min|h|day") {
            let rate: Rate = format!("{calls}/{unit}").parse().unwrap();
            prop_assert_eq!(rate.to_string().parse::<Rate>().unwrap(), rate);
        }
    }
}

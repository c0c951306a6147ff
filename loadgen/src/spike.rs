//! A stretch of time with another rate.

use std::str::FromStr;
use std::time::Duration;

use crate::duration::parse_duration;

/// A spike: `5x@12h+10m` is five times the rate, from twelve hours after the start, for ten minutes.
/// A factor below 1 is a lull, and 0 an outage of the callers.
///
/// ```
/// let spike: loadgen::Spike = "5x@12h+10m".parse().unwrap();
/// assert_eq!(spike.length.as_secs(), 600);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    /// What the rate is multiplied by.
    pub factor: f64,
    /// When it starts, in simulated time from the start of the plan.
    pub start: Duration,
    /// How long it lasts.
    pub length: Duration,
}

/// A text that is not a spike, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a spike: {why}; write such as `5x@12h+10m`: a factor, a start, a length")]
pub struct ParseSpikeError {
    given: String,
    why: String,
}

impl FromStr for Spike {
    type Err = ParseSpikeError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        parse(given).map_err(|why| ParseSpikeError { given: given.to_owned(), why })
    }
}

fn parse(given: &str) -> Result<Spike, String> {
    let (factor, when) = given.split_once('@').ok_or("there is no `@` in it")?;
    let (start, length) = when.split_once('+').ok_or("there is no `+` after its start")?;
    Ok(Spike {
        factor: parse_factor(factor)?,
        // The start may be zero, which is no length.
        start: match start.trim() {
            "0" | "0s" => Duration::ZERO,
            start => parse_duration(start).map_err(|error| error.to_string())?,
        },
        length: parse_duration(length).map_err(|error| error.to_string())?,
    })
}

fn parse_factor(given: &str) -> Result<f64, String> {
    let number = given.trim().strip_suffix('x').ok_or("its factor does not end with an `x`")?;
    match number.parse::<f64>() {
        Ok(factor) if (0.0..=1_000.0).contains(&factor) => Ok(factor),
        Ok(factor) => Err(format!("its factor {factor} is not from 0 to 1000")),
        Err(_) => Err(format!("its factor `{number}` is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_spike_may_start_at_once_and_be_a_lull() {
        let lull: Spike = "0.5x@0s+1h 30m".parse().unwrap();
        let length = Duration::from_mins(90);
        assert_eq!(lull, Spike { factor: 0.5, start: Duration::ZERO, length });
    }

    #[test]
    fn what_is_not_a_spike_is_told_with_what_to_write() {
        let said: String = [
            "",
            "5x",
            "5x@12h",
            "5@12h+10m",
            "x@1h+1h",
            "-1x@1h+1h",
            "2000x@1h+1h",
            "5x@noon+1h",
            "5x@1h+0s",
        ]
        .into_iter()
        .map(|text| text.parse::<Spike>().unwrap_err().to_string())
        .collect::<Vec<String>>()
        .join("\n");
        insta::assert_snapshot!(said);
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC*|[0-9.]{1,3}x@\\PC*\\+\\PC*") {
            let _ = text.parse::<Spike>();
        }
    }
}

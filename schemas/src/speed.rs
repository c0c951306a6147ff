//! How fast simulated time runs against the clock on the wall.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How many simulated seconds pass in one second on the wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many times as fast: `Times(1440.0)` makes a day a minute.
    Times(f64),
    /// Without waiting, but for spans that a fault of the mock asks for.
    Max,
}

impl Speed {
    /// Real time.
    pub const REAL: Speed = Speed::Times(1.0);
    /// A day in a minute.
    pub const DAY_IN_A_MINUTE: Speed = Speed::Times(1440.0);

    /// How long `simulated` lasts on the wall; zero at [`Speed::Max`].
    #[must_use]
    pub fn scale(self, simulated: Duration) -> Duration {
        match self {
            Speed::Times(times) => simulated.div_f64(times),
            Speed::Max => Duration::ZERO,
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Speed::Times(times) => write!(f, "{times}x"),
            Speed::Max => f.write_str("max"),
        }
    }
}

/// A text that is not a speed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a speed: write a factor of at least 0.001 such as `1x` or `1440x`, or `max`")]
pub struct ParseSpeedError(String);

impl FromStr for Speed {
    type Err = ParseSpeedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Speed::Max);
        }
        text.strip_suffix('x')
            .and_then(|factor| factor.parse::<f64>().ok())
            .filter(|times| (0.001..=1e9).contains(times))
            .map(Speed::Times)
            .ok_or_else(|| ParseSpeedError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_in_a_minute() {
        let speed: Speed = "1440x".parse().unwrap();
        assert_eq!(speed.scale(Duration::from_hours(24)), Duration::from_mins(1));
        assert_eq!("max".parse::<Speed>().unwrap().scale(Duration::from_secs(5)), Duration::ZERO);
    }

    #[test]
    fn what_is_not_a_speed_is_named() {
        for text in ["", "x", "0x", "-1x", "nanx", "infx", "1440", "fast"] {
            assert_eq!(text.parse::<Speed>(), Err(ParseSpeedError(text.to_owned())));
        }
    }
}

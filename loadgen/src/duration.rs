//! Lengths of simulated time as people write them.

use std::time::Duration;

/// The longest plan: ten years.
const LONGEST: Duration = Duration::from_hours(24 * 3_660);

/// Reads a length of time such as `24h`, `90s`, `10m`, `1d` or `1h 30m`.
///
/// # Errors
///
/// When `text` is no such length, is zero, or is more than ten years.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    let refused = |why: String| ParseDurationError { given: text.to_owned(), why };
    let length = humantime::parse_duration(text).map_err(|error| refused(error.to_string()))?;
    if length.is_zero() {
        return Err(refused("it is zero".to_owned()));
    }
    if length > LONGEST {
        return Err(refused("it is more than ten years".to_owned()));
    }
    Ok(length)
}

/// A text that is not a length of time, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a duration: {why}; write such as `24h`, `90s` or `1h 30m`")]
pub struct ParseDurationError {
    given: String,
    why: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_and_their_combinations() {
        for (text, seconds) in [
            ("24h", 86_400),
            ("90s", 90),
            ("10m", 600),
            ("1d", 86_400),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_is_told_with_what_to_write() {
        let said: String =
            ["", "0s", "24", "-1h", "h", "1 fortnight", "20000d", "99999999999999999999s"]
                .into_iter()
                .map(|text| parse_duration(text).unwrap_err().to_string())
                .collect::<Vec<String>>()
                .join("\n");
        insta::assert_snapshot!(said);
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC*") {
            let _ = parse_duration(&text);
        }
    }
}

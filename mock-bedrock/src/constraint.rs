//! What the members of a request must satisfy, and the words in which the service's framework says
//! that one does not.

use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::error::ServiceError;

/// A member that must be there.
pub(crate) fn required<T>(at: &str, value: Option<T>) -> Result<T, ServiceError> {
    value.ok_or_else(|| ServiceError::missing(at))
}

/// A text of so many characters.
pub(crate) fn length(
    at: &str,
    value: &str,
    allowed: &RangeInclusive<usize>,
) -> Result<(), ServiceError> {
    count(at, value.chars().count(), allowed)
}

/// So many characters, or members of a list.
pub(crate) fn count(
    at: &str,
    count: usize,
    allowed: &RangeInclusive<usize>,
) -> Result<(), ServiceError> {
    let (bound, limit) = if count < *allowed.start() {
        ("greater", allowed.start())
    } else if count > *allowed.end() {
        ("less", allowed.end())
    } else {
        return Ok(());
    };
    Err(ServiceError::validation(format!(
        "1 validation error detected: Value at '{at}' failed to satisfy constraint: Member must have length {bound} than or equal to {limit}"
    )))
}

/// A number within bounds.
pub(crate) fn number<T: PartialOrd + Display>(
    at: &str,
    value: T,
    allowed: &RangeInclusive<T>,
) -> Result<T, ServiceError> {
    let (bound, limit) = if value < *allowed.start() {
        ("greater", allowed.start())
    } else if value > *allowed.end() {
        ("less", allowed.end())
    } else {
        return Ok(value);
    };
    Err(ServiceError::validation(format!(
        "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: Member must have value {bound} than or equal to {limit}"
    )))
}

/// A word of an enum.
pub(crate) fn one_of<'v>(
    at: &str,
    value: &'v str,
    words: &[&str],
) -> Result<&'v str, ServiceError> {
    if words.contains(&value) {
        return Ok(value);
    }
    Err(ServiceError::not_one_of(value, at, words))
}

/// A text that `matches` the regular expression `pattern`, which the caller tested.
pub(crate) fn pattern(
    at: &str,
    value: &str,
    pattern: &str,
    matches: bool,
) -> Result<(), ServiceError> {
    if matches {
        return Ok(());
    }
    Err(ServiceError::validation(format!(
        "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
    )))
}

/// A whole number in a query string.
pub(crate) fn integer(
    at: &str,
    text: &str,
    allowed: &RangeInclusive<i64>,
) -> Result<i64, ServiceError> {
    let value = text.parse().map_err(|_| {
        // The framework's text for a value of another type is not known.
        ServiceError::validation(format!("Value '{text}' at '{at}' is not a whole number."))
    })?;
    number(at, value, allowed)
}

/// Letters and digits only, and at least one.
pub(crate) fn is_alphanumeric(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_the_framework_s_words() {
        let seen = [
            required::<()>("a", None).unwrap_err(),
            length("a", "", &(1..=3)).unwrap_err(),
            count("a", 4, &(1..=3)).unwrap_err(),
            number("a", 0.5, &(1.0..=2.0)).unwrap_err(),
            integer("a", "9", &(1..=2)).unwrap_err(),
            one_of("a", "C", &["A", "B"]).unwrap_err(),
            pattern("a", "!", "[a-z]+", false).unwrap_err(),
        ]
        .map(|error| error.message.into_owned());
        insta::assert_snapshot!(seen.join("\n"));
    }

    #[test]
    fn what_satisfies_a_rule_passes() {
        assert_eq!(required("a", Some(1)), Ok(1));
        assert_eq!(length("a", "äöü", &(3..=3)), Ok(()));
        assert_eq!(integer("a", "1", &(1..=2)), Ok(1));
        assert_eq!(one_of("a", "A", &["A"]), Ok("A"));
    }
}

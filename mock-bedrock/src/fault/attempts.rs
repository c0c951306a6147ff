//! The attempts of a call that a fault strikes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A range of attempts, from 1, ends included: `2` or `1-2`. The default is every attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    first: u32,
    last: u32,
}

impl Default for Attempts {
    fn default() -> Self {
        Attempts { first: 1, last: u32::MAX }
    }
}

impl Attempts {
    /// Splits `NAME@1-2` into the name and its attempts.
    ///
    /// # Errors
    ///
    /// What is wrong with the attempts.
    pub(crate) fn split(text: &str) -> Result<(&str, Self), String> {
        match text.rsplit_once('@') {
            Some((name, attempts)) => Ok((name, Self::parse(attempts)?)),
            None => Ok((text, Attempts::default())),
        }
    }

    /// Reads `2` or `1-2`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok(Attempts { first, last }),
            _ => Err(format!(
                "`@{text}` names no attempts; write @2 for the second attempt of a call, @1-2 for the first two"
            )),
        }
    }

    pub(crate) fn contains(self, attempt: u32) -> bool {
        (self.first..=self.last).contains(&attempt)
    }
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl FromStr for Attempts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Attempts::parse(text)
    }
}

impl Serialize for Attempts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Attempts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "attempts are a number from 1, or a range such as 1-2")]
        enum Written {
            Number(u32),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        Attempts::parse(&text).map_err(de::Error::custom)
    }
}

//! The attempts of a call that a fault strikes.

/// A range of attempts, from 1, ends included. The default is every attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempts {
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

//! A hash of a plan that does not depend on how it is split.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of every line of a plan, without its line feed, added up as numbers of 256 bits
/// modulo 2^256, the most significant byte first.
///
/// A sum does not depend on the order of its parts: the hashes of all shards of a plan add up to
/// the hash of the whole. Each line holds its position, so that none can be moved unseen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanHash {
    /// The number in words of 64 bits, the least significant first.
    words: [u64; 4],
}

impl PlanHash {
    /// Adds the hash of `line`.
    pub(super) fn add_line(&mut self, line: &[u8]) {
        let digest = Sha256::digest(line);
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().rev().zip(digest.chunks_exact(8)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        *self = self.plus(PlanHash { words });
    }

    /// The hash of this part of a plan together with another.
    #[must_use]
    pub fn plus(self, other: PlanHash) -> PlanHash {
        let mut carry = 0;
        let mut words = [0; 4];
        for (sum, (one, other)) in words.iter_mut().zip(self.words.into_iter().zip(other.words)) {
            let wide = u128::from(one) + u128::from(other) + carry;
            #[expect(clippy::cast_possible_truncation, reason = "the rest is carried")]
            let low = wide as u64;
            *sum = low;
            carry = wide >> 64;
        }
        PlanHash { words }
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words.iter().rev().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

/// A text that is not the hash of a plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no hash of a plan: 64 hexadecimal digits")]
pub struct ParsePlanHashError(String);

impl FromStr for PlanHash {
    type Err = ParsePlanHashError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let wrong = || ParsePlanHashError(given.to_owned());
        let is_hex = given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return Err(wrong());
        }
        let mut words = [0; 4];
        for (index, word) in words.iter_mut().rev().enumerate() {
            let digits = &given[16 * index..16 * (index + 1)];
            *word = u64::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(PlanHash { words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(lines: &[&str]) -> PlanHash {
        let mut hash = PlanHash::default();
        for line in lines {
            hash.add_line(line.as_bytes());
        }
        hash
    }

    #[test]
    fn one_line_has_its_sha_256_and_more_have_the_sum() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(&["abc"]).to_string(), abc);
        // By Python: sum(int(sha256(line).hexdigest(), 16) for line in lines) % 2**256
        let sum = "a6e4442af25303140a88b6bff62368ca0af60d80980388a6dd9afeb1efdd175a";
        assert_eq!(hash(&["abc", "", "a", "b"]).to_string(), sum);
        assert_eq!(sum.parse::<PlanHash>().unwrap().to_string(), sum);
        for text in ["", "ba78", &"é".repeat(32), &"g".repeat(64)] {
            assert_eq!(text.parse::<PlanHash>(), Err(ParsePlanHashError(text.to_owned())));
        }
        assert_eq!(hash(&["abc", "a"]).plus(hash(&["b", ""])), hash(&["", "a", "abc", "b"]));
    }
}

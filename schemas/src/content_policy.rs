//! What an instrumentation puts onto spans of prompts and answers: what synthetic spans are made
//! with, and what their storage is counted for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What becomes of prompts, answers and system prompts.
///
/// ```
/// use spanproof_schemas::content_policy::ContentPolicy;
/// let policy: ContentPolicy = "cut:2KiB".parse().unwrap();
/// assert_eq!(policy, ContentPolicy::Cut { bytes: 2048 });
/// assert_eq!(policy.to_string(), "cut:2KiB");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentPolicy {
    /// They are nowhere.
    #[default]
    None,
    /// The SHA-256 of each stands in its attribute.
    Hash,
    /// Each text stands in its attribute, of which it takes at most so many bytes: texts are cut so
    /// that the value is still whole, as an instrumentation cuts them. A store that cuts values
    /// does not care.
    Cut {
        /// The most bytes of the attribute's value as JSON.
        bytes: u32,
    },
    /// They stand in attributes.
    Full,
    /// They stand in events of the span.
    Events,
    /// They are kept elsewhere, and the span has the URIs.
    Reference,
}

impl ContentPolicy {
    /// Each kind, with the cut that Grafana Tempo makes unless it is told otherwise.
    pub const ALL: [ContentPolicy; 6] = [
        ContentPolicy::None,
        ContentPolicy::Hash,
        ContentPolicy::Reference,
        ContentPolicy::Cut { bytes: 2048 },
        ContentPolicy::Events,
        ContentPolicy::Full,
    ];

    /// Whether the words of prompts and answers are part of the telemetry, even if not all of them.
    #[must_use]
    pub fn has_text(self) -> bool {
        matches!(self, ContentPolicy::Cut { .. } | ContentPolicy::Full | ContentPolicy::Events)
    }
}

/// The least cut: an empty message of each role fits.
const LEAST_CUT_BYTES: u32 = 256;

/// The units of a cut, the largest first.
const UNITS: [(&str, u32); 4] = [("MiB", 1 << 20), ("KiB", 1 << 10), ("kB", 1000), ("B", 1)];

impl fmt::Display for ContentPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ContentPolicy::None => "none",
            ContentPolicy::Hash => "hash",
            ContentPolicy::Cut { bytes } => {
                let unit = UNITS.iter().find(|(_, factor)| bytes % factor == 0);
                let (unit, factor) = unit.unwrap_or(&("B", 1));
                return write!(f, "cut:{}{unit}", bytes / factor);
            }
            ContentPolicy::Full => "full",
            ContentPolicy::Events => "events",
            ContentPolicy::Reference => "reference",
        })
    }
}

/// A text that is no content policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a content policy: write none, hash, cut:SIZE (at least 256B, such as cut:2KiB), full, events or reference"
)]
pub struct ParseContentPolicyError(String);

impl FromStr for ContentPolicy {
    type Err = ParseContentPolicyError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let unknown = || ParseContentPolicyError(given.to_owned());
        Ok(match given {
            "none" => ContentPolicy::None,
            "hash" => ContentPolicy::Hash,
            "full" => ContentPolicy::Full,
            "events" => ContentPolicy::Events,
            "reference" => ContentPolicy::Reference,
            _ => {
                let size = given.strip_prefix("cut:").ok_or_else(unknown)?;
                let bytes = bytes_of(size).filter(|bytes| *bytes >= LEAST_CUT_BYTES);
                ContentPolicy::Cut { bytes: bytes.ok_or_else(unknown)? }
            }
        })
    }
}

fn bytes_of(size: &str) -> Option<u32> {
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((size.strip_suffix(unit)?, *factor)))
        .unwrap_or((size, 1));
    if !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    number.parse::<u32>().ok()?.checked_mul(factor)
}

impl Serialize for ContentPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_policy_is_told_with_what_to_write() {
        for text in [
            "",
            "hashes",
            "cut",
            "cut:",
            "cut:0",
            "cut:255",
            "cut:+300",
            "cut:5GiB",
            "cut:4294967296",
        ] {
            let error = text.parse::<ContentPolicy>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is not a content policy: ")), "{error}");
        }
    }

    #[test]
    fn every_kind_reads_back() {
        for policy in ContentPolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
    }

    proptest! {
        #[test]
        fn every_cut_reads_back(bytes in LEAST_CUT_BYTES..) {
            let policy = ContentPolicy::Cut { bytes };
            prop_assert_eq!(policy.to_string().parse(), Ok(policy));
        }

        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC*|cut:\\PC*") {
            let _ = text.parse::<ContentPolicy>();
        }
    }
}

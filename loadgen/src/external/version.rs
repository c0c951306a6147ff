//! Versions of languages and tools.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of a language or a tool: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// The major version.
    pub major: u32,
    /// The minor version.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('.');
        parts
            .and_then(|(major, minor)| {
                Some(Version { major: major.parse().ok()?, minor: minor.parse().ok()? })
            })
            .ok_or_else(|| format!("`{text}` is not a version: write it like `3.11`, in quotes"))
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl Version {
    /// The first version in what a tool says of itself, such as `go version go1.26.8 linux/amd64`.
    pub(super) fn said_in(text: &str) -> Option<Version> {
        text.split_whitespace().find_map(|word| {
            let (major, rest) =
                leading_number(word.trim_start_matches(|c: char| !c.is_ascii_digit()))?;
            let after_dot = rest.strip_prefix('.');
            // `25` and `25-ea` are versions; the `1m` that begins bold type on terminals is none.
            if after_dot.is_none() && !rest.is_empty() && !rest.starts_with('-') {
                return None;
            }
            let minor = after_dot.and_then(leading_number).map_or(0, |(minor, _)| minor);
            Some(Version { major, minor })
        })
    }
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_tools_say() {
        for (said, version) in [
            ("v20.20.2\n", Some((20, 20))),
            ("11.19.1", Some((11, 19))),
            ("go version go1.26.8 linux/amd64", Some((1, 26))),
            ("go version devel go1.27-3fd72b2 linux/amd64", Some((1, 27))),
            ("javac 17.0.15", Some((17, 0))),
            ("javac 25", Some((25, 0))),
            ("javac 26-ea", Some((26, 0))),
            ("\x1b[1mApache Maven 3.8.7\x1b[m\nMaven home: /usr/share/maven", Some((3, 8))),
            ("Python 3.13.0rc2", Some((3, 13))),
            ("command not found", None),
            ("99999999999.1", None),
            ("", None),
        ] {
            let expected = version.map(|(major, minor)| Version { major, minor });
            assert_eq!(Version::said_in(said), expected, "{said:?}");
        }
    }
}

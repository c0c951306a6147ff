//! The versions of the conventions whose registries are compiled in.

use std::fmt;
use std::str::FromStr;

use super::files::FILES;
use super::{Registry, Status};

/// A version of the conventions that spanproof knows; a newer one is greater. Releases come in the
/// order of their numbers, and after them `genai-dev`, the GenAI conventions as they are developed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(usize);

impl Version {
    /// The oldest known version.
    pub const OLDEST: Version = Version(0);

    /// The newest released version.
    pub const LATEST: Version = Version(newest_release());

    /// The last version in which the provider is `gen_ai.system`, which many libraries stay at.
    pub const LATEST_WITH_SYSTEM: Version = Version::known("1.36.0");

    /// The first version in which input tokens include those read from and written to the cache.
    pub const INPUT_INCLUDES_CACHED: Version = Version::known("1.40.0");

    /// The GenAI conventions in development.
    pub const GENAI_DEV: Version = Version::known("genai-dev");

    /// The version of that text, for constants: an unknown one does not compile.
    const fn known(text: &str) -> Version {
        let mut index = 0;
        while !same(FILES[index].0.as_bytes(), text.as_bytes()) {
            index += 1;
        }
        Version(index)
    }

    /// Every known version, oldest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Version> {
        (0..FILES.len()).map(Version)
    }

    /// Whether it has been released, or is still in development.
    #[must_use]
    pub fn status(self) -> Status {
        if is_release(FILES[self.0].0) { Status::Released } else { Status::InDevelopment }
    }

    /// The text of the version, such as `1.41.1`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        FILES[self.0].0
    }

    /// Reads this version's registry.
    ///
    /// # Panics
    ///
    /// If the registry file compiled into this crate is not a registry, which a test rules out.
    #[must_use]
    pub fn registry(self) -> Registry {
        let (version, text) = FILES[self.0];
        serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("semconv/{version}.json is not a registry: {error}"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A version that spanproof does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown semantic-convention version `{given}`; known are {known}")]
pub struct UnknownVersion {
    given: String,
    known: String,
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        Version::all().find(|version| version.as_str() == given).ok_or_else(|| UnknownVersion {
            given: given.to_owned(),
            known: Version::all().map(Version::as_str).collect::<Vec<_>>().join(", "),
        })
    }
}

/// The place of the newest release among the files, which are oldest first.
const fn newest_release() -> usize {
    let mut index = FILES.len() - 1;
    while !is_release(FILES[index].0) {
        index -= 1;
    }
    index
}

/// Whether a version is a number, as those of releases are.
const fn is_release(version: &str) -> bool {
    version.as_bytes()[0].is_ascii_digit()
}

/// Whether two texts are the same, in constants.
const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

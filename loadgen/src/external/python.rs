//! Finding a Python that is new enough.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version of a language: major and minor.
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

/// A Python on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Python {
    pub(super) program: PathBuf,
    pub(super) version: Version,
}

/// Names to look for on `PATH`: the usual one first, then each by its version, newest first.
const PROGRAMS: [&str; 6] =
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// The first Python on `PATH` of at least `minimum`, or else the versions that were found.
pub(super) fn find(minimum: Version) -> Result<Python, Vec<Version>> {
    let mut too_old = Vec::new();
    for python in PROGRAMS.into_iter().filter_map(ask) {
        if python.version >= minimum {
            return Ok(python);
        }
        too_old.push(python.version);
    }
    Err(too_old)
}

fn ask(program: &str) -> Option<Python> {
    let question = "import sys; print(*sys.version_info[:2], sep='.'); print(sys.executable)";
    let output = Command::new(program).args(["-I", "-c", question]).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    let (version, executable) = answer.trim_end().split_once('\n')?;
    Some(Python { program: executable.into(), version: version.parse().ok()? })
}

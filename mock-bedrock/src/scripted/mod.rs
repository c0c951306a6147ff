//! Answers that a file gives: written by people, or recorded from the service.

mod file;
mod recorded;
mod reply;
mod state;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use file::{Operations, Rule, ScriptedAnswers, When};
pub use recorded::{Event, EventKind, Recorded, RecordedBody};
pub use reply::{Chunk, Reply, ToolCall};
pub(crate) use state::{Facts, Scripts};

/// Why a file of scripted answers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It cannot be read.
    #[error("cannot read the scripted answers {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// It is not a file of scripted answers.
    #[error("{path} holds no scripted answers: {reason}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        reason: String,
    },
    /// A rule that cannot be served.
    #[error("{path}: {rule}")]
    Rule {
        /// The file.
        path: PathBuf,
        /// Which rule, and what is wrong with it.
        rule: RuleError,
    },
}

/// A rule that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scripted answer `{name}` {problem}")]
pub struct RuleError {
    /// The rule's name.
    pub name: String,
    /// What is wrong with it, and what to write instead.
    pub problem: String,
}

impl ScriptedAnswers {
    /// Reads a file: JSON if its name ends in `.json`, else YAML.
    ///
    /// # Errors
    ///
    /// A [`ScriptError`] that says where and what.
    pub fn read(path: &Path) -> Result<ScriptedAnswers, ScriptError> {
        let text = fs::read_to_string(path)
            .map_err(|reason| ScriptError::Read { path: path.to_owned(), reason })?;
        let answers: Result<ScriptedAnswers, String> =
            if path.extension().is_some_and(|extension| extension == "json") {
                serde_json::from_str(&text).map_err(|error| error.to_string())
            } else {
                serde_norway::from_str(&text).map_err(|error| error.to_string())
            };
        let answers =
            answers.map_err(|reason| ScriptError::Parse { path: path.to_owned(), reason })?;
        answers.validate().map_err(|rule| ScriptError::Rule { path: path.to_owned(), rule })?;
        Ok(answers)
    }
}

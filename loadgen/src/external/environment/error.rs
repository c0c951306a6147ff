//! Why an environment cannot be made.

use std::io;
use std::path::{Path, PathBuf};

use super::tool::Tool;
use crate::external::version::Version;

/// An environment that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A tool is not there, or none that is new enough.
    #[error(
        "{name} needs {} {minimum} or newer on PATH, and {}: {}",
        .tool.name, describe_found(.found), .tool.remedy
    )]
    Tool {
        /// For whom it is needed.
        name: String,
        /// The tool.
        tool: &'static Tool,
        /// The oldest version that will do.
        minimum: Version,
        /// The versions that were found.
        found: Vec<Version>,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", .path.display())]
    File {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A program that makes the environment could not start.
    #[error("cannot start {}: {source}", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program that makes the environment failed.
    #[error("cannot {action} {name}; {remedy}. {program} said:\n{said}")]
    Failed {
        /// What it was to do, such as `install the packages of`.
        action: &'static str,
        /// For whom.
        name: String,
        /// What people can do about it.
        remedy: &'static str,
        /// The program, as people call it.
        program: &'static str,
        /// The last lines of what it said.
        said: String,
    },
}

impl EnvironmentError {
    /// Whether this machine lacks a tool, so that no client of the language can run on it.
    #[must_use]
    pub fn is_missing_tool(&self) -> bool {
        matches!(self, EnvironmentError::Tool { .. })
    }

    pub(super) fn file<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl Fn(io::Error) -> EnvironmentError + 'a {
        move |source| EnvironmentError::File { action, path: path.to_owned(), source }
    }
}

fn describe_found(found: &[Version]) -> String {
    match found.iter().max() {
        None => "found none".to_owned(),
        Some(newest) => format!("the newest found is {newest}"),
    }
}

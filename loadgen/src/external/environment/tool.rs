//! Finding the tools of a language.

use std::path::PathBuf;
use std::process::Command;

use super::error::EnvironmentError;
use crate::external::version::Version;

/// A program that environments are made with.
#[derive(Debug, PartialEq, Eq)]
pub struct Tool {
    /// What people call it.
    pub name: &'static str,
    /// The names that it may have on `PATH`, in the order in which they are tried.
    pub(super) programs: &'static [&'static str],
    /// What makes it say its version.
    pub(super) ask: &'static [&'static str],
    /// How people get one.
    pub(super) remedy: &'static str,
}

/// A tool on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its name on `PATH`, or the path that it told.
    pub(super) program: PathBuf,
    pub(super) version: Version,
}

impl Tool {
    /// The first on `PATH` of at least `minimum`; `name` says for whom.
    pub(super) fn find(
        &'static self,
        minimum: Version,
        name: &str,
    ) -> Result<Found, EnvironmentError> {
        let mut too_old = Vec::new();
        for found in self.programs.iter().filter_map(|program| self.ask(program)) {
            if found.version >= minimum {
                return Ok(found);
            }
            too_old.push(found.version);
        }
        let name = name.to_owned();
        Err(EnvironmentError::Tool { name, tool: self, minimum, found: too_old })
    }

    fn ask(&self, program: &str) -> Option<Found> {
        let output = Command::new(program).args(self.ask).output().ok()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let mut lines = said.lines();
        let version = Version::said_in(lines.next().filter(|_| output.status.success())?)?;
        // Python, which is asked for more than its version, says on a second line where it is.
        let program = lines.next().filter(|line| line.starts_with('/')).unwrap_or(program);
        Some(Found { program: program.into(), version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NOBODY_HAS: Tool = Tool {
        name: "Cheese",
        programs: &["no-such-program", "cheese"],
        ask: &["--version"],
        remedy: "install one from the dairy",
    };

    #[test]
    fn a_tool_that_is_missing_is_told_with_the_version_needed_and_where_to_get_it() {
        let minimum = Version { major: 4, minor: 2 };
        let error = NOBODY_HAS.find(minimum, "cheese/brie").unwrap_err();
        assert!(error.is_missing_tool());
        assert_eq!(
            error.to_string(),
            "cheese/brie needs Cheese 4.2 or newer on PATH, and found none: install one from the \
             dairy"
        );
    }
}

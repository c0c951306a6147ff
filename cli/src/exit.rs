//! How a run ends: the exit codes, and which of them wins.

use std::fmt;
use std::process::ExitCode;

use spanproof_schemas::report::{Level, Report, Verdict};

/// The end of a verb that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0: nothing stands against it.
    Conforms,
    /// 1: findings at or above the level that fails a run, or an expectation that does not hold.
    Findings,
    /// 4: nothing was captured, so nothing was checked.
    NothingCaptured,
}

impl Outcome {
    /// What `report` amounts to.
    pub(crate) fn of(report: &Report) -> Outcome {
        match report.verdict {
            // Nothing was to be judged: the gates of the load decide.
            Verdict::Conforms | Verdict::NotJudged => Outcome::Conforms,
            Verdict::Findings => Outcome::Findings,
            Verdict::NothingCaptured => Outcome::NothingCaptured,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Conforms => 0,
            Outcome::Findings => 1,
            Outcome::NothingCaptured => 4,
        })
    }
}

/// Why a verb could not do its work; graver than any [`Outcome`].
#[derive(Debug)]
pub(crate) enum Failure {
    /// 2: an argument or the configuration is wrong.
    Usage(anyhow::Error),
    /// 3: it could not be judged: a command, a port, an input or an output failed.
    CouldNotJudge(anyhow::Error),
}

impl Failure {
    /// The error, without what it means for the exit code.
    pub(crate) fn into_error(self) -> anyhow::Error {
        match self {
            Failure::Usage(error) | Failure::CouldNotJudge(error) => error,
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Usage(_) => 2,
            Failure::CouldNotJudge(_) => 3,
        })
    }
}

/// The error and its causes, outermost first. Messages of libraries often end with their cause,
/// which is not said twice.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Usage(error) | Failure::CouldNotJudge(error)) = self;
        let mut above = error.to_string();
        f.write_str(&above)?;
        for cause in error.chain().skip(1).map(ToString::to_string) {
            if !above.ends_with(&cause) {
                write!(f, ": {cause}")?;
                above = cause;
            }
        }
        Ok(())
    }
}

/// Says which kind of failure an error is, where it happens.
pub(crate) trait OrFail<T> {
    /// The user's argument or configuration is at fault.
    fn or_usage(self) -> Result<T, Failure>;
    /// The world is at fault.
    fn or_could_not_judge(self) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_usage(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::Usage(error.into()))
    }

    fn or_could_not_judge(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::CouldNotJudge(error.into()))
    }
}

/// The verdict on what was captured, with the levels of what is not expected: `fail_on` is the
/// lowest that fails a run. `is_expectation_broken` where an expectation does not hold.
pub(crate) fn verdict(
    captured_nothing: bool,
    levels: impl IntoIterator<Item = Level>,
    fail_on: Level,
    is_expectation_broken: bool,
) -> Verdict {
    if captured_nothing {
        Verdict::NothingCaptured
    } else if is_expectation_broken || levels.into_iter().any(|level| level >= fail_on) {
        Verdict::Findings
    } else {
        Verdict::Conforms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_the_message_above_it_ends_with_is_said_once() {
        let cause = || anyhow::anyhow!("no space").context("cannot write: no space");
        let failure = Failure::CouldNotJudge(cause().context("cannot keep x"));
        assert_eq!(failure.to_string(), "cannot keep x: cannot write: no space");
        let failure = Failure::Usage(cause().context("cannot write: no space"));
        assert_eq!(failure.to_string(), "cannot write: no space");
        let failure = Failure::Usage(anyhow::anyhow!("no space").context("full"));
        assert_eq!(failure.to_string(), "full: no space");
    }

    #[test]
    fn nothing_captured_wins_over_findings_about_it() {
        let verdict = verdict(true, [Level::Violation], Level::Violation, true);
        assert_eq!(verdict, Verdict::NothingCaptured);
    }

    #[test]
    fn a_finding_counts_from_the_failing_level_up() {
        let verdict = |levels, fail_on| verdict(false, levels, fail_on, false);
        assert_eq!(verdict(vec![Level::Improvement], Level::Violation), Verdict::Conforms);
        assert_eq!(verdict(vec![Level::Improvement], Level::Improvement), Verdict::Findings);
        assert_eq!(verdict(vec![], Level::Information), Verdict::Conforms);
    }

    #[test]
    fn an_expectation_that_does_not_hold_fails_a_run_without_findings() {
        assert_eq!(verdict(false, [], Level::Violation, true), Verdict::Findings);
    }
}

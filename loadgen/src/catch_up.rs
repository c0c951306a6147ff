//! What becomes of calls that are overdue: after a stall of the machine, say.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::duration::parse_duration;

/// Calls that are overdue by no more than this are late for want of a better timer, and are made
/// under every policy.
const TIMER_TOLERANCE: Duration = Duration::from_millis(10);

/// The window unless another is given.
const DEFAULT_WINDOW: Duration = Duration::from_secs(1);

/// Which overdue calls are made all the same. Those that are not are counted, never forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// All, at once: totals are those of the plan, and a stall is followed by a burst.
    #[default]
    All,
    /// None: what a stall made late stays undone, and no burst follows.
    Skip,
    /// Those that are overdue by no more than this, in real time.
    Window(Duration),
}

impl CatchUp {
    /// Whether a call that is overdue by `overdue` is made.
    pub(crate) fn makes(self, overdue: Duration) -> bool {
        overdue
            <= match self {
                CatchUp::All => return true,
                CatchUp::Skip => TIMER_TOLERANCE,
                CatchUp::Window(window) => window.max(TIMER_TOLERANCE),
            }
    }
}

/// A text that is not a policy.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no catch-up policy: write `all`, `skip`, `window`, or `window:500ms`")]
pub struct ParseCatchUpError(String);

impl FromStr for CatchUp {
    type Err = ParseCatchUpError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseCatchUpError(given.to_owned());
        match given.split_once(':') {
            None if given == "all" => Ok(CatchUp::All),
            None if given == "skip" => Ok(CatchUp::Skip),
            None if given == "window" => Ok(CatchUp::Window(DEFAULT_WINDOW)),
            Some(("window", length)) => {
                parse_duration(length).map(CatchUp::Window).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for CatchUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatchUp::All => f.write_str("all"),
            CatchUp::Skip => f.write_str("skip"),
            CatchUp::Window(window) => {
                write!(f, "window:{}", humantime::format_duration(*window))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_read_back_and_others_are_named() {
        for text in ["all", "skip", "window:500ms", "window:1s"] {
            assert_eq!(text.parse::<CatchUp>().unwrap().to_string(), text);
        }
        assert_eq!("window".parse(), Ok(CatchUp::Window(DEFAULT_WINDOW)));
        for text in ["", "some", "window:", "window:soon", "skip:1s", "all:"] {
            assert_eq!(text.parse::<CatchUp>(), Err(ParseCatchUpError(text.to_owned())));
        }
    }

    #[test]
    fn what_the_timer_makes_late_is_made_under_every_policy() {
        let (tick, second) = (Duration::from_millis(2), Duration::from_secs(1));
        for policy in [CatchUp::All, CatchUp::Skip, CatchUp::Window(Duration::ZERO)] {
            assert!(policy.makes(tick), "{policy}");
        }
        assert!(CatchUp::All.makes(second) && CatchUp::Window(second).makes(second));
        assert!(!CatchUp::Skip.makes(second) && !CatchUp::Window(second).makes(second + tick));
    }
}

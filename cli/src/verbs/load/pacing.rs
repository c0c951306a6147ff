//! The arguments that say how calls are paced.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use anyhow::{anyhow, bail};
use loadgen::{CatchUp, LoadConfig, OverLimit};
use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::{UnixNanos, unix_nanos};

const HEADING: &str = "Pacing";

/// How late a start may be: a process that is started with others takes a moment until it plans.
const LATEST_START: Duration = Duration::from_secs(30);

/// How calls are paced.
#[derive(Debug, clap::Args)]
pub(super) struct PacingArgs {
    /// How fast simulated time runs; `max`: as fast as the client can
    #[arg(long, value_name = "FACTORx|max", default_value_t = Speed::DAY_IN_A_MINUTE,
          help_heading = HEADING)]
    speed: Speed,
    /// What runs that fast: all, the mock's latencies and waits between attempts included; or the
    /// schedule alone, so that as many calls are open as in real time at that rate
    #[arg(long, value_name = "all|schedule", default_value = "all", help_heading = HEADING)]
    compress: Compress,
    /// Which overdue calls are made after a stall: all; window:DURATION, those no longer overdue
    /// than that (1s, unless given); or skip, none. Others are counted as skipped
    #[arg(long, value_name = "POLICY", default_value_t = CatchUp::All, help_heading = HEADING)]
    catch_up: CatchUp,
    /// How many calls may be open at once [default: 10000, or 64 at --speed max]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..),
          help_heading = HEADING)]
    in_flight: Option<u32>,
    /// What becomes of a call that is due when as many are open: queue, it waits and is late; or
    /// drop, it is left out and counted
    #[arg(long, value_name = "queue|drop", default_value_t = OverLimit::Queue,
          help_heading = HEADING)]
    over_limit: OverLimit,
    /// When simulated time starts, so that shards start together: 2026-11-27T00:00:00Z, seconds
    /// since 1970, or +30s from now [default: at once]
    #[arg(long, value_name = "TIME", help_heading = HEADING)]
    start_at: Option<StartAt>,
}

/// What runs at the speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compress {
    All,
    Schedule,
}

impl FromStr for Compress {
    type Err = anyhow::Error;

    fn from_str(given: &str) -> anyhow::Result<Compress> {
        match given {
            "all" => Ok(Compress::All),
            "schedule" => Ok(Compress::Schedule),
            _ => bail!("`{given}` is not known: write `all` or `schedule`"),
        }
    }
}

/// When to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StartAt(SystemTime);

impl FromStr for StartAt {
    type Err = anyhow::Error;

    fn from_str(given: &str) -> anyhow::Result<StartAt> {
        let wrong = || {
            anyhow!(
                "`{given}` is no time: write such as 2026-11-27T00:00:00Z, seconds since 1970, or +30s"
            )
        };
        if let Some(later) = given.strip_prefix('+') {
            let later = humantime::parse_duration(later).map_err(|_| wrong())?;
            return SystemTime::now().checked_add(later).map(StartAt).ok_or_else(wrong);
        }
        if let Ok(time) = humantime::parse_rfc3339(given) {
            return Ok(StartAt(time));
        }
        let seconds: f64 = given.parse().map_err(|_| wrong())?;
        let since = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
        SystemTime::UNIX_EPOCH.checked_add(since).map(StartAt).ok_or_else(wrong)
    }
}

impl PacingArgs {
    /// Refuses what contradicts itself, and starts that are over.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.speed == Speed::Max {
            if self.over_limit == OverLimit::Drop {
                bail!(
                    "--over-limit drop leaves out calls that are due while others are open; at --speed max all are due at once: use a factor such as 1440x"
                );
            }
            if self.compress == Compress::Schedule {
                bail!(
                    "--compress schedule is for a speed with a schedule: use a factor such as 1440x"
                );
            }
        }
        let late = self.start_at.and_then(|StartAt(at)| SystemTime::now().duration_since(at).ok());
        match late {
            Some(late) if late > LATEST_START => bail!(
                "--start-at was {:.0} s ago; more than {} s are no longer made up for: start it again with a later time",
                late.as_secs_f64(),
                LATEST_START.as_secs()
            ),
            _ => Ok(()),
        }
    }

    pub(super) fn speed(&self) -> Speed {
        self.speed
    }

    /// How fast the service's time runs, and that of waits between attempts.
    pub(super) fn speed_of_service(&self) -> Speed {
        match self.compress {
            Compress::All => self.speed,
            Compress::Schedule => Speed::REAL,
        }
    }

    /// A run that is paced so, and otherwise as `defaults` are.
    pub(super) fn config(&self, defaults: LoadConfig) -> LoadConfig {
        let start_at: Option<UnixNanos> = self.start_at.map(|StartAt(at)| unix_nanos(at));
        LoadConfig {
            in_flight: self
                .in_flight
                .map_or(defaults.in_flight, |calls| usize::try_from(calls).unwrap_or(usize::MAX)),
            over_limit: self.over_limit,
            catch_up: self.catch_up,
            start_at,
            ..defaults
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_each_form_and_others_are_named() {
        let read = |text: &str| unix_nanos(text.parse::<StartAt>().unwrap().0);
        let wanted = 1_795_737_600_500_000_000;
        assert_eq!(read("2026-11-27T00:00:00.5Z"), wanted);
        assert_eq!(read("1795737600.5"), wanted);
        assert!(read("+1h") > unix_nanos(SystemTime::now()) + 3_500_000_000_000);
        for text in ["", "soon", "+", "-5", "nan", "2026-11-27", "1e300"] {
            let said = text.parse::<StartAt>().unwrap_err().to_string();
            assert!(said.contains(&format!("`{text}`")), "{said}");
        }
    }
}

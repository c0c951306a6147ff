//! Time that nobody sets: the wall clock is read once, and time goes on from there monotonically.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use spanproof_schemas::time::{UnixNanos, unix_nanos};

/// Where time comes from.
pub trait TimeSource: Send + Sync {
    /// Time since some moment, which never goes back.
    fn monotonic(&self) -> Duration;
    /// What the clock on the wall shows, which somebody may set meanwhile.
    fn wall(&self) -> UnixNanos;
}

/// The time of a run, the same for the generator and for clients in its process. A step of the wall
/// clock in the middle of a run changes no duration that is measured by it.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn TimeSource>,
    started: Duration,
    started_unix_nanos: UnixNanos,
}

impl Clock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Clock {
        Clock::of(Arc::new(System(Instant::now())))
    }

    /// The time of `source`, from what its wall clock shows now.
    #[must_use]
    pub fn of(source: Arc<dyn TimeSource>) -> Clock {
        let (started, started_unix_nanos) = (source.monotonic(), source.wall());
        Clock { source, started, started_unix_nanos }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> UnixNanos {
        let since = self.source.monotonic().saturating_sub(self.started);
        self.started_unix_nanos.saturating_add(nanos(since))
    }

    /// How far the wall clock was set since this clock was made, in nanoseconds; below zero where it
    /// was set back. Microseconds are the ordinary work of a time service.
    #[must_use]
    pub fn step_nanos(&self) -> i128 {
        i128::from(self.source.wall()) - i128::from(self.now())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("started_unix_nanos", &self.started_unix_nanos)
            .finish_non_exhaustive()
    }
}

/// `duration` in nanoseconds; the most there can be where it is longer.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

struct System(Instant);

impl TimeSource for System {
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> UnixNanos {
        unix_nanos(SystemTime::now())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A clock on the wall that tests set, and time that they let pass.
    #[derive(Default)]
    pub(crate) struct Manual {
        pub(crate) monotonic_nanos: AtomicU64,
        pub(crate) wall_unix_nanos: AtomicU64,
    }

    impl TimeSource for Manual {
        fn monotonic(&self) -> Duration {
            Duration::from_nanos(self.monotonic_nanos.load(Ordering::SeqCst))
        }

        fn wall(&self) -> UnixNanos {
            self.wall_unix_nanos.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn a_step_of_the_wall_clock_changes_no_time_but_is_known() {
        let source = Arc::new(Manual::default());
        source.wall_unix_nanos.store(1_000, Ordering::SeqCst);
        let clock = Clock::of(source.clone());
        assert_eq!((clock.now(), clock.step_nanos()), (1_000, 0));
        source.monotonic_nanos.fetch_add(50, Ordering::SeqCst);
        source.wall_unix_nanos.store(150, Ordering::SeqCst);
        assert_eq!((clock.now(), clock.step_nanos()), (1_050, -900));
    }
}

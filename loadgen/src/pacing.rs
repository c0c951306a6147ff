//! Releases calls at their planned times.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::UnixNanos;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::catch_up::CatchUp;
use crate::clock::{Clock, nanos};
use crate::plan::{Plan, Planned};

/// How long after the pacer's start simulated time starts, so that the first calls are not late
/// for want of a thread.
const HEAD_START: Duration = Duration::from_millis(20);

/// How many calls are released together where they are made as fast as can be.
const AT_ONCE: usize = 64;

/// How many such batches wait to be taken.
const BATCHES: usize = 4;

/// A call that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// What the plan says of it.
    pub(crate) event: Planned,
    /// When it was to be made; `None` where calls are made as fast as can be.
    pub(crate) planned: Option<Time>,
}

/// When a call was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    /// In real time.
    pub(crate) unix_nanos: UnixNanos,
    /// The minute of simulated time.
    pub(crate) minute: u32,
}

/// What comes due together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Calls to make, by their times.
    pub(crate) calls: Vec<Due>,
    /// Calls that are too late to be made, by their times.
    pub(crate) skipped: Vec<Due>,
    /// When they were released.
    pub(crate) released: UnixNanos,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.skipped.is_empty()
    }
}

/// How calls are paced.
#[derive(Clone, Debug)]
pub(crate) struct Pacing {
    pub(crate) speed: Speed,
    pub(crate) catch_up: CatchUp,
    /// When simulated time starts; `None` for as soon as can be.
    pub(crate) start_at: Option<UnixNanos>,
    pub(crate) clock: Clock,
}

/// Where due calls come from: a thread that sleeps until they are due. A thread, because timers of an
/// async runtime are as coarse as a millisecond and wait for the runtime's tasks besides.
pub(crate) struct Pacer {
    released: Released,
    /// When simulated time starts.
    pub(crate) start: UnixNanos,
    /// Dropping it ends the thread's sleep, and the thread.
    _stop: Sender<()>,
}

enum Released {
    /// When they are due. Nothing holds up the thread, so what is not taken yet waits.
    Timed(UnboundedReceiver<Batch>),
    /// As they are taken: all are due when it is time to start.
    AtOnce(tokio::sync::mpsc::Receiver<Batch>),
}

impl Pacer {
    pub(crate) fn start(plan: Arc<Plan>, pacing: Pacing) -> std::io::Result<Pacer> {
        let Pacing { speed, catch_up, start_at, clock } = pacing;
        let head_start = if speed == Speed::Max { Duration::ZERO } else { HEAD_START };
        let start = start_at.unwrap_or_else(|| clock.now().saturating_add(nanos(head_start)));
        let (stop, stopped) = channel();
        let mut timer = SleepingThread { clock, stopped };
        let thread = thread::Builder::new().name("pacer".to_owned());
        let released = if speed == Speed::Max {
            let (release, due) = tokio::sync::mpsc::channel(BATCHES);
            thread.spawn(move || release_at_once(plan.planned(), start, &mut timer, &release))?;
            Released::AtOnce(due)
        } else {
            let (release, due) = unbounded_channel();
            thread.spawn(move || {
                wake_exactly();
                let schedule = plan.planned().map(|event| Scheduled {
                    event,
                    minute: u32::try_from(event.at.as_secs() / 60).unwrap_or(u32::MAX),
                    at: speed.scale(event.at),
                });
                release_when_due(schedule, catch_up, start, &mut timer, &release);
            })?;
            Released::Timed(due)
        };
        Ok(Pacer { released, start, _stop: stop })
    }

    /// The next calls that are due, some at least; none at all when the plan has ended. What was not
    /// taken because this was not waited for comes the next time.
    pub(crate) async fn next(&mut self) -> Batch {
        let batch = match &mut self.released {
            Released::Timed(due) => due.recv().await,
            Released::AtOnce(due) => due.recv().await,
        };
        batch.unwrap_or_default()
    }
}

/// Lets the system wake this thread when it asks to be woken: by default it may sleep 50 µs longer,
/// so that wakes can be put together. Where it cannot be asked, calls are late by so much.
fn wake_exactly() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
}

/// A call of the plan, in real time from the start.
#[derive(Clone, Copy, Debug)]
struct Scheduled {
    event: Planned,
    minute: u32,
    at: Duration,
}

/// What the pacer waits by.
trait Timer {
    /// Now.
    fn now(&self) -> UnixNanos;

    /// Sleeps until `at`, or not at all when that is past; false when there is no more to wait for.
    fn sleep_until(&mut self, at: UnixNanos) -> bool;
}

/// The thread's own sleep. Never spins: on a busy machine a spinning thread loses its time slice and
/// makes calls later than a sleeping one does.
struct SleepingThread {
    clock: Clock,
    stopped: Receiver<()>,
}

impl Timer for SleepingThread {
    fn now(&self) -> UnixNanos {
        self.clock.now()
    }

    fn sleep_until(&mut self, at: UnixNanos) -> bool {
        let wait = Duration::from_nanos(at.saturating_sub(self.now()));
        self.stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout)
    }
}

/// Sends everything that is due in one batch, then sleeps until the next call is. Times come from
/// the plan and not from the last release, so a late wake delays nothing but the calls that were
/// due meanwhile.
fn release_when_due(
    schedule: impl Iterator<Item = Scheduled>,
    catch_up: CatchUp,
    start: UnixNanos,
    timer: &mut impl Timer,
    release: &UnboundedSender<Batch>,
) {
    let planned = |scheduled: &Scheduled| start.saturating_add(nanos(scheduled.at));
    let mut schedule = schedule.peekable();
    while let Some(next) = schedule.peek() {
        if !timer.sleep_until(planned(next)) {
            return;
        }
        let released = timer.now();
        let mut batch = Batch { released, ..Batch::default() };
        while let Some(scheduled) = schedule.next_if(|scheduled| planned(scheduled) <= released) {
            let Scheduled { event, minute, .. } = scheduled;
            let unix_nanos = planned(&scheduled);
            let due = Due { event, planned: Some(Time { unix_nanos, minute }) };
            let overdue = Duration::from_nanos(released - unix_nanos);
            if catch_up.makes(overdue) { &mut batch.calls } else { &mut batch.skipped }.push(due);
        }
        if !batch.is_empty() && release.send(batch).is_err() {
            return;
        }
    }
}

/// Sends all calls from `start` on, as fast as they are taken.
fn release_at_once(
    mut events: impl Iterator<Item = Planned>,
    start: UnixNanos,
    timer: &mut impl Timer,
    release: &tokio::sync::mpsc::Sender<Batch>,
) {
    if !timer.sleep_until(start) {
        return;
    }
    loop {
        let calls: Vec<Due> =
            events.by_ref().take(AT_ONCE).map(|event| Due { event, planned: None }).collect();
        let batch = Batch { calls, skipped: Vec::new(), released: timer.now() };
        if batch.is_empty() || release.blocking_send(batch).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A timer that oversleeps, once, by `stall` after `at`.
    struct Stalling {
        now: UnixNanos,
        at: UnixNanos,
        stall: u64,
    }

    impl Timer for Stalling {
        fn now(&self) -> UnixNanos {
            self.now
        }

        fn sleep_until(&mut self, at: UnixNanos) -> bool {
            self.now = self.now.max(at);
            if self.now >= self.at {
                self.now += std::mem::take(&mut self.stall);
            }
            true
        }
    }

    const SECOND: u64 = 1_000_000_000;
    const START: UnixNanos = 1_000 * SECOND;

    /// Ten calls a second for ten seconds, while the thread sleeps from second 3 to second 5.
    fn released(catch_up: CatchUp) -> Vec<Batch> {
        let schedule = (0..100).map(|call| Scheduled {
            event: Planned::numbered(call),
            minute: u32::try_from(call / 50).unwrap(),
            at: Duration::from_millis(100 * call),
        });
        let mut timer = Stalling { now: START, at: START + 3 * SECOND, stall: 2 * SECOND };
        let (release, mut due) = unbounded_channel();
        release_when_due(schedule, catch_up, START, &mut timer, &release);
        drop(release);
        std::iter::from_fn(|| due.try_recv().ok()).collect()
    }

    #[test]
    fn a_stall_is_made_up_for_skipped_or_made_up_for_in_part_and_no_call_is_forgotten() {
        for (catch_up, made_late, skipped) in [
            (CatchUp::All, 21, 0),
            (CatchUp::Skip, 1, 20),
            (CatchUp::Window(Duration::from_millis(500)), 6, 15),
        ] {
            let batches = released(catch_up);
            let stall = batches.iter().find(|batch| batch.released == START + 5 * SECOND).unwrap();
            assert_eq!(
                (stall.calls.len(), stall.skipped.len()),
                (made_late, skipped),
                "{catch_up}"
            );
            let mut calls: Vec<u64> = batches
                .iter()
                .flat_map(|batch| batch.calls.iter().chain(&batch.skipped))
                .map(|due| due.event.call)
                .collect();
            calls.sort_unstable();
            assert_eq!(calls, (0..100).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn a_stall_moves_no_planned_time() {
        for batch in released(CatchUp::All) {
            for due in batch.calls {
                let Time { unix_nanos, minute } = due.planned.unwrap();
                assert_eq!(unix_nanos, START + due.event.call * SECOND / 10);
                assert_eq!(u64::from(minute), due.event.call / 50);
                assert!(batch.released >= unix_nanos);
            }
        }
    }
}

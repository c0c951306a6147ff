//! Releases calls at their planned times.

use std::iter::Peekable;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::UnixNanos;

use crate::catch_up::CatchUp;
use crate::clock::{Clock, nanos};
use crate::plan::Planned;

/// How long after the pacer's start simulated time starts, so that the first calls are not late
/// for want of a thread.
const HEAD_START: Duration = Duration::from_millis(20);

/// How many calls are released together where they are made as fast as can be.
const AT_ONCE: usize = 64;

/// A call that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// What the plan says of it.
    pub(crate) event: Planned,
    /// When it was to be made; `None` where calls are made as fast as can be.
    pub(crate) planned: Option<Time>,
    /// When the pacer let it go.
    pub(crate) released: UnixNanos,
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
}

/// What a pacer waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Calls have come due, some at least.
    Due(Batch),
    /// Nothing has, until the time that was given.
    Nothing,
    /// Nothing will: the plan has ended, or was ended.
    End,
}

/// How calls are paced.
#[derive(Clone, Debug)]
pub(crate) struct Pacing {
    pub(crate) speed: Speed,
    pub(crate) catch_up: CatchUp,
    /// When simulated time starts.
    pub(crate) start: UnixNanos,
}

/// Where due calls come from. It puts its thread to sleep until they are due: timers of an async
/// runtime are as coarse as a millisecond and wait for the runtime's tasks besides.
pub(crate) struct Pacer<I: Iterator<Item = Planned>, T> {
    events: Peekable<I>,
    pacing: Pacing,
    timer: T,
    /// Until when it was held up last.
    held_until: UnixNanos,
}

impl<I: Iterator<Item = Planned>, T: Timer> Pacer<I, T> {
    pub(crate) fn new(events: I, pacing: Pacing, timer: T) -> Pacer<I, T> {
        Pacer { events: events.peekable(), pacing, timer, held_until: 0 }
    }

    /// Says that its thread has waited until now for something else. What has come due meanwhile is
    /// released as of its time: its lag is no matter of the timer, and no reason to leave it out.
    pub(crate) fn held_up(&mut self) {
        self.held_until = self.timer.now();
    }

    /// Sleeps until the next call is due, or `until`, and gives everything that is due then. Times come
    /// from the plan and not from the last release, so a late wake delays nothing but the calls that
    /// were due meanwhile.
    pub(crate) fn next(&mut self, until: Option<UnixNanos>) -> Next {
        let Some(next) = self.events.peek() else { return Next::End };
        let at = self.pacing.at(next);
        if !self.timer.sleep_until(until.map_or(at, |until| until.min(at))) {
            return Next::End;
        }
        let now = self.timer.now();
        if until.is_some_and(|until| until <= now) {
            return Next::Nothing;
        }
        Next::Due(self.due(now))
    }

    /// What was to be made by `now`; of what is made as fast as can be, as much as is released together.
    fn due(&mut self, now: UnixNanos) -> Batch {
        let Pacer { events, pacing, held_until, .. } = self;
        let is_timed = pacing.speed != Speed::Max;
        let most = if is_timed { usize::MAX } else { AT_ONCE };
        let mut batch = Batch::default();
        while batch.calls.len() < most
            && let Some(event) = events.next_if(|event| pacing.at(event) <= now)
        {
            let unix_nanos = pacing.at(&event);
            let minute = u32::try_from(event.at.as_secs() / 60).unwrap_or(u32::MAX);
            let planned = is_timed.then_some(Time { unix_nanos, minute });
            let released = if is_timed && unix_nanos <= *held_until { unix_nanos } else { now };
            let overdue = Duration::from_nanos(released - unix_nanos);
            let is_made = !is_timed || pacing.catch_up.makes(overdue);
            let due = Due { event, planned, released };
            if is_made { &mut batch.calls } else { &mut batch.skipped }.push(due);
        }
        batch
    }
}

impl Pacing {
    /// When simulated time starts that is to start as soon as can be.
    pub(crate) fn soonest(speed: Speed, now: UnixNanos) -> UnixNanos {
        let head_start = if speed == Speed::Max { Duration::ZERO } else { HEAD_START };
        now.saturating_add(nanos(head_start))
    }

    /// When `event` is due; from the start on where calls are made as fast as can be.
    fn at(&self, event: &Planned) -> UnixNanos {
        self.start.saturating_add(nanos(self.speed.scale(event.at)))
    }
}

/// What a pacer waits by.
pub(crate) trait Timer {
    /// Now.
    fn now(&self) -> UnixNanos;

    /// Sleeps until `at`, or not at all when that is past; false when there is no more to wait for.
    fn sleep_until(&mut self, at: UnixNanos) -> bool;
}

/// The thread's own sleep. Never spins: on a busy machine a spinning thread loses its time slice and
/// makes calls later than a sleeping one does.
pub(crate) struct SleepingThread {
    clock: Clock,
    stopped: Receiver<()>,
}

impl SleepingThread {
    /// Of the current thread, which sleeps until `stopped` is disconnected at the latest.
    pub(crate) fn current(clock: Clock, stopped: Receiver<()>) -> SleepingThread {
        wake_exactly();
        SleepingThread { clock, stopped }
    }
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

/// Lets the system wake this thread when it asks to be woken: by default it may sleep 50 µs longer,
/// so that wakes can be put together. Where it cannot be asked, calls are late by so much.
fn wake_exactly() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
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

    /// A pacer of ten calls a second for ten seconds, whose thread sleeps from second 3 to second 5.
    fn stalled(catch_up: CatchUp) -> Pacer<impl Iterator<Item = Planned>, Stalling> {
        let events = (0..100).map(|call| Planned {
            at: Duration::from_secs(12) * u32::try_from(call).unwrap(),
            ..Planned::numbered(call)
        });
        let timer = Stalling { now: START, at: START + 3 * SECOND, stall: 2 * SECOND };
        Pacer::new(events, Pacing { speed: Speed::Times(120.0), catch_up, start: START }, timer)
    }

    fn released(catch_up: CatchUp) -> Vec<Batch> {
        let mut pacer = stalled(catch_up);
        let next = || match pacer.next(None) {
            Next::Due(batch) => Some(batch),
            Next::Nothing | Next::End => None,
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn a_stall_is_made_up_for_skipped_or_made_up_for_in_part_and_no_call_is_forgotten() {
        for (catch_up, made_late, skipped) in [
            (CatchUp::All, 21, 0),
            (CatchUp::Skip, 1, 20),
            (CatchUp::Window(Duration::from_millis(500)), 6, 15),
        ] {
            let batches = released(catch_up);
            let stall =
                batches.iter().find(|batch| batch.calls[0].released == START + 5 * SECOND).unwrap();
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
                assert_eq!(u64::from(minute), due.event.call / 5);
                assert!(due.released >= unix_nanos);
            }
        }
    }

    #[test]
    fn a_pacer_waits_no_longer_than_it_is_told_to_and_forgets_no_call_over_it() {
        let mut pacer = stalled(CatchUp::All);
        let Next::Due(first) = pacer.next(Some(START + 1)) else { panic!("the first is due") };
        assert_eq!(first.calls.len(), 1);
        assert_eq!(pacer.next(Some(START + 1)), Next::Nothing);
        assert_eq!(pacer.timer.now, START + 1);
        let Next::Due(second) = pacer.next(Some(START + SECOND)) else {
            panic!("it is due before")
        };
        let second = second.calls[0];
        assert_eq!((second.event.call, second.released), (1, START + SECOND / 10));
    }

    #[test]
    fn what_comes_due_while_something_else_holds_up_the_thread_is_not_late_for_the_timer() {
        let mut pacer = stalled(CatchUp::Skip);
        let Next::Due(first) = pacer.next(None) else { panic!("the first is due") };
        assert_eq!(first.calls.len(), 1);
        // For two seconds there is no room for the first, and then the thread oversleeps.
        pacer.timer.now += 2 * SECOND;
        pacer.held_up();
        pacer.timer.now += SECOND / 2;
        let Next::Due(rest) = pacer.next(None) else { panic!("more has come due") };
        let calls = |due: &[Due]| due.iter().map(|due| due.event.call).collect::<Vec<_>>();
        assert_eq!(calls(&rest.calls), (1..=20).chain([25]).collect::<Vec<u64>>());
        assert_eq!(calls(&rest.skipped), (21..25).collect::<Vec<u64>>());
        let is_as_planned = |due: &Due| due.planned.unwrap().unix_nanos == due.released;
        assert!(rest.calls.iter().all(is_as_planned));
    }

    #[test]
    fn as_fast_as_can_be_everything_is_due_from_the_start_and_comes_in_batches() {
        let timer = Stalling { now: START - SECOND, at: u64::MAX, stall: 0 };
        let pacing = Pacing { speed: Speed::Max, catch_up: CatchUp::Skip, start: START };
        let mut pacer = Pacer::new((0..100).map(Planned::numbered), pacing, timer);
        for most in [64, 36] {
            let Next::Due(batch) = pacer.next(None) else { panic!("{most} more are due") };
            assert_eq!((batch.calls.len(), batch.skipped.len()), (most, 0));
            let is_at_start = |due: &Due| due.planned.is_none() && due.released == START;
            assert!(batch.calls.iter().all(is_at_start));
        }
        assert_eq!(pacer.next(None), Next::End);
    }

    #[test]
    fn paced_time_starts_later_than_now_so_that_the_first_call_can_be_waited_for() {
        assert!(Pacing::soonest(Speed::REAL, START) > START);
        assert_eq!(Pacing::soonest(Speed::Max, START), START);
    }

    #[test]
    fn a_thread_sleeps_until_it_is_time_unless_there_is_no_more_to_wait_for() {
        let (stop, stopped) = std::sync::mpsc::channel();
        let mut timer = SleepingThread::current(Clock::system(), stopped);
        let at = timer.now() + SECOND / 100;
        assert!(timer.sleep_until(at) && timer.now() >= at);
        assert!(timer.sleep_until(at), "it is past");
        drop(stop);
        assert!(!timer.sleep_until(u64::MAX));
        assert!(!timer.sleep_until(at), "nor after that");
    }
}

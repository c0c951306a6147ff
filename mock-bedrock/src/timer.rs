//! A timer that wakes tasks within a fraction of a millisecond of their time.
//!
//! The runtime's own timer counts whole milliseconds and looks at them when its tasks let it:
//! a thousand open streams got their frames up to four milliseconds late.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Wakes closer than this to each other are one: under load, most of the timer's cost is its own
/// waking up.
const RESOLUTION: Duration = Duration::from_micros(200);

/// Wakes tasks, from a thread that starts with the first that sleeps and ends when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A task's sleep until an instant. Dropping it forgets it.
#[derive(Debug)]
pub(crate) struct Sleep {
    shared: Arc<Shared>,
    deadline: Instant,
    /// Tells alarms of one instant apart; `None` while no alarm is set.
    alarm: Option<u64>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// The thread waits on this.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    alarms: BTreeMap<(Instant, u64), Waker>,
    next_alarm: u64,
    /// Until when the thread sleeps; `None` when it sleeps until it is called, or does not sleep.
    asleep_until: Option<Instant>,
    is_idle: bool,
    is_closed: bool,
}

impl Timer {
    /// Sleeps until `deadline`, or until the timer is dropped.
    pub(crate) fn sleep_until(&self, deadline: Instant) -> Sleep {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let started = thread::Builder::new()
                .name("mock-timer".to_owned())
                .spawn(move || shared.wake_when_due());
            // Without a thread nobody would ever wake: better early than never. The next sleep
            // tries again.
            match started {
                Ok(started) => *thread = Some(started),
                Err(_) => return Sleep::new(&self.shared, Instant::now()),
            }
        }
        Sleep::new(&self.shared, deadline)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.shared.state().is_closed = true;
        self.shared.changed.notify_one();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != thread::current().id()
        {
            // A panic there has been printed by then.
            let _ = thread.join();
        }
    }
}

impl Sleep {
    fn new(shared: &Arc<Shared>, deadline: Instant) -> Self {
        Sleep { shared: Arc::clone(shared), deadline, alarm: None }
    }

    /// Sleeps until `deadline` instead.
    pub(crate) fn reset(&mut self, deadline: Instant) {
        if deadline != self.deadline {
            self.forget();
            self.deadline = deadline;
        }
    }

    fn forget(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            let waker = self.shared.state().alarms.remove(&(self.deadline, alarm));
            // It may be the last of its task, whose end may be another sleep's: not while locked.
            drop(waker);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline <= Instant::now() {
            self.forget();
            return Poll::Ready(());
        }
        let mut state = self.shared.state();
        if state.is_closed {
            return Poll::Ready(());
        }
        let alarm = self.alarm.unwrap_or_else(|| {
            state.next_alarm += 1;
            state.next_alarm
        });
        let replaced = state.alarms.insert((self.deadline, alarm), cx.waker().clone());
        let is_earlier = state.is_idle || state.asleep_until.is_some_and(|at| at > self.deadline);
        if is_earlier {
            state.asleep_until = None;
            state.is_idle = false;
        }
        drop(state);
        drop(replaced);
        if is_earlier {
            self.shared.changed.notify_one();
        }
        self.alarm = Some(alarm);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.forget();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_when_due(&self) {
        let mut due = Vec::new();
        let mut woke = Instant::now();
        loop {
            let mut state = self.state();
            let now = Instant::now();
            let closed = state.is_closed;
            while let Some(first) = state.alarms.first_entry()
                && (first.key().0 <= now || closed)
            {
                due.push(first.remove());
            }
            if due.is_empty() && !closed {
                self.sleep(state, now, woke);
                continue;
            }
            drop(state);
            due.drain(..).for_each(Waker::wake);
            if closed {
                return;
            }
            woke = now;
        }
    }

    /// Waits until the next alarm, or until there is an earlier one. The last wake was at `woke`.
    fn sleep(&self, mut state: MutexGuard<'_, State>, now: Instant, woke: Instant) {
        if let Some((&(first, _), _)) = state.alarms.first_key_value() {
            let until = first.max(woke + RESOLUTION);
            state.asleep_until = Some(until);
            let wait = until.saturating_duration_since(now);
            let slept = self.changed.wait_timeout(state, wait);
            slept.unwrap_or_else(PoisonError::into_inner).0.asleep_until = None;
        } else {
            state.is_idle = true;
            let slept = self.changed.wait(state);
            slept.unwrap_or_else(PoisonError::into_inner).is_idle = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap()
            .block_on(future)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn nobody_wakes_early_and_everybody_wakes(micros in prop::collection::vec(0..20_000_u64, 1..200)) {
            block_on(async {
                let timer = Timer::default();
                let began = Instant::now();
                let mut sleepers = tokio::task::JoinSet::new();
                for micros in micros {
                    let deadline = began + Duration::from_micros(micros);
                    let sleep = timer.sleep_until(deadline);
                    sleepers.spawn(async move {
                        sleep.await;
                        Instant::now() >= deadline
                    });
                }
                while let Some(kept) = sleepers.join_next().await {
                    prop_assert!(kept.unwrap());
                }
                Ok(())
            })?;
        }
    }

    #[test]
    fn an_earlier_sleep_wakes_before_a_later_one() {
        block_on(async {
            let timer = Timer::default();
            let hour = Duration::from_hours(1);
            let mut later = timer.sleep_until(Instant::now() + hour);
            std::future::poll_fn(|cx| {
                assert!(Pin::new(&mut later).poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            timer.sleep_until(Instant::now() + Duration::from_millis(1)).await;
            // One that was reset wakes at its new time.
            later.reset(Instant::now() + Duration::from_millis(1));
            later.await;
        });
    }

    #[test]
    fn a_dropped_sleep_is_forgotten_and_a_dropped_timer_wakes_all() {
        struct Counted(Arc<AtomicUsize>);
        impl std::task::Wake for Counted {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let woken = Arc::new(AtomicUsize::new(0));
        let waker = Waker::from(Arc::new(Counted(Arc::clone(&woken))));
        let timer = Timer::default();
        let deadline = Instant::now() + Duration::from_hours(1);
        let mut sleeps: Vec<Sleep> = (0..10).map(|_| timer.sleep_until(deadline)).collect();
        for sleep in &mut sleeps {
            for _ in 0..2 {
                let polled = Pin::new(&mut *sleep).poll(&mut Context::from_waker(&waker));
                assert!(polled.is_pending());
            }
        }
        assert_eq!(timer.shared.state().alarms.len(), 10);
        sleeps.truncate(4);
        assert_eq!(timer.shared.state().alarms.len(), 4);
        drop(timer);
        assert_eq!(woken.load(Ordering::SeqCst), 4);
        for sleep in &mut sleeps {
            assert!(Pin::new(sleep).poll(&mut Context::from_waker(&waker)).is_ready());
        }
    }
}

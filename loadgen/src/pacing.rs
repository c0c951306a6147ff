//! Releases calls at their planned times.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::{UnixNanos, unix_nanos};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::plan::Plan;

/// How long after the pacer's start simulated time starts, so that the first calls are not late
/// for want of a thread.
const HEAD_START: Duration = Duration::from_millis(20);

/// A call that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Its position in the plan.
    pub(crate) call: u64,
    /// When it was to be made; `None` where calls are made as fast as can be.
    pub(crate) planned: Option<UnixNanos>,
}

/// Where due calls come from.
pub(crate) enum Pacer {
    /// From a thread that sleeps until they are due. A thread, because timers of an async runtime
    /// are as coarse as a millisecond and wait for the runtime's tasks besides.
    Timed {
        due: UnboundedReceiver<Vec<Due>>,
        /// Dropping it ends the thread's sleep, and the thread.
        _stop: Sender<()>,
    },
    /// From a count: all are due at once.
    Immediate { plan: Arc<Plan>, next: u64 },
}

impl Pacer {
    pub(crate) fn start(plan: Arc<Plan>, speed: Speed) -> std::io::Result<Pacer> {
        if speed == Speed::Max {
            return Ok(Pacer::Immediate { plan, next: 0 });
        }
        let (release, due) = unbounded_channel();
        let (stop, stopped) = channel();
        thread::Builder::new()
            .name("pacer".to_owned())
            .spawn(move || release_when_due(&plan, speed, &release, &stopped))?;
        Ok(Pacer::Timed { due, _stop: stop })
    }

    /// The next calls that are due, some at least; none at all when the plan has ended.
    pub(crate) async fn next(&mut self) -> Vec<Due> {
        match self {
            Pacer::Timed { due, .. } => due.recv().await.unwrap_or_default(),
            Pacer::Immediate { plan, next } => {
                let call = plan.nth(*next);
                *next += 1;
                call.map(|call| Due { call, planned: None }).into_iter().collect()
            }
        }
    }
}

/// Sends everything that is due in one batch, then sleeps until the next call is. Times come from
/// the plan and not from the last release, so a late wake delays nothing but the calls that were
/// due meanwhile. Never spins: on a busy machine a spinning thread loses its time slice and makes
/// calls later than a sleeping one does.
fn release_when_due(
    plan: &Plan,
    speed: Speed,
    release: &UnboundedSender<Vec<Due>>,
    stopped: &Receiver<()>,
) {
    let start = Instant::now() + HEAD_START;
    let start_unix_nanos = unix_nanos(SystemTime::now() + HEAD_START);
    let mut times =
        plan.planned().map(|planned| (planned.call, speed.scale(planned.at))).peekable();
    while let Some(&(_, planned)) = times.peek() {
        let wait = (start + planned).saturating_duration_since(Instant::now());
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        let elapsed = start.elapsed();
        let mut batch = Vec::new();
        while let Some((call, planned)) = times.next_if(|(_, planned)| *planned <= elapsed) {
            let nanos = u64::try_from(planned.as_nanos()).unwrap_or(u64::MAX);
            let planned = Some(start_unix_nanos.saturating_add(nanos));
            batch.push(Due { call, planned });
        }
        if !batch.is_empty() && release.send(batch).is_err() {
            return;
        }
    }
}

//! What is the same in every run, whatever it makes: calls that are due are admitted, made and
//! counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spanproof_schemas::accounting::Accounting;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{LoadConfig, LoadOutcome, OverLimit, Progress};
use crate::client::{ClientError, ClientErrorKind};
use crate::pacing::{Batch, Due, Pacer, Pacing};
use crate::plan::Plan;
use crate::statistics::{Admitted, Statistics};

/// Makes what has been admitted.
pub(crate) trait Maker: Send {
    /// Whether one more can be made now, as far as the maker is concerned.
    fn has_room(&self) -> bool;

    /// Makes one more, or begins to, and drops `permit` when it has ended. Waits for nothing but for
    /// what has no room.
    fn make(
        &mut self,
        admitted: Admitted,
        permit: OwnedSemaphorePermit,
    ) -> impl Future<Output = ()> + Send;

    /// When what was made must leave, should nothing more come due until then.
    fn leaves_at(&self) -> Option<Instant>;

    /// Lets everything leave that was made.
    fn flush(&mut self) -> impl Future<Output = ()> + Send;
}

/// What the parts of a run share.
pub(crate) struct Run {
    pub(crate) config: LoadConfig,
    statistics: Mutex<Statistics>,
    /// The first error of the client itself.
    broken: Mutex<Option<ClientError>>,
    /// No more calls once it is cancelled.
    end: CancellationToken,
    /// Room for calls that are open, and how much of it there is.
    room: Arc<Semaphore>,
    most_open: usize,
    begun: Instant,
}

impl Run {
    /// Starts the pacer of `plan`. Without one, which is an error of the run, nothing is made.
    pub(crate) fn start(config: LoadConfig, plan: &Arc<Plan>) -> (Arc<Run>, Option<Pacer>) {
        let pacing = Pacing {
            speed: config.speed,
            catch_up: config.catch_up,
            start_at: config.start_at,
            clock: config.clock.clone(),
        };
        let (pacer, unpaced) = match Pacer::start(Arc::clone(plan), pacing) {
            Ok(pacer) => (Some(pacer), None),
            Err(error) => {
                let message = format!("no thread to pace the calls: {error}");
                (None, Some(ClientError::new(ClientErrorKind::Start, message)))
            }
        };
        let start = pacer.as_ref().map_or_else(|| config.clock.now(), |pacer| pacer.start);
        let most_open = config.in_flight.clamp(1, Semaphore::MAX_PERMITS);
        let run = Run {
            room: Arc::new(Semaphore::new(most_open)),
            most_open,
            statistics: Mutex::new(Statistics::new(plan.calls(), start, config.speed)),
            broken: Mutex::new(unpaced),
            end: config.stop.child_token(),
            begun: Instant::now(),
            config,
        };
        (Arc::new(run), pacer)
    }

    /// Lets `maker` make what `pacer` releases and waits until all of it has ended, telling `progress`
    /// every now and then and at the end. Says whether the run was stopped before.
    pub(crate) async fn drive(
        &self,
        pacer: Option<Pacer>,
        maker: &mut impl Maker,
        mut progress: impl FnMut(Progress) + Send,
    ) -> bool {
        if let Some(pacer) = pacer {
            let mut work = std::pin::pin!(self.make_all(pacer, maker));
            while tokio::time::timeout(self.config.progress_every, &mut work).await.is_err() {
                progress(self.progress());
            }
            progress(self.progress());
        }
        self.config.stop.is_cancelled()
    }

    fn progress(&self) -> Progress {
        self.statistics().progress(self.config.clock.now(), self.begun.elapsed())
    }

    async fn make_all(&self, mut pacer: Pacer, maker: &mut impl Maker) {
        let all = async {
            loop {
                let next = self.next(&mut pacer, maker);
                let Some(batch) = self.end.run_until_cancelled(next).await else { break };
                if batch.is_empty() || !self.make_batch(batch, maker).await {
                    break;
                }
            }
            maker.flush().await;
        };
        let abandon = &self.config.abandon;
        abandon.run_until_cancelled(all).await;
        abandon.run_until_cancelled(self.all_ended()).await;
    }

    /// Waits until nothing is open.
    pub(crate) async fn all_ended(&self) {
        let everything = u32::try_from(self.most_open).unwrap_or(u32::MAX);
        // Nobody closes the semaphore.
        drop(self.room.acquire_many(everything).await);
    }

    /// What is due next. Meanwhile lets leave what was made and waits for more.
    async fn next(&self, pacer: &mut Pacer, maker: &mut impl Maker) -> Batch {
        loop {
            let Some(at) = maker.leaves_at() else { return pacer.next().await };
            if Instant::now() < at
                && let Ok(batch) = tokio::time::timeout_at(at, pacer.next()).await
            {
                return batch;
            }
            maker.flush().await;
        }
    }

    /// Makes what has come due. False once the run is to end.
    async fn make_batch(&self, batch: Batch, maker: &mut impl Maker) -> bool {
        {
            let mut statistics = self.statistics();
            batch.calls.iter().chain(&batch.skipped).for_each(|due| statistics.due(due));
            batch.skipped.iter().for_each(|due| statistics.skipped(due, batch.released));
        }
        for due in batch.calls {
            let permit = self.end.run_until_cancelled(self.permit(&due, maker)).await;
            let Some(permit) = permit else { return false };
            let Some(permit) = permit else { continue };
            self.statistics().started();
            let at = self.config.clock.now();
            maker.make(Admitted { due, released: batch.released, at }, permit).await;
        }
        true
    }

    /// Room for the call that is due; `None` where it is left out for want of any.
    async fn permit(&self, due: &Due, maker: &mut impl Maker) -> Option<OwnedSemaphorePermit> {
        let is_patient = self.config.over_limit == OverLimit::Queue;
        if (is_patient || maker.has_room())
            && let Ok(permit) = Arc::clone(&self.room).try_acquire_owned()
        {
            return Some(permit);
        }
        if is_patient {
            // What waits for more to come due would wait for itself.
            maker.flush().await;
            // Nobody closes the semaphore.
            return Arc::clone(&self.room).acquire_owned().await.ok();
        }
        let open = self.most_open.saturating_sub(self.room.available_permits());
        self.statistics().dropped(due, open);
        None
    }

    /// Ends the run for an error of the client itself.
    pub(crate) fn breaks(&self, error: ClientError) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.end.cancel();
    }

    pub(crate) fn statistics(&self) -> MutexGuard<'_, Statistics> {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What came of it, once `client` has finished.
    pub(crate) fn outcome(
        &self,
        client: String,
        accounting: Option<Accounting>,
        finish_error: Option<ClientError>,
        is_stopped: bool,
    ) -> LoadOutcome {
        let mut statistics = self.statistics().clone();
        let why = if self.config.abandon.is_cancelled() {
            "a call was still open when the run was given up"
        } else {
            // Nothing else keeps a call that was started from being counted.
            "a call was lost to a panic of the client"
        };
        for _ in 0..statistics.open() {
            statistics.failed(why.to_owned());
        }
        statistics.clock_step(self.config.clock.step_nanos());
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        LoadOutcome { client, statistics, accounting, broken: broken.or(finish_error), is_stopped }
    }
}

//! What is the same in every run, whatever it makes: calls that are due are admitted, made and
//! counted.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use spanproof_schemas::accounting::Accounting;
use spanproof_schemas::time::UnixNanos;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use super::{LoadConfig, LoadOutcome, OverLimit, Progress};
use crate::client::{ClientError, ClientErrorKind};
use crate::pacing::{Batch, Due, Next, Pacer, Pacing, SleepingThread};
use crate::plan::{Plan, Planned};
use crate::statistics::{Admitted, Statistics};

/// Makes what has been admitted.
pub(crate) trait Maker {
    /// Whether one more can be made now, as far as the maker is concerned.
    fn has_room(&self) -> bool;

    /// Makes one more, or begins to, and drops `permit` when it has ended. Waits for nothing but for
    /// what has no room.
    fn make(
        &mut self,
        admitted: Admitted,
        permit: OwnedSemaphorePermit,
    ) -> impl Future<Output = ()>;

    /// When what was made must leave, should nothing more come due until then.
    fn leaves_at(&self) -> Option<UnixNanos>;

    /// Lets everything leave that was made.
    fn flush(&mut self) -> impl Future<Output = ()>;
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
    /// When simulated time starts.
    start: UnixNanos,
    begun: Instant,
}

impl Run {
    pub(crate) fn new(config: LoadConfig, plan: &Plan) -> Arc<Run> {
        let now = config.clock.now();
        let start = config.start_at.unwrap_or_else(|| Pacing::soonest(config.speed, now));
        let most_open = config.in_flight.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Run {
            room: Arc::new(Semaphore::new(most_open)),
            most_open,
            statistics: Mutex::new(Statistics::new(plan.calls(), start, config.speed)),
            broken: Mutex::default(),
            end: config.stop.child_token(),
            start,
            begun: Instant::now(),
            config,
        })
    }

    /// Lets `work` drive a maker through `plan`, on a thread of its own, and waits until all that was
    /// made has ended, telling `progress` every now and then and at the end. Gives what `work` gives;
    /// nothing where it broke, which is an error of the run.
    pub(crate) async fn drive<T: Send + 'static>(
        self: &Arc<Run>,
        plan: &Arc<Plan>,
        work: impl AsyncFnOnce(Driver<'_>) -> T + Send + 'static,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Option<T> {
        // Whoever waits no more for this ends it.
        let _end = self.end.clone().drop_guard();
        let done = async {
            let made = self.on_own_thread(Arc::clone(plan), work).await;
            self.config.abandon.run_until_cancelled(self.all_ended()).await;
            made
        };
        let mut done = std::pin::pin!(done);
        let made = loop {
            match tokio::time::timeout(self.config.progress_every, &mut done).await {
                Ok(made) => break made,
                Err(_) => progress(self.progress()),
            }
        };
        progress(self.progress());
        made
    }

    /// Lets `work` run on a thread that may sleep.
    async fn on_own_thread<T: Send + 'static>(
        self: &Arc<Run>,
        plan: Arc<Plan>,
        work: impl AsyncFnOnce(Driver<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let (stop, stopped) = channel();
        let (tell, mut told) = oneshot::channel();
        let (run, runtime) = (Arc::clone(self), Handle::current());
        let thread = thread::Builder::new().name("pacer".to_owned()).spawn(move || {
            let LoadConfig { speed, catch_up, ref clock, .. } = run.config;
            let timer = SleepingThread::current(clock.clone(), stopped);
            let pacing = Pacing { speed, catch_up, start: run.start };
            let pacer = Pacer::new(Box::new(plan.planned()) as Events<'_>, pacing, timer);
            let made = runtime.block_on(work(Driver { run: &run, pacer }));
            // Nobody waits for a run that was given up.
            let _ = tell.send(made);
        });
        if let Err(error) = thread {
            let message = format!("no thread to pace the calls: {error}");
            self.breaks(ClientError::new(ClientErrorKind::Start, message));
            return None;
        }
        let made = {
            let ended = self.end.run_until_cancelled(&mut told);
            self.config.abandon.run_until_cancelled(ended).await.flatten()
        };
        let made = if let Some(made) = made {
            made
        } else {
            // Ends its sleep.
            drop(stop);
            told.await
        };
        if made.is_err() {
            let message = "the thread that paces the calls panicked";
            self.breaks(ClientError::new(ClientErrorKind::Ended, message));
        }
        made.ok()
    }

    fn progress(&self) -> Progress {
        self.statistics().progress(self.config.clock.now(), self.begun.elapsed())
    }

    /// Waits until nothing is open.
    pub(crate) async fn all_ended(&self) {
        let everything = u32::try_from(self.most_open).unwrap_or(u32::MAX);
        // Nobody closes the semaphore.
        drop(self.room.acquire_many(everything).await);
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

/// What makes calls when they are due. It has a thread of its own, which it puts to sleep: a call is
/// given to the runtime as soon as that wakes.
pub(crate) struct Driver<'a> {
    run: &'a Run,
    pacer: Pacer<Events<'a>, SleepingThread>,
}

type Events<'a> = Box<dyn Iterator<Item = Planned> + 'a>;

impl Driver<'_> {
    /// Lets `maker` make everything, until the end of the plan or of the run.
    pub(crate) async fn make_all(mut self, maker: &mut impl Maker) {
        let run = self.run;
        let all = async {
            loop {
                match self.pacer.next(maker.leaves_at()) {
                    Next::Due(batch) => self.make_batch(batch, maker).await,
                    Next::Nothing => maker.flush().await,
                    Next::End => break,
                }
            }
            maker.flush().await;
        };
        run.config.abandon.run_until_cancelled(all).await;
    }

    /// Makes what has come due, until the run is to end.
    async fn make_batch(&mut self, batch: Batch, maker: &mut impl Maker) {
        {
            let mut statistics = self.run.statistics();
            batch.calls.iter().chain(&batch.skipped).for_each(|due| statistics.due(due));
            batch.skipped.iter().for_each(|due| statistics.skipped(due));
        }
        for due in batch.calls {
            let run = self.run;
            let permit = run.end.run_until_cancelled(self.permit(&due, maker)).await;
            let Some(permit) = permit else { return };
            let Some(permit) = permit else { continue };
            run.statistics().started();
            let has_room = maker.has_room();
            maker.make(Admitted { due, at: run.config.clock.now() }, permit).await;
            if !has_room {
                self.pacer.held_up();
            }
        }
    }

    /// Room for the call that is due; `None` where it is left out for want of any.
    async fn permit(&mut self, due: &Due, maker: &mut impl Maker) -> Option<OwnedSemaphorePermit> {
        let is_patient = self.run.config.over_limit == OverLimit::Queue;
        if (is_patient || maker.has_room())
            && let Ok(permit) = Arc::clone(&self.run.room).try_acquire_owned()
        {
            return Some(permit);
        }
        if is_patient {
            // What waits for more to come due would wait for itself.
            maker.flush().await;
            // Nobody closes the semaphore.
            let permit = Arc::clone(&self.run.room).acquire_owned().await.ok();
            self.pacer.held_up();
            return permit;
        }
        let open = self.run.most_open.saturating_sub(self.run.room.available_permits());
        self.run.statistics().dropped(due, open);
        None
    }
}

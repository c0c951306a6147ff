//! Watches a running worker: reads what it says, and notices when it cannot go on.

use std::collections::{BTreeMap, VecDeque};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use spanproof_schemas::worker::{Done, FromWorker};
use tokio::process::{Child, ChildStdout};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, timeout};

use super::failure::{Cause, Failure};
use super::lines::Lines;
use super::settings::Limits;

/// How many lines of standard error are kept for error messages, and how long they may be.
const KEPT_LINES: usize = 20;
const KEPT_CHARACTERS: usize = 500;

/// How long what an ended worker had written may take to arrive. Only a child that it left behind,
/// holding its pipes open, makes this wait run out.
const DRAIN: Duration = Duration::from_secs(1);

/// How long a worker that closed its standard input or output may take to end.
const END: Duration = Duration::from_secs(5);

/// What the worker's calls and its supervisor share.
pub(super) struct Shared {
    client: String,
    state: Mutex<State>,
    said: Mutex<VecDeque<String>>,
}

#[derive(Default)]
struct State {
    open: BTreeMap<u64, oneshot::Sender<Result<Done, Failure>>>,
    /// When a call last ended, or the first of the open calls came.
    progress: Option<Instant>,
    finishing: bool,
    end: Option<Result<(), Failure>>,
}

impl Shared {
    pub(super) fn new(client: &str) -> Arc<Self> {
        Arc::new(Self {
            client: client.to_owned(),
            state: Mutex::default(),
            said: Mutex::default(),
        })
    }

    /// Registers a call, whose end will come through the receiver.
    pub(super) fn open(
        &self,
        call: u64,
    ) -> Result<oneshot::Receiver<Result<Done, Failure>>, Failure> {
        let mut state = self.state();
        match &state.end {
            Some(Err(failure)) => return Err(failure.clone()),
            Some(Ok(())) => return Err(self.failure(Cause::Ended)),
            None => {}
        }
        if state.open.contains_key(&call) {
            return Err(self.failure(Cause::Repeated(call)));
        }
        if state.open.is_empty() {
            state.progress = Some(Instant::now());
        }
        let (sender, receiver) = oneshot::channel();
        state.open.insert(call, sender);
        Ok(receiver)
    }

    /// Notes that no more calls come, so that the worker's end is as it should be.
    pub(super) fn finishing(&self) {
        self.state().finishing = true;
    }

    /// How the worker ended, once it has.
    pub(super) fn end(&self) -> Option<Result<(), Failure>> {
        self.state().end.clone()
    }

    pub(super) fn keep(&self, line: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() == KEPT_LINES {
            said.pop_front();
        }
        said.push_back(line.chars().take(KEPT_CHARACTERS).collect());
    }

    pub(super) fn failure(&self, cause: Cause) -> Failure {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        Failure { client: self.client.clone(), cause, said: said.iter().cloned().collect() }
    }

    fn answer(&self, done: Done) -> Result<(), &'static str> {
        let mut state = self.state();
        let waiting = state.open.remove(&done.call).ok_or("no such call is open")?;
        state.progress = Some(Instant::now());
        // Nobody waits for a call that the generator gave up.
        let _ = waiting.send(Ok(done));
        Ok(())
    }

    fn silent(&self, limit: Duration) -> Option<Cause> {
        let state = self.state();
        let waited = state.progress?.elapsed();
        (!state.open.is_empty() && waited >= limit)
            .then(|| Cause::Silent { open: state.open.len(), waited: limit })
    }

    fn ended(&self, end: Result<(), Failure>) {
        let mut state = self.state();
        let failure = end.clone().err().unwrap_or_else(|| self.failure(Cause::Ended));
        for (_, waiting) in std::mem::take(&mut state.open) {
            let _ = waiting.send(Err(failure.clone()));
        }
        state.end = Some(end);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state whole: every change to it is a single step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Owns the worker's process until it has ended.
pub(super) struct Supervisor {
    pub(super) child: Child,
    pub(super) output: Lines<ChildStdout>,
    pub(super) errors: JoinHandle<()>,
    pub(super) shared: Arc<Shared>,
    /// Reasons to give up that others found.
    pub(super) stop: mpsc::Receiver<Cause>,
    /// Is told the name that the worker gives itself when it is ready.
    pub(super) ready: Option<oneshot::Sender<String>>,
    pub(super) limits: Limits,
}

enum Stopped {
    Ended(ExitStatus),
    ClosedOutput,
    GaveUp(Cause),
}

impl Supervisor {
    /// Runs until the worker has ended, by itself or killed, and all its calls have an answer.
    pub(super) async fn run(mut self) {
        let end = match self.listen().await {
            Stopped::Ended(status) => self.judge(status),
            Stopped::GaveUp(cause) => Err(cause),
            Stopped::ClosedOutput => match self.wait_for_end().await {
                Ok(status) => self.judge(status),
                Err(cause) => Err(cause),
            },
        };
        if end.is_err() {
            // It fails only for a process that has ended already.
            let _ = self.child.kill().await;
        }
        let _ = timeout(DRAIN, &mut self.errors).await;
        self.shared.ended(end.map_err(|cause| self.shared.failure(cause)));
    }

    async fn listen(&mut self) -> Stopped {
        let mut check = interval((self.limits.answer / 8).max(Duration::from_millis(10)));
        loop {
            tokio::select! {
                line = self.output.next() => match line {
                    Ok(Some(line)) => {
                        if let Err(cause) = self.hear(&line) {
                            return Stopped::GaveUp(cause);
                        }
                    }
                    Ok(None) | Err(_) => return Stopped::ClosedOutput,
                },
                status = self.child.wait() => return match status {
                    Ok(status) => self.hear_the_rest(status).await,
                    Err(error) => Stopped::GaveUp(Cause::Lost(error.to_string())),
                },
                Some(cause) = self.stop.recv() => return self.give_up(cause).await,
                _ = check.tick() => {
                    if let Some(cause) = self.shared.silent(self.limits.answer) {
                        return Stopped::GaveUp(cause);
                    }
                }
            }
        }
    }

    /// Reads what an ended worker had written before its end.
    async fn hear_the_rest(&mut self, status: ExitStatus) -> Stopped {
        while let Ok(Ok(Some(line))) = timeout(DRAIN, self.output.next()).await {
            if let Err(cause) = self.hear(&line) {
                return Stopped::GaveUp(cause);
            }
        }
        Stopped::Ended(status)
    }

    /// A worker that stopped reading has most often just ended, and how it ended tells more.
    async fn give_up(&mut self, cause: Cause) -> Stopped {
        if matches!(cause, Cause::StoppedReading(_))
            && let Ok(Ok(status)) = timeout(END, self.child.wait()).await
        {
            return self.hear_the_rest(status).await;
        }
        Stopped::GaveUp(cause)
    }

    async fn wait_for_end(&mut self) -> Result<ExitStatus, Cause> {
        let limit = if self.shared.state().finishing { self.limits.finish } else { END };
        tokio::select! {
            status = timeout(limit, self.child.wait()) => match status {
                Ok(Ok(status)) => Ok(status),
                Ok(Err(_)) | Err(_) => Err(Cause::ClosedOutput),
            },
            Some(cause) = self.stop.recv() => Err(cause),
        }
    }

    fn judge(&self, status: ExitStatus) -> Result<(), Cause> {
        let state = self.shared.state();
        let open = state.open.len();
        if self.ready.is_some() {
            Err(Cause::EndedBeforeReady(status))
        } else if open > 0 || !state.finishing || !status.success() {
            Err(Cause::EndedBadly { status, open })
        } else {
            Ok(())
        }
    }

    fn hear(&mut self, line: &str) -> Result<(), Cause> {
        let heard = match serde_json::from_str(line) {
            Ok(FromWorker::Ready { client }) => match self.ready.take() {
                // Nobody waits when the start was given up, which ends the worker anyway.
                Some(ready) => {
                    let _ = ready.send(client);
                    Ok(())
                }
                None => Err("it was ready before".to_owned()),
            },
            Ok(FromWorker::Done(_)) if self.ready.is_some() => {
                Err("no call ends before the worker is ready".to_owned())
            }
            Ok(FromWorker::Done(done)) => self.shared.answer(done).map_err(str::to_owned),
            Err(error) => Err(error.to_string()),
        };
        heard.map_err(|reason| Cause::NotProtocol {
            line: line.chars().take(KEPT_CHARACTERS).collect(),
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    impl Shared {
        /// Lets ten minutes pass in which nothing happened.
        fn pass_ten_minutes(&self) {
            let mut state = self.state();
            state.progress = state.progress.map(|progress| progress - 10 * MINUTE);
        }
    }

    fn done(call: u64) -> Done {
        Done {
            call,
            started_unix_nanos: 1,
            first_chunk_unix_nanos: None,
            finished_unix_nanos: 2,
            error: None,
            usage: None,
            stop_reason: None,
        }
    }

    #[test]
    fn a_worker_is_silent_while_no_open_call_ends_and_not_while_it_has_none() {
        let shared = Shared::new("python/test");
        shared.pass_ten_minutes();
        assert_eq!(shared.silent(MINUTE), None, "it has had no call");
        let _answers = [shared.open(0).unwrap(), shared.open(1).unwrap()];
        assert_eq!(shared.silent(MINUTE), None, "it has just been given them");
        shared.pass_ten_minutes();
        let _one_more = shared.open(2).unwrap();
        assert_eq!(shared.silent(MINUTE), Some(Cause::Silent { open: 3, waited: MINUTE }));
        shared.answer(done(1)).unwrap();
        assert_eq!(shared.silent(MINUTE), None, "it has just answered one");
        shared.answer(done(0)).unwrap();
        shared.answer(done(2)).unwrap();
        shared.pass_ten_minutes();
        assert_eq!(shared.silent(MINUTE), None, "it has answered them all");
        let _next = shared.open(3).unwrap();
        assert_eq!(shared.silent(MINUTE), None, "it had nothing to answer until now");
    }
}

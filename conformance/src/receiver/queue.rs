//! The bounded queue between the connections and the thread that writes the capture.

use std::io;
use std::sync::mpsc::{self, TryRecvError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::capture::{Request, WriteError, Writer};

/// What a queued request weighs beside its bytes.
const ENTRY_BYTES: usize = 128;

/// Why a request did not get into the queue.
#[derive(Debug)]
pub(super) enum QueueError {
    /// No room became free in time.
    Full,
    /// The capture can no longer be written.
    Broken(String),
}

/// The sending side. It bounds the bytes that wait, not the requests.
pub(super) struct Queue {
    entries: mpsc::Sender<Entry>,
    room: Arc<Semaphore>,
    room_bytes: u32,
    wait: Duration,
    broken: Arc<OnceLock<String>>,
}

/// The writing side.
pub(super) struct WriterThread {
    entries: mpsc::Sender<Entry>,
    outcome: oneshot::Receiver<Result<(), WriteError>>,
}

enum Entry {
    Request { request: Request, _room: OwnedSemaphorePermit },
    End,
}

impl Queue {
    pub(super) fn start(
        capture: Writer,
        room_bytes: usize,
        wait: Duration,
    ) -> io::Result<(Queue, WriterThread)> {
        let (entries, received) = mpsc::channel();
        let (outcome_sender, outcome) = oneshot::channel();
        let broken = Arc::new(OnceLock::new());
        let seen_broken = Arc::clone(&broken);
        thread::Builder::new().name("capture".to_owned()).spawn(move || {
            // Nobody listens for the outcome when the receiver was dropped.
            let _ = outcome_sender.send(write_all(capture, &received, &seen_broken));
        })?;
        let room_bytes = room_bytes.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let queue = Queue {
            entries: entries.clone(),
            room: Arc::new(Semaphore::new(room_bytes)),
            room_bytes: u32::try_from(room_bytes).unwrap_or(u32::MAX),
            wait,
            broken,
        };
        Ok((queue, WriterThread { entries, outcome }))
    }

    /// Waits for room, then queues `request`. A request larger than the queue takes all of it.
    pub(super) async fn put(&self, request: Request) -> Result<(), QueueError> {
        let weight = u32::try_from(request.protobuf.len() + ENTRY_BYTES).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(weight.min(self.room_bytes));
        let Ok(Ok(room)) = tokio::time::timeout(self.wait, room).await else {
            return Err(QueueError::Full);
        };
        if let Some(error) = self.broken.get() {
            return Err(QueueError::Broken(error.clone()));
        }
        self.entries
            .send(Entry::Request { request, _room: room })
            .map_err(|_| QueueError::Broken("the receiver is shutting down".to_owned()))
    }
}

impl WriterThread {
    /// Writes what waits, and returns the first error there was.
    pub(super) async fn finish(self) -> Result<(), WriteError> {
        // The thread is gone only when it has panicked, which the next line reports.
        let _ = self.entries.send(Entry::End);
        self.outcome.await.unwrap_or_else(|_| {
            Err(WriteError::Write(io::Error::other("the capture's writer thread panicked")))
        })
    }
}

fn write_all(
    mut capture: Writer,
    entries: &mpsc::Receiver<Entry>,
    broken: &OnceLock<String>,
) -> Result<(), WriteError> {
    let mut outcome = Ok(());
    // What waits in memory may be lost with what could not be written.
    let (mut taken, mut in_file) = (0_u64, 0);
    loop {
        let entry = match entries.try_recv() {
            Ok(entry) => entry,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                // Idle: what was taken should outlive a kill.
                keep_first(&mut outcome, broken, || capture.flush());
                if outcome.is_ok() {
                    in_file = taken;
                }
                match entries.recv() {
                    Ok(entry) => entry,
                    Err(mpsc::RecvError) => break,
                }
            }
        };
        match entry {
            Entry::Request { request, _room } => {
                taken += 1;
                keep_first(&mut outcome, broken, || capture.write(&request));
            }
            Entry::End => break,
        }
    }
    keep_first(&mut outcome, broken, || capture.flush());
    match outcome {
        Err(error) if taken > in_file => {
            Err(WriteError::Lost { why: error.to_string(), taken, lost: taken - in_file })
        }
        outcome => outcome,
    }
}

/// Runs `step` unless an earlier one failed.
fn keep_first(
    outcome: &mut Result<(), WriteError>,
    broken: &OnceLock<String>,
    step: impl FnOnce() -> Result<(), WriteError>,
) {
    if outcome.is_ok() {
        *outcome = step();
        if let Err(error) = outcome {
            broken.get_or_init(|| error.to_string());
        }
    }
}

//! A span processor that loses nothing silently.
//!
//! The SDK's own batch processor drops spans when its queue is full, and says so nowhere that a
//! program could read. This one never drops: a call waits for room in the queue before it begins,
//! so a slow receiver slows the calls and shows in their lag. Spans that the exporter fails to
//! deliver are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter as _, SpanProcessor};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

/// How many spans may wait for export.
const CAPACITY: usize = 65_536;

/// How many spans are exported at once.
const BATCH: usize = 512;

/// How long an export waits for its batch to fill.
const LINGER: Duration = Duration::from_millis(500);

/// After so many failed exports in a row the receiver is given up, and what is left is lost.
const FAILURES_UNTIL_GIVEN_UP: u32 = 3;

/// The queue between spans that end and the exporter's thread.
pub(super) struct SpanQueue {
    items: UnboundedSender<Item>,
    room: Arc<Semaphore>,
    ended: Arc<AtomicU64>,
    runtime: Handle,
}

enum Item {
    Span(Box<SpanData>),
    /// Export everything before this, then say what became of all spans, and end.
    Finish(oneshot::Sender<QueueOutcome>),
}

/// What became of the spans of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QueueOutcome {
    /// Spans that ended.
    pub(super) ended: u64,
    /// Spans that could not be delivered.
    pub(super) lost: u64,
    /// Why the first of them could not.
    pub(super) first_error: Option<String>,
}

/// A queue that could not be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("{0}")]
    Exporter(#[from] ExporterBuildError),
    #[error("no thread to export from: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the exporter's thread ended")]
    Ended,
}

impl SpanQueue {
    /// Starts the thread that exports, with the exporter that `make` makes in its runtime.
    pub(super) fn start(
        make: impl FnOnce() -> Result<SpanExporter, ExporterBuildError> + Send + 'static,
    ) -> Result<SpanQueue, StartError> {
        let (items, received) = unbounded_channel();
        let room = Arc::new(Semaphore::new(CAPACITY));
        let (started, start) = std::sync::mpsc::channel();
        let worker_room = Arc::clone(&room);
        thread::Builder::new().name("span-export".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(StartError::Thread(error)))),
            };
            runtime.block_on(async {
                match make() {
                    Err(error) => drop(started.send(Err(error.into()))),
                    Ok(exporter) => {
                        if started.send(Ok(Handle::current())).is_ok() {
                            Worker::new(exporter, worker_room).run(received).await;
                        }
                    }
                }
            });
        })?;
        let runtime = start.recv().map_err(|_| StartError::Ended)??;
        Ok(SpanQueue { items, room, ended: Arc::default(), runtime })
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(super) fn processor(&self) -> impl SpanProcessor + 'static {
        Processor { items: self.items.clone(), ended: Arc::clone(&self.ended) }
    }

    /// Waits for room for one more span.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    /// Exports what is left and says what became of all spans.
    pub(super) async fn finish(&self) -> QueueOutcome {
        let ended = self.ended.load(Ordering::Relaxed);
        let (reply, outcome) = oneshot::channel();
        let is_sent = self.items.send(Item::Finish(reply)).is_ok();
        let outcome = if is_sent { outcome.await.ok() } else { None };
        let outcome = outcome.unwrap_or_else(|| QueueOutcome {
            lost: ended,
            first_error: Some("the exporter's thread ended".to_owned()),
            ..QueueOutcome::default()
        });
        QueueOutcome { ended, ..outcome }
    }
}

#[derive(Debug)]
struct Processor {
    items: UnboundedSender<Item>,
    ended: Arc<AtomicU64>,
}

impl SpanProcessor for Processor {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        // Without a receiver the span is lost, which `finish` finds out too.
        let _ = self.items.send(Item::Span(Box::new(span)));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Exports batches, one after the other.
struct Worker {
    exporter: SpanExporter,
    room: Arc<Semaphore>,
    outcome: QueueOutcome,
    failures_in_a_row: u32,
}

impl Worker {
    fn new(exporter: SpanExporter, room: Arc<Semaphore>) -> Worker {
        Worker { exporter, room, outcome: QueueOutcome::default(), failures_in_a_row: 0 }
    }

    async fn run(mut self, mut items: UnboundedReceiver<Item>) {
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            let finish = fill(&mut batch, &mut items).await;
            let is_ended = batch.is_empty();
            self.export(batch).await;
            if let Some(reply) = finish {
                let _ = reply.send(self.outcome);
                // Exports of metrics may still need this thread's runtime.
                while items.recv().await.is_some() {}
                return;
            }
            if is_ended {
                return;
            }
        }
    }

    async fn export(&mut self, batch: Vec<SpanData>) {
        let count = batch.len();
        if count == 0 {
            return;
        }
        if self.failures_in_a_row >= FAILURES_UNTIL_GIVEN_UP {
            self.outcome.lost += count as u64;
        } else if let Err(error) = self.exporter.export(batch).await {
            self.failures_in_a_row += 1;
            self.outcome.lost += count as u64;
            self.outcome.first_error.get_or_insert(error.to_string());
        } else {
            self.failures_in_a_row = 0;
        }
        self.room.add_permits(count);
    }
}

/// Fills `batch` until it is full, its first span has waited long enough, or the queue is to
/// finish; then the reply to give is returned. Leaves it empty only when the queue has ended.
async fn fill(
    batch: &mut Vec<SpanData>,
    items: &mut UnboundedReceiver<Item>,
) -> Option<oneshot::Sender<QueueOutcome>> {
    let mut deadline = None;
    while batch.len() < BATCH {
        let item = match deadline {
            None => items.recv().await,
            Some(deadline) => tokio::time::timeout_at(deadline, items.recv()).await.ok().flatten(),
        };
        match item {
            Some(Item::Span(span)) => batch.push(*span),
            Some(Item::Finish(reply)) => return Some(reply),
            None => return None,
        }
        deadline.get_or_insert_with(|| Instant::now() + LINGER);
    }
    None
}

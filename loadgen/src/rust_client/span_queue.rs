//! A span processor that loses nothing silently.
//!
//! The SDK's own batch processor drops spans when its queue is full, and says so nowhere that a
//! program could read. This one never drops: a call waits for room in the queue before it begins,
//! so a slow receiver slows the calls and shows in their lag. What becomes of each span is entered in
//! books.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::span_exporter::{AddressError, SpanExporter};
use crate::accounting::Books;
use crate::delivery::Retrying;

/// How many spans may wait for export.
const CAPACITY: usize = 65_536;

/// How many spans are exported at once.
const BATCH: usize = 512;

/// How long an export waits for its batch to fill.
const LINGER: Duration = Duration::from_millis(500);

/// After so many batches in a row that could not be delivered the receiver is given up, and what is
/// left is dropped. All but the first get a single attempt each.
const FAILURES_UNTIL_GIVEN_UP: u32 = 3;

/// The queue between spans that end and the exporter's thread.
pub(super) struct SpanQueue {
    items: UnboundedSender<Item>,
    room: Arc<Semaphore>,
    books: Arc<Books>,
    runtime: Handle,
}

enum Item {
    Span(Box<SpanData>),
    /// Export everything before this, then say why the first of what was lost was, and end.
    Finish(oneshot::Sender<Option<String>>),
}

/// A queue that could not be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("{0}")]
    Metrics(#[from] ExporterBuildError),
    #[error("{0}")]
    Address(#[from] AddressError),
    #[error("no thread to export from: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the exporter's thread ended")]
    Ended,
}

impl SpanQueue {
    /// Starts the thread that exports, with the exporter that `make` makes in its runtime.
    pub(super) fn start(
        make: impl FnOnce() -> Result<SpanExporter, AddressError> + Send + 'static,
        retrying: Retrying,
    ) -> Result<SpanQueue, StartError> {
        let (items, received) = unbounded_channel();
        let room = Arc::new(Semaphore::new(CAPACITY));
        let (started, start) = std::sync::mpsc::channel();
        let books = Arc::new(Books::default());
        let (worker_room, worker_books) = (Arc::clone(&room), Arc::clone(&books));
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
                            let worker = Worker {
                                exporter,
                                retrying,
                                room: worker_room,
                                books: worker_books,
                                first_error: None,
                                failures_in_a_row: 0,
                            };
                            worker.run(received).await;
                        }
                    }
                }
            });
        })?;
        let runtime = start.recv().map_err(|_| StartError::Ended)??;
        Ok(SpanQueue { items, room, books, runtime })
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(super) fn processor(&self) -> impl SpanProcessor + 'static {
        Processor { items: self.items.clone(), books: Arc::clone(&self.books) }
    }

    /// Waits for room for one more span.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    /// What became of the spans.
    pub(super) fn books(&self) -> &Books {
        &self.books
    }

    /// Exports what is left and says why the first of what was lost was.
    pub(super) async fn finish(&self) -> Option<String> {
        let (reply, outcome) = oneshot::channel();
        if self.items.send(Item::Finish(reply)).is_ok()
            && let Ok(first_error) = outcome.await
        {
            return first_error;
        }
        // What it had not delivered is in no account, which the books show.
        Some("the exporter's thread ended".to_owned())
    }
}

#[derive(Debug)]
struct Processor {
    items: UnboundedSender<Item>,
    books: Arc<Books>,
}

impl SpanProcessor for Processor {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.books.created(1);
        // Only after the end of the exporter's thread is there nobody to take it.
        if self.items.send(Item::Span(Box::new(span))).is_err() {
            self.books.dropped(1);
        }
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
    retrying: Retrying,
    room: Arc<Semaphore>,
    books: Arc<Books>,
    first_error: Option<String>,
    failures_in_a_row: u32,
}

impl Worker {
    async fn run(mut self, mut items: UnboundedReceiver<Item>) {
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            let finish = fill(&mut batch, &mut items).await;
            let is_ended = batch.is_empty();
            self.export(batch).await;
            if let Some(reply) = finish {
                let _ = reply.send(self.first_error);
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
            self.books.dropped(count as u64);
        } else {
            let retrying = match self.failures_in_a_row {
                0 => self.retrying,
                _ => self.retrying.once(),
            };
            let delivery = self.exporter.deliver(batch, retrying).await;
            self.books.delivered(&delivery);
            self.failures_in_a_row =
                if delivery.failed > 0 { self.failures_in_a_row + 1 } else { 0 };
            self.first_error = self.first_error.take().or(delivery.error);
        }
        self.room.add_permits(count);
    }
}

/// Fills `batch` until it is full, its first span has waited long enough, or the queue is to
/// finish; then the reply to give is returned. Leaves it empty only when the queue has ended.
async fn fill(
    batch: &mut Vec<SpanData>,
    items: &mut UnboundedReceiver<Item>,
) -> Option<oneshot::Sender<Option<String>>> {
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

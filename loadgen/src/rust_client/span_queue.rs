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
use opentelemetry_proto::tonic::resource::v1::Resource as ResourceMessage;
use opentelemetry_proto::tonic::trace::v1::Span as SpanMessage;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use prost::Message as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::accounting::Books;
use crate::client::ClientError;
use crate::otlp::{Batch, Encoded, EncodedScope, Exporter, Limits, OtlpConfig};

/// How many spans may wait for export.
const CAPACITY: usize = 65_536;

/// How long a span waits for others to be exported with it.
const LINGER: Duration = Duration::from_millis(500);

/// The queue between spans that end and the thread that exports them.
pub(super) struct SpanQueue {
    items: UnboundedSender<Item>,
    room: Arc<Semaphore>,
    books: Arc<Books>,
    runtime: Handle,
    abandon: CancellationToken,
    /// Cancelled once the books are settled.
    settled: CancellationToken,
}

enum Item {
    Span(Box<SpanData>),
    /// Export everything before this, then tell the first errors, and end.
    Finish(oneshot::Sender<Vec<String>>),
}

/// A queue that could not be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("{0}")]
    Metrics(#[from] ExporterBuildError),
    #[error("{}", .0.message)]
    Spans(ClientError),
    #[error("no thread to export from: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the exporter's thread ended")]
    Ended,
}

impl SpanQueue {
    /// Starts the thread that encodes spans of `resource` and sends them as `config` says.
    pub(super) fn start(config: OtlpConfig, resource: &Resource) -> Result<SpanQueue, StartError> {
        let (items, received) = unbounded_channel();
        let room = Arc::new(Semaphore::new(CAPACITY));
        let (abandon, settled) = (CancellationToken::new(), CancellationToken::new());
        let (started, start) = std::sync::mpsc::channel();
        let (worker_room, worker_abandon) = (Arc::clone(&room), abandon.clone());
        let settling = settled.clone().drop_guard();
        let batch = Batch::new(Limits::default(), &encoded(resource));
        thread::Builder::new().name("span-export".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(StartError::Thread(error)))),
            };
            runtime.block_on(async {
                match Exporter::start(&config) {
                    Err(error) => drop(started.send(Err(StartError::Spans(error)))),
                    Ok(exporter) => {
                        let books = Arc::clone(exporter.books());
                        if started.send(Ok((Handle::current(), books))).is_ok() {
                            let worker = Worker { exporter, batch, room: worker_room };
                            worker.run(received, &worker_abandon, settling).await;
                        }
                    }
                }
            });
        })?;
        let (runtime, books) = start.recv().map_err(|_| StartError::Ended)??;
        Ok(SpanQueue { items, room, books, runtime, abandon, settled })
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

    /// Exports what is left and tells the first errors.
    pub(super) async fn finish(&self) -> Vec<String> {
        let (reply, outcome) = oneshot::channel();
        if self.items.send(Item::Finish(reply)).is_ok()
            && let Ok(errors) = outcome.await
        {
            return errors;
        }
        // What it had not delivered is in no account, which the books show.
        vec!["the exporter's thread ended".to_owned()]
    }

    /// Gives up what has not been delivered, and enters it in the books as dropped.
    pub(super) async fn abandon(&self) {
        self.abandon.cancel();
        self.settled.cancelled().await;
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

/// Encodes spans and hands them to the exporter in batches.
struct Worker {
    exporter: Exporter,
    batch: Batch,
    room: Arc<Semaphore>,
}

impl Worker {
    /// Works until the queue is to finish or is given up. `settling` is dropped when the books have
    /// no open item.
    async fn run(
        mut self,
        mut items: UnboundedReceiver<Item>,
        abandon: &CancellationToken,
        settling: DropGuard,
    ) {
        let reply = abandon.run_until_cancelled(self.take_all(&mut items)).await.flatten();
        let Worker { exporter, .. } = self;
        let books = Arc::clone(exporter.books());
        let (_, errors) = exporter.finish(abandon).await;
        drop(settling);
        if let Some(reply) = reply {
            let _ = reply.send(errors);
        }
        // Exports of metrics may still need this thread's runtime. Spans come only from calls that
        // were given up, and have been entered in the books since.
        while let Some(item) = items.recv().await {
            if let Item::Span(_) = item {
                books.dropped(1);
            }
        }
    }

    /// Takes spans until the queue is to finish, and gives whom to tell of it.
    async fn take_all(
        &mut self,
        items: &mut UnboundedReceiver<Item>,
    ) -> Option<oneshot::Sender<Vec<String>>> {
        let mut deadline: Option<Instant> = None;
        loop {
            let item = match deadline {
                None => Ok(items.recv().await),
                Some(deadline) => tokio::time::timeout_at(deadline, items.recv()).await,
            };
            let mut full = Vec::new();
            let ended = match item {
                Ok(Some(Item::Span(span))) => {
                    self.add(*span, &mut |request| full.push(request));
                    None
                }
                Ok(Some(Item::Finish(reply))) => Some(Some(reply)),
                Ok(None) => Some(None),
                Err(_) => {
                    full.extend(self.batch.take());
                    None
                }
            };
            if ended.is_some() {
                full.extend(self.batch.take());
            }
            let is_sent = !full.is_empty();
            for request in full {
                self.send(request).await;
            }
            if let Some(reply) = ended {
                return reply;
            }
            if self.batch.is_empty() {
                deadline = None;
            } else if is_sent || deadline.is_none() {
                deadline = Some(Instant::now() + LINGER);
            }
        }
    }

    fn add(&mut self, span: SpanData, full: &mut impl FnMut(Encoded)) {
        let scope = &span.instrumentation_scope;
        let scope = self.batch.scope(EncodedScope::new(
            scope.name(),
            scope.version().unwrap_or_default(),
            scope.schema_url().unwrap_or_default(),
        ));
        self.batch.add(scope, &SpanMessage::from(span).encode_to_vec(), full);
    }

    async fn send(&self, request: Encoded) {
        let (room, spans) = (Arc::clone(&self.room), request.spans);
        let spans = usize::try_from(spans).unwrap_or(0);
        self.exporter.send(request, move |_| room.add_permits(spans)).await;
    }
}

/// `resource` as OTLP has it.
fn encoded(resource: &Resource) -> Vec<u8> {
    let attributes = ResourceAttributesWithSchema::from(resource).attributes.0;
    ResourceMessage { attributes, ..ResourceMessage::default() }.encode_to_vec()
}

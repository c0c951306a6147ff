//! What both protocols do with a request: decode, sort out what is invalid, count, queue.

use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::Status;

use super::counts::{Counters, Counts};
use super::forward::Forward;
use super::queue::{Queue, QueueError};
use crate::capture::{Export, Items, Request, Signal};
use crate::json;

/// The way from a decoded body to the capture.
pub(super) struct Intake {
    queue: Queue,
    forward: Option<Forward>,
    counters: Counters,
    turns: Semaphore,
    wait: Duration,
}

/// What became of a request that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// How many of its spans were left out.
    pub(super) rejected_spans: u64,
}

/// Why a request was not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The body is not a request; the sender must not send it again.
    Undecodable(String),
    /// No room; the sender may try again.
    Busy,
    /// The capture can no longer be written; trying again is useless.
    Broken(String),
    /// The receiver behind this one did not take it.
    Behind(Box<Status>),
}

/// What an exporter is told that is to try again.
pub(super) const BUSY: &str = "the receiver is busy: the capture is written more slowly than \
                               telemetry arrives";

/// What a partial success says about the spans left out.
pub(super) const REJECTED_SPANS: &str =
    "spans without a valid trace id (16 bytes, not all zero) or span id (8 bytes, not all zero)";

impl Intake {
    pub(super) fn new(
        queue: Queue,
        forward: Option<Forward>,
        concurrent_requests: usize,
        wait: Duration,
    ) -> Self {
        let turns = Semaphore::new(concurrent_requests.clamp(1, Semaphore::MAX_PERMITS));
        Intake { queue, forward, counters: Counters::default(), turns, wait }
    }

    /// Waits until a request may be read; it may for as long as the permit lives.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        let turn = tokio::time::timeout(self.wait, self.turns.acquire()).await;
        let Ok(Ok(turn)) = turn else {
            self.refused();
            return Err(Refusal::Busy);
        };
        Ok(turn)
    }

    pub(super) fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// Counts a request that was refused before it came here.
    pub(super) fn refused(&self) {
        self.counters.refused();
    }

    pub(super) async fn protobuf(&self, signal: Signal, body: Bytes) -> Result<Taken, Refusal> {
        match Export::decode(signal, &body) {
            Ok(export) => self.take(export, Some(body)).await,
            Err(error) => {
                self.refused();
                Err(Refusal::Undecodable(format!("not an export request in protobuf: {error}")))
            }
        }
    }

    pub(super) async fn json(&self, signal: Signal, body: &[u8]) -> Result<Taken, Refusal> {
        let export = match signal {
            Signal::Traces => json::decode(body).map(Export::Traces),
            Signal::Metrics => json::decode(body).map(Export::Metrics),
            Signal::Logs => json::decode(body).map(Export::Logs),
        };
        match export {
            Ok(export) => self.take(export, None).await,
            Err(error) => {
                self.refused();
                Err(Refusal::Undecodable(format!("not an export request in OTLP/JSON: {error}")))
            }
        }
    }

    /// Queues `export`: as `encoded` where nothing has to be left out.
    async fn take(&self, mut export: Export, encoded: Option<Bytes>) -> Result<Taken, Refusal> {
        let rejected_spans = match &mut export {
            Export::Traces(request) => reject_invalid(request),
            Export::Metrics(_) | Export::Logs(_) => 0,
        };
        let mut items = export.items();
        if items == Items::default() {
            // A probe of whether anybody listens: there is nothing to keep.
            self.counters.accepted(0, items, rejected_spans);
            return Ok(Taken { rejected_spans });
        }
        let protobuf =
            encoded.filter(|_| rejected_spans == 0).unwrap_or_else(|| export.encode().into());
        let request = Request { signal: export.signal(), protobuf };
        // The decoded form is not kept while the request waits.
        drop(export);
        let bytes = request.protobuf.len();
        let mut rejected_spans = rejected_spans;
        if let Some(forward) = &self.forward {
            match forward.send(request.signal, request.protobuf.clone()).await {
                Ok(rejected) => {
                    rejected_spans += rejected;
                    items.spans = items.spans.saturating_sub(rejected);
                }
                Err(status) => {
                    self.refused();
                    return Err(Refusal::Behind(status));
                }
            }
        }
        match self.queue.put(request).await {
            Ok(()) => {
                self.counters.accepted(bytes, items, rejected_spans);
                Ok(Taken { rejected_spans })
            }
            Err(error) => {
                self.refused();
                Err(match error {
                    QueueError::Full => Refusal::Busy,
                    QueueError::Broken(error) => Refusal::Broken(error),
                })
            }
        }
    }
}

/// Takes out the spans that no trace could hold, and returns how many there were.
fn reject_invalid(request: &mut ExportTraceServiceRequest) -> u64 {
    let mut rejected = 0;
    for scope in request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans) {
        let before = scope.spans.len();
        scope.spans.retain(is_valid);
        rejected += (before - scope.spans.len()) as u64;
    }
    rejected
}

fn is_valid(span: &Span) -> bool {
    let is_id = |id: &[u8], length| id.len() == length && id.iter().any(|byte| *byte != 0);
    is_id(&span.trace_id, 16) && is_id(&span.span_id, 8)
}

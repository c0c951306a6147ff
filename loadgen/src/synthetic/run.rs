//! Makes the traces of a plan when they are due, and hands them to an exporter.

use std::sync::Arc;
use std::time::Duration;

use spanproof_schemas::time::UnixNanos;
use tokio::sync::OwnedSemaphorePermit;

use super::{Generator, Traces};
use crate::accounting::lost_spans;
use crate::client::{ClientError, ClientErrorKind};
use crate::clock::nanos;
use crate::otlp::{Batch, Encoded, Exporter, Limits};
use crate::run::driving::{Driver, Maker, Run};
use crate::run::{DEFAULT_IN_FLIGHT_PACED, LoadConfig, LoadOutcome, Progress};
use crate::statistics::Admitted;
use spanproof_schemas::speed::Speed;

/// How long a span waits for others to be sent with it.
const LINGER: Duration = Duration::from_millis(100);

/// What synthetic traces are called in reports.
const NAME: &str = "synthetic";

/// How traces are stamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamps {
    /// By the plan, whose midnight is this, in nanoseconds since 1970.
    Virtual(u64),
    /// By the clock, when they are made. Their spans end as much later as they take.
    Now,
}

impl Timestamps {
    /// By the plan, whose midnight is that of Monday, 5 January 2026: weeks of day curves begin so.
    pub const MONDAY: Timestamps = Timestamps::Virtual(1_767_571_200_000_000_000);
}

/// How synthetic traces are sent.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// How they are stamped.
    pub timestamps: Timestamps,
    /// How large requests are.
    pub limits: Limits,
}

impl Default for Sending {
    /// Stamped by the plan.
    fn default() -> Sending {
        Sending { timestamps: Timestamps::MONDAY, limits: Limits::default() }
    }
}

impl LoadConfig {
    /// A run of synthetic traces at `speed`. Those that are open wait to be sent with others, so that
    /// few would leave in small requests.
    #[must_use]
    pub fn synthetic(speed: Speed) -> LoadConfig {
        LoadConfig { in_flight: DEFAULT_IN_FLIGHT_PACED, ..LoadConfig::new(speed) }
    }
}

/// Makes all traces, each when it is due, and waits until the receiver has answered for them.
/// `progress` is called now and then.
///
/// What is called a call elsewhere is a trace here: *sent* when it was made, *finished* when the
/// receiver had answered for the last of its spans, whatever it answered. That is in the books.
pub async fn run(
    config: LoadConfig,
    sending: Sending,
    traces: Arc<Traces>,
    exporter: Exporter,
    progress: impl FnMut(Progress) + Send,
) -> LoadOutcome {
    let plan = Arc::clone(&traces.plan);
    let run = Run::new(config, &plan);
    let sending_run = Arc::clone(&run);
    let work = async move |driver: Driver<'_>| {
        let mut sender = Sender {
            run: &sending_run,
            generator: traces.generator(),
            timestamps: sending.timestamps,
            batch: traces.batch(sending.limits),
            waiting: Made::default(),
            since: 0,
            exporter,
        };
        driver.make_all(&mut sender).await;
        sender.exporter
    };
    let exporter = run.drive(&plan, work, progress).await;
    let is_stopped = run.config.stop.is_cancelled();
    let name = NAME.to_owned();
    // Without its thread the run is broken, and made nothing.
    let Some(exporter) = exporter else { return run.outcome(name, None, None, is_stopped) };
    let (books, errors) = exporter.finish(&run.config.abandon).await;
    let lost = lost_spans(&books, &errors)
        .map(|what| ClientError::new(ClientErrorKind::TelemetryLost, what));
    run.outcome(name, Some(books), lost, is_stopped)
}

/// Makes traces and puts them into requests.
struct Sender<'a> {
    run: &'a Arc<Run>,
    generator: Generator<'a>,
    timestamps: Timestamps,
    batch: Batch,
    /// The traces of which the last span is in the batch.
    waiting: Made,
    /// When the first span of the batch was put into it.
    since: UnixNanos,
    exporter: Exporter,
}

/// Traces that leave together.
#[derive(Default)]
struct Made {
    traces: Vec<(Admitted, UnixNanos)>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Made {
    fn add(&mut self, trace: Admitted, made: UnixNanos, permit: OwnedSemaphorePermit) {
        self.traces.push((trace, made));
        match &mut self.permit {
            Some(all) => all.merge(permit),
            none => *none = Some(permit),
        }
    }
}

impl Sender<'_> {
    async fn send(&self, request: Encoded, made: Made) {
        let run = Arc::clone(self.run);
        let decided = move |_: &_| {
            let now = run.config.clock.now();
            let Made { traces, permit } = made;
            let mut statistics = run.statistics();
            for (trace, made) in &traces {
                statistics.answered(trace, *made, now);
            }
            drop(statistics);
            drop(permit);
        };
        self.exporter.send(request, decided).await;
    }
}

impl Maker for Sender<'_> {
    fn has_room(&self) -> bool {
        self.exporter.has_room()
    }

    async fn make(&mut self, admitted: Admitted, permit: OwnedSemaphorePermit) {
        let event = admitted.due.event;
        let made = self.run.config.clock.now();
        let start = match self.timestamps {
            Timestamps::Virtual(midnight) => midnight.saturating_add(nanos(event.at)),
            Timestamps::Now => made,
        };
        if self.batch.is_empty() {
            self.since = made;
        }
        let mut leaving = Vec::new();
        let full = &mut |request| leaving.push((request, Made::default()));
        let spans = self.generator.add(event, start, &mut self.batch, full);
        self.exporter.books().created(spans);
        // What was in the batch is in the first request that leaves, and the last span of this trace
        // in the batch, if anything is, or else in the last request.
        if let Some((_, first)) = leaving.first_mut() {
            *first = std::mem::take(&mut self.waiting);
            self.since = made;
        }
        let with_last_span = match leaving.last_mut() {
            Some((_, last)) if self.batch.is_empty() => last,
            _ => &mut self.waiting,
        };
        with_last_span.add(admitted, made, permit);
        for (request, made) in leaving {
            self.send(request, made).await;
        }
    }

    fn leaves_at(&self) -> Option<UnixNanos> {
        (!self.batch.is_empty()).then(|| self.since.saturating_add(nanos(LINGER)))
    }

    async fn flush(&mut self) {
        if let Some(request) = self.batch.take() {
            let made = std::mem::take(&mut self.waiting);
            self.send(request, made).await;
        }
    }
}

//! Makes the traces of a plan when they are due, and hands them to an exporter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use hdrhistogram::Histogram;
use spanproof_schemas::accounting::Accounting;
use spanproof_schemas::report::Quantiles;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::unix_nanos;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{Batch, Limits, Traces, nanos};
use crate::client::{ClientError, ClientErrorKind};
use crate::otlp::Exporter;

/// How long after the start simulated time starts, so that the first traces are not late for want of
/// a thread.
const HEAD_START: Duration = Duration::from_millis(20);

/// How long a span waits for others to be sent with it.
const LINGER: Duration = Duration::from_millis(100);

/// How soon a run that is stopped notices.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

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
#[derive(Clone, Debug)]
pub struct SendConfig {
    /// How fast simulated time runs.
    pub speed: Speed,
    /// How they are stamped.
    pub timestamps: Timestamps,
    /// How large requests are.
    pub limits: Limits,
    /// Ends the run early, with what was made until then.
    pub stop: CancellationToken,
    /// How often progress is told.
    pub progress_every: Duration,
}

impl SendConfig {
    /// At `speed`, stamped by the plan.
    #[must_use]
    pub fn new(speed: Speed) -> SendConfig {
        SendConfig {
            speed,
            timestamps: Timestamps::MONDAY,
            limits: Limits::default(),
            stop: CancellationToken::new(),
            progress_every: Duration::from_millis(200),
        }
    }
}

/// What was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Traces planned.
    pub planned: u64,
    /// Traces made.
    pub made: u64,
    /// What became of their spans.
    pub books: Accounting,
    /// The first errors of exports.
    pub errors: Vec<String>,
    /// How late traces were made.
    pub lag_ms: Quantiles,
    /// From the start to the last answer.
    pub wall: Duration,
    /// Whether [`SendConfig::stop`] ended the run before its plan.
    pub is_stopped: bool,
}

/// Makes all traces, each when it is due, and waits until they have been sent. `progress` is told
/// the number of traces made now and then.
///
/// # Errors
///
/// When there is no thread to make them.
pub async fn send(
    config: SendConfig,
    traces: Arc<Traces>,
    exporter: Exporter,
    mut progress: impl FnMut(u64),
) -> Result<Sent, ClientError> {
    let began = Instant::now();
    let made = Arc::new(AtomicU64::new(0));
    let exporter = Arc::new(exporter);
    let maker = Maker {
        traces: Arc::clone(&traces),
        config: config.clone(),
        exporter: Arc::clone(&exporter),
        runtime: Handle::current(),
        made: Arc::clone(&made),
    };
    // A thread, because timers of the runtime are as coarse as a millisecond.
    let (tell, ended) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("synthetic".to_owned())
        .spawn(move || drop(tell.send(maker.make_all())))
        .map_err(|error| {
            ClientError::new(
                ClientErrorKind::Start,
                format!("no thread to make traces in: {error}"),
            )
        })?;
    let mut ended = std::pin::pin!(ended);
    let lag = loop {
        match tokio::time::timeout(config.progress_every, &mut ended).await {
            Ok(lag) => break lag.ok(),
            Err(_) => progress(made.load(Ordering::Relaxed)),
        }
    };
    let exporter = Arc::into_inner(exporter);
    let (books, errors) = match (exporter, config.stop.is_cancelled()) {
        (Some(exporter), false) => exporter.finish().await,
        (Some(exporter), true) => exporter.abandon().await,
        // The thread has ended, and with it its share.
        (None, _) => (Accounting::default(), Vec::new()),
    };
    let made = made.load(Ordering::Relaxed);
    progress(made);
    Ok(Sent {
        planned: traces.plan().calls(),
        made,
        books,
        errors,
        lag_ms: lag.map(|lag| quantiles(&lag)).unwrap_or_default(),
        wall: began.elapsed(),
        is_stopped: config.stop.is_cancelled(),
    })
}

/// What the thread has.
struct Maker {
    traces: Arc<Traces>,
    config: SendConfig,
    exporter: Arc<Exporter>,
    runtime: Handle,
    made: Arc<AtomicU64>,
}

impl Maker {
    /// Makes every trace when it is due. Gives how late they were, in microseconds.
    fn make_all(self) -> Histogram<u64> {
        let Maker { traces, config, exporter, runtime, made } = self;
        let mut lag = Histogram::new_with_bounds(1, 3_600_000_000, 3)
            .expect("the bounds are in order and the digits at most five");
        let mut generator = traces.generator();
        let mut batch = Batch::new(config.limits);
        let mut full = Vec::new();
        let is_paced = config.speed != Speed::Max;
        let start = Instant::now() + if is_paced { HEAD_START } else { Duration::ZERO };
        let mut waiting_since = start;
        // A receiver that hangs must not keep a run that is stopped; what waits is then dropped.
        let send = |request| {
            runtime.block_on(config.stop.run_until_cancelled(exporter.send(request)));
        };
        for planned in traces.plan().planned() {
            let due = start + config.speed.scale(planned.at);
            if is_paced {
                loop {
                    let now = Instant::now();
                    if !batch.is_empty() && now >= waiting_since + LINGER {
                        full.extend(generator.rest(&mut batch));
                    }
                    for request in full.drain(..) {
                        send(request);
                    }
                    let now = Instant::now();
                    if now >= due || config.stop.is_cancelled() {
                        break;
                    }
                    let mut until = due.min(now + LONGEST_SLEEP);
                    if !batch.is_empty() {
                        until = until.min(waiting_since + LINGER);
                    }
                    std::thread::sleep(until.saturating_duration_since(now));
                }
            }
            if config.stop.is_cancelled() {
                break;
            }
            let now = Instant::now();
            if is_paced {
                let late = now.saturating_duration_since(due).as_micros();
                lag.saturating_record(u64::try_from(late).unwrap_or(u64::MAX));
            }
            if batch.is_empty() {
                waiting_since = now;
            }
            let stamp = match config.timestamps {
                Timestamps::Virtual(midnight) => midnight.saturating_add(nanos(planned.at)),
                Timestamps::Now => unix_nanos(SystemTime::now()),
            };
            generator.add(planned, stamp, &mut batch, &mut |request| full.push(request));
            made.fetch_add(1, Ordering::Relaxed);
            for request in full.drain(..) {
                send(request);
                waiting_since = Instant::now();
            }
        }
        if let Some(request) = generator.rest(&mut batch) {
            send(request);
        }
        lag
    }
}

fn quantiles(micros: &Histogram<u64>) -> Quantiles {
    if micros.is_empty() {
        return Quantiles::default();
    }
    #[expect(clippy::cast_precision_loss, reason = "at most an hour in microseconds")]
    let ms = |micros: u64| micros as f64 / 1_000.0;
    Quantiles {
        p50: ms(micros.value_at_quantile(0.5)),
        p99: ms(micros.value_at_quantile(0.99)),
        max: ms(micros.max()),
    }
}

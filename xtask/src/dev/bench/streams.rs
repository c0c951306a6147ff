//! How well streams keep to their plan: so many open at once, in real time, from a client in the
//! same process, whose clock is the server's.
//!
//! The server has one worker thread beside its timer, the client has the other core. Lateness is
//! told twice: when a frame was handed to the connection, and when the client had it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use http_body_util::BodyExt as _;
use hyper::header::HeaderMap;
use mock_bedrock::{Config, HandedFrame, JsonLines, LedgerError, LedgerSink, Server};
use spanproof_schemas::ledger::Record;
use spanproof_schemas::speed::Speed;
use tokio::runtime::Builder;

use crate::dev::event_stream_client::{Connection, Frames};
use crate::dev::threads;

/// Models of different pace.
const MODELS: [&str; 3] = [
    "anthropic.claude-3-haiku-20240307-v1:0",
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "amazon.nova-lite-v1:0",
];
/// The streams open within this, so that they do not march in step.
const RAMP: Duration = Duration::from_secs(2);
/// Names of the server's threads.
const SERVER_THREADS: [&str; 3] = ["streams-server", "mock-timer", "ledger"];

/// Planned and actual times of the frames of streams that are open, by request id.
type Plans = Arc<Mutex<HashMap<String, Vec<(Instant, Instant)>>>>;

/// A ledger that notes when frames were due and handed over.
struct Watched {
    ledger: JsonLines,
    plans: Plans,
}

impl LedgerSink for Watched {
    fn record(&self, record: &Record) {
        self.ledger.record(record);
    }

    fn frame(&self, frame: &HandedFrame<'_>) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let times = (frame.planned, frame.handed);
        match plans.get_mut(frame.request_id) {
            Some(plan) => plan.push(times),
            None => drop(plans.insert(frame.request_id.to_owned(), vec![times])),
        }
    }

    fn flush(&self) -> Result<(), LedgerError> {
        self.ledger.flush()
    }
}

/// How late frames were.
#[derive(Default)]
struct Lateness {
    handed: Vec<Duration>,
    seen: Vec<Duration>,
}

/// Keeps `count` streams open for `length`, and tells how late their frames were.
pub(super) fn measure(count: usize, length: Duration) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let plans = Plans::default();
    let server_runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(SERVER_THREADS[0])
        .enable_all()
        .build()?;
    let server = server_runtime.block_on(async {
        let ledger = JsonLines::create(folder.path().join("ledger.jsonl"))?;
        let config = Config { speed: Speed::REAL, ..Config::default() };
        anyhow::Ok(Server::start(config, Watched { ledger, plans: Arc::clone(&plans) })?)
    })?;
    let client_runtime = Builder::new_current_thread().enable_all().build()?;
    let lateness = Arc::new(Mutex::new(Lateness::default()));
    let began = Instant::now();
    let cpu_before = threads::on_cpu(&SERVER_THREADS)?;
    client_runtime.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for number in 0..count {
            let (plans, lateness) = (Arc::clone(&plans), Arc::clone(&lateness));
            let address = server.address();
            clients.spawn(async move {
                let share = f64::from(u32::try_from(number)?) / f64::from(u32::try_from(count)?);
                tokio::time::sleep(RAMP.mul_f64(share)).await;
                stream_on(address, number, began + RAMP + length, &plans, &lateness).await
            });
        }
        while let Some(ended) = clients.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    })?;
    let cpu = threads::on_cpu(&SERVER_THREADS)?.saturating_sub(cpu_before);
    server_runtime.block_on(server.shutdown())?;
    let mut lateness = lateness.lock().unwrap_or_else(PoisonError::into_inner);
    let frames = lateness.handed.len();
    ensure!(frames > 0, "no frame came");
    let mut told = format!(
        "streams  {count} open, at 1x: {:.0} frames/s, {:.1} µs of the server's CPU each",
        f64::from(u32::try_from(frames)?) / began.elapsed().as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / f64::from(u32::try_from(frames)?),
    );
    let Lateness { handed, seen } = &mut *lateness;
    for (what, times) in [("handed over", handed), ("seen", seen)] {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 1_000].as_secs_f64() * 1e3;
        write!(
            told,
            "\n         late when {what:<12} p50 {:.3} ms   p99 {:.3} ms   p99.9 {:.3} ms   max {:.3} ms",
            at(500),
            at(990),
            at(999),
            at(1_000)
        )?;
    }
    Ok(told)
}

/// One stream after the other, until it is time to stop.
async fn stream_on(
    address: SocketAddr,
    number: usize,
    until: Instant,
    plans: &Plans,
    lateness: &Mutex<Lateness>,
) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let mut round = 0;
    while Instant::now() < until {
        round += 1;
        ensure!(connection.is_ready().await, "the server closed a connection");
        let model = MODELS[(number + round) % MODELS.len()];
        let prompt = format!("Stream {number}, round {round}.");
        let answer = connection.converse_stream(model, &prompt, &HeaderMap::new()).await?;
        ensure!(answer.status() == 200, "status {}", answer.status());
        let id = answer.headers().get("x-amzn-requestid").context("no request id")?;
        let id = id.to_str()?.to_owned();
        let mut body = answer.into_body();
        let (mut frames, mut seen) = (Frames::default(), Vec::with_capacity(64));
        while let Some(part) = body.frame().await {
            let now = Instant::now();
            if let Ok(part) = part?.into_data() {
                seen.extend(std::iter::repeat_n(now, frames.take(&part)?));
            }
        }
        let plan = plans.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let plan = plan.context("the server told no plan")?;
        ensure!(plan.len() == seen.len(), "{} frames planned, {} seen", plan.len(), seen.len());
        let mut lateness = lateness.lock().unwrap_or_else(PoisonError::into_inner);
        for ((planned, handed), seen) in plan.into_iter().zip(seen) {
            lateness.handed.push(handed - planned);
            lateness.seen.push(seen - planned);
        }
    }
    Ok(())
}

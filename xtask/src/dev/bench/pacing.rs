//! How well a load keeps to its plan, and what the plan itself takes.
//!
//! Calls are those of the reference client against the mock, synthetic traces go to a bare tonic
//! server. Each server has a thread of its own, the mock's stands back as in `spanproof load`, and
//! simulated time runs as in a day in a minute, so that the mock's latencies are those of `spanproof
//! load`. Meanwhile a thread that only sleeps says how late the machine wakes anybody.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use loadgen::otlp::{Exporter, OtlpConfig};
use loadgen::synthetic::{self, Dialogue, Sending, Traces};
use loadgen::{
    AtRate, LoadConfig, LoadOutcome, Plan, PlanConfig, RustClient, RustClientConfig, Scenario,
    Shard, Timing,
};
use mock_bedrock::{JsonLines, Server};
use spanproof_schemas::report::Load;
use spanproof_schemas::semconv::Version;
use spanproof_schemas::speed::Speed;
use tokio::runtime::Builder;

use super::peak;
use super::receive::{bare_server, server_runtime};

/// How fast simulated time runs: a day in a minute.
const TIMES: f64 = 1_440.0;

/// Calls of the plan whose making is measured.
const PLANNED: u64 = 1_000_000;

/// What is paced.
#[derive(Clone, Copy, Debug)]
enum Paced {
    Calls,
    Traces,
}

/// Paces `runs` loads of each kind for `length`, and makes a plan, telling of each.
pub(super) fn measure(runs: usize, length: Duration) -> Result<()> {
    for (paced, per_second, asked_ms) in [(Paced::Calls, 1_000, 0.5), (Paced::Traces, 10_000, 2.0)]
    {
        for _ in 0..runs {
            let plan = plan(per_second, length)?;
            let sleeper = Sleeper::start();
            let outcome = match paced {
                Paced::Calls => calls(plan)?,
                Paced::Traces => traces(plan)?,
            };
            let machine = sleeper.lag_ms_p99()?;
            let load = outcome.statistics.load(outcome.client.clone());
            ensure!(load.completed == load.intended, "{:?}", outcome.statistics.failures());
            writeln!(
                io::stdout(),
                "pacing    {}",
                told(paced, per_second, asked_ms, machine, &load)
            )?;
        }
    }
    writeln!(io::stdout(), "pacing    {}", planned()?)?;
    Ok(())
}

/// A thread that sleeps until each millisecond and does nothing in it.
struct Sleeper {
    thread: JoinHandle<Vec<Duration>>,
    stop: Sender<()>,
}

impl Sleeper {
    fn start() -> Sleeper {
        let (stop, stopped) = channel();
        let thread = thread::spawn(move || {
            // As the pacer does.
            let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
            let mut late = Vec::new();
            let mut due = Instant::now();
            loop {
                due += Duration::from_millis(1);
                let wait = due.saturating_duration_since(Instant::now());
                if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                    return late;
                }
                late.push(due.elapsed());
            }
        });
        Sleeper { thread, stop }
    }

    /// How late it woke, in milliseconds, in all but one in a hundred.
    fn lag_ms_p99(self) -> Result<f64> {
        drop(self.stop);
        let mut late = self.thread.join().map_err(|_| anyhow!("the sleeping thread panicked"))?;
        late.sort_unstable();
        let p99 = late.get(late.len() * 99 / 100).context("the load took no millisecond")?;
        Ok(p99.as_secs_f64() * 1_000.0)
    }
}

fn told(paced: Paced, per_second: u32, asked_ms: f64, machine_ms: f64, load: &Load) -> String {
    let parts = load.lag_parts.unwrap_or_default();
    let what = match paced {
        Paced::Calls => "calls/s",
        Paced::Traces => "synthetic traces/s",
    };
    format!(
        "{per_second} {what}: lag p50 {:.3} ms, p99 {:.3} ms (asked: {asked_ms} ms), most {:.1} ms; \
         p99 of timer {:.3}, room {:.3}, client {:.3} ms, and of a thread that only sleeps \
         {machine_ms:.3} ms; {:.2} % of the rate",
        load.schedule_lag_ms.p50,
        load.schedule_lag_ms.p99,
        load.schedule_lag_ms.max,
        parts.timer_ms.p99,
        parts.room_ms.p99,
        parts.client_ms.p99,
        load.rate.map_or(0.0, |rate| rate.share() * 100.0),
    )
}

/// A plan that makes so many calls in each second of `length`, in real time.
fn plan(per_second: u32, length: Duration) -> Result<PlanConfig> {
    let scenario = Scenario::named("rag")?;
    let simulated = length.mul_f64(TIMES);
    let rate = format!("{}/h", f64::from(per_second) * 3_600.0 / TIMES);
    Ok(PlanConfig {
        capabilities: Traces::capabilities(&scenario),
        // Faults make calls last for minutes.
        scenario: Scenario { faults: Vec::new(), ..scenario },
        seed: 1,
        timing: Timing::AtRate(AtRate {
            arrivals: "poisson".parse()?,
            ..AtRate::even(rate.parse()?, simulated)
        }),
        most_calls: None,
        shard: Shard::WHOLE,
    })
}

fn calls(plan: PlanConfig) -> Result<LoadOutcome> {
    let folder = tempfile::tempdir()?;
    let servers = Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(loadgen::stand_back)
        .enable_all()
        .build()?;
    let speed = Speed::Times(TIMES);
    let mock = {
        let _servers = servers.enter();
        let config = mock_bedrock::Config { speed, ..mock_bedrock::Config::default() };
        Server::start(config, JsonLines::create(folder.path().join("ledger.jsonl"))?)?
    };
    let receiver = servers.block_on(async {
        let capture = conformance::capture::Writer::create(&folder.path().join("capture.otlp"))?;
        let config = conformance::receiver::Config::default();
        anyhow::Ok(conformance::receiver::Receiver::start(config, capture).await?)
    })?;
    let otlp = receiver.grpc_address().map(|address| format!("http://{address}"));
    let config = LoadConfig::new(speed);
    let runtime = loadgen::runtime()?;
    let outcome = runtime.block_on(async {
        let client = RustClient::start(RustClientConfig {
            bedrock_endpoint: mock.endpoint(),
            otlp_endpoint: otlp.unwrap_or_default(),
            semconv: Version::LATEST,
            content: false,
            speed,
            clock: config.clock.clone(),
        })?;
        anyhow::Ok(loadgen::run(config, Plan::new(plan)?, client, |_| ()).await)
    })?;
    servers.block_on(receiver.shutdown())?;
    servers.block_on(mock.shutdown())?;
    Ok(outcome)
}

fn traces(plan: PlanConfig) -> Result<LoadOutcome> {
    let servers = server_runtime()?;
    let address = servers.block_on(bare_server(Arc::new(AtomicU64::new(0))))?;
    let traces = Arc::new(Traces::new(Plan::new(plan)?, Dialogue::default()));
    let runtime = loadgen::runtime()?;
    runtime.block_on(async {
        let exporter = Exporter::start(&OtlpConfig::new(format!("http://{address}")))?;
        let config = LoadConfig::synthetic(Speed::Times(TIMES));
        Ok(synthetic::run(config, Sending::default(), traces, exporter, |_| ()).await)
    })
}

/// What a plan takes: to walk through its times, and to write out and hash each of its lines.
fn planned() -> Result<String> {
    peak::set_back()?;
    let began = Instant::now();
    let length = Duration::from_hours(24);
    let rate = format!("{PLANNED}/day");
    let scenario = Scenario::named("rag")?;
    let plan = Plan::new(PlanConfig {
        capabilities: RustClient::capabilities(),
        scenario,
        seed: 1,
        timing: Timing::AtRate(AtRate {
            arrivals: "gamma:0.5".parse()?,
            ..AtRate::even(rate.parse()?, length)
        }),
        most_calls: None,
        shard: Shard::WHOLE,
    })?;
    let calls = plan.planned().count();
    let walked = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let summary = plan.write(io::sink())?;
    Ok(format!(
        "{calls} calls planned: times in {walked:.2} s, lines and hash {}… in {:.2} s; peak memory {} MB",
        &summary.hash().to_string()[..8],
        began.elapsed().as_secs_f64(),
        peak::kilobytes()? / 1_000
    ))
}

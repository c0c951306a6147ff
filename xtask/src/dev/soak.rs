//! `cargo xtask dev soak`: many streams for a long time, with faults, and then the accounts: memory
//! that did not grow, a ledger that has every request, and nothing left behind.

mod client;
mod ledger;
mod memory;

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use mock_bedrock::{Config, JsonLines, Server};
use spanproof_schemas::speed::Speed;
use tokio::runtime::{Builder, Runtime};

use self::client::{Sent, Tally};
use self::memory::Memory;
use super::{Outcome, threads};

/// How long streams and allocator take to reach their usual size, which counts for nothing.
const WARM_UP: Duration = Duration::from_secs(20);
/// The most that memory may differ between the first minute and the last.
const ALLOWED_GROWTH: f64 = 0.05;
/// What the mock calls its own threads.
const MOCK_THREADS: [&str; 2] = ["mock-timer", "ledger"];

/// What to put the mock through.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Streams open at any time
    #[arg(long, default_value_t = 1_000)]
    streams: usize,
    /// How long, without the warm-up
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// The share of requests that ask for a fault
    #[arg(long, default_value_t = 0.05)]
    faults: f64,
    /// How fast simulated time runs
    #[arg(long, default_value_t = Speed::REAL)]
    speed: Speed,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    ensure!((0.0..=1.0).contains(&args.faults), "--faults is a share, from 0 to 1");
    let length = Duration::try_from_secs_f64(args.minutes * 60.0).context("--minutes")?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.jsonl");
    let server_runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let files_before = open_files()?;
    let server = server_runtime.block_on(async {
        let config = Config { speed: args.speed, ..Config::default() };
        anyhow::Ok(Server::start(config, JsonLines::create(&path)?)?)
    })?;
    let address = server.address();
    let sent = Arc::new(Sent::default());
    let client_runtime = Builder::new_current_thread().enable_all().build()?;
    let began = Instant::now() + WARM_UP;
    let mut memory = Memory::new(began, began + length);
    let tally = client_runtime.block_on(async {
        let until = began + length;
        let clients =
            client::keep_open(address, args.streams, args.faults, until, Arc::clone(&sent));
        tokio::pin!(clients);
        loop {
            tokio::select! {
                tally = &mut clients => return tally,
                () = tokio::time::sleep(Duration::from_millis(500)) => memory.sample()?,
            }
        }
    })?;
    drop(client_runtime);
    server_runtime.block_on(server.shutdown())?;

    let mut problems = Vec::new();
    memory.judge(ALLOWED_GROWTH, &mut problems)?;
    ledger::judge(&path, &sent, &mut problems)?;
    judge_what_is_left(&server_runtime, address, files_before, &mut problems)?;
    if let Some(unexpected) = &tally.unexpected {
        problems.push(format!(
            "{} answers were not what was asked for, such as: {unexpected}",
            tally.surprises
        ));
    }
    let told = account(args, &sent, &tally, &memory, &path)?;
    problems.insert(0, told.clone());
    let is_fine = problems.len() == 1;
    Ok(if is_fine { Outcome::in_order(told) } else { Outcome::problems(problems, "") })
}

/// What of the server outlived it.
fn judge_what_is_left(
    runtime: &Runtime,
    address: std::net::SocketAddr,
    files_before: usize,
    problems: &mut Vec<String>,
) -> Result<()> {
    let tasks = runtime.metrics().num_alive_tasks();
    if tasks > 0 {
        problems.push(format!("{tasks} tasks of the server are still alive"));
    }
    if let Err(error) = TcpListener::bind(address) {
        problems.push(format!("{address} is still taken: {error}"));
    }
    let threads = threads::count(&MOCK_THREADS)?;
    if threads > 0 {
        problems.push(format!("{threads} threads of the server are still there"));
    }
    let files = open_files()?;
    if files > files_before {
        problems.push(format!("{files} files and sockets are open, {files_before} were before"));
    }
    Ok(())
}

fn account(
    args: &Args,
    sent: &Sent,
    tally: &Tally,
    memory: &Memory,
    ledger: &Path,
) -> Result<String> {
    let mut told = format!(
        "{} streams open for {} minutes at {}: {} requests, {} of them with faults, {} left by the client; {} frames; ledger {} MB",
        args.streams,
        args.minutes,
        args.speed,
        sent.count(),
        tally.faults,
        tally.left,
        tally.frames,
        std::fs::metadata(ledger)?.len() >> 20,
    );
    write!(told, "; memory {memory}")?;
    Ok(told)
}

fn open_files() -> Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")
        .context("open files are counted in /proc/self/fd")?
        .count())
}

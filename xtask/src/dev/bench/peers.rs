//! `bench mock --peers`: the mock beside other mocks and beside the bare ceiling, in one run.
//!
//! Every server is a process of its own, started as its users start it, and all are driven by the
//! same client with the same requests, in turn. Requests per second depend on how the machine's
//! cores are shared; the server's processor time per request does not.

mod client;
mod lineup;
mod load;
mod report;
mod trial;

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use loadgen::external::{clients_dir, home_dir};

use self::lineup::{PEERS, Place};
use self::load::Load;
use self::report::{Figures, Outcome, Report, Server};
use self::trial::Trial;
use crate::dev::process::{Address, Launch, Process};
use crate::dev::say;

const CONNECTIONS: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Converse,
    ConverseStream,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Operation::Converse => "Converse",
            Operation::ConverseStream => "ConverseStream",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Operation::Converse => "converse",
            Operation::ConverseStream => "converse-stream",
        }
    }
}

/// A server that answers, and what was measured of it so far.
struct Contender {
    process: Process,
    trials: [Trial; 2],
    loads: [Vec<Load>; 2],
}

/// A server that has a row in the table, or the reason why it has no figures.
struct Entry {
    name: &'static str,
    version: String,
    contender: Result<Contender>,
}

/// Measures everyone `rounds` times for `measured` each, prints the table, and writes the figures
/// to the file `json`.
pub(super) fn run(rounds: usize, measured: Duration, json: Option<&Path>) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let place = Place { home: home_dir(&clients_dir()?), scratch: scratch.path().to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let mut entries = line_up(&place).await?;
        settle(&entries).await?;
        for round in 1..=rounds {
            for entry in &mut entries {
                tell(format!("round {round} of {rounds}: {}", entry.name));
                entry.measure(measured).await;
            }
        }
        anyhow::Ok(Report {
            cores: available_parallelism()?.get(),
            connections: CONNECTIONS,
            rounds,
            seconds: measured.as_secs_f64(),
            servers: entries.into_iter().map(Entry::into_server).collect(),
        })
    })?;
    say(&mut io::stdout(), &[report.table()]);
    if let Some(path) = json {
        fs::write(path, serde_json::to_string_pretty(&report)? + "\n")
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

/// Everyone, running: the ceiling, ours, and the peers that can be had.
async fn line_up(place: &Place) -> Result<Vec<Entry>> {
    let ours = contender("spanproof mock", spanproof(place)?, place).await?;
    let ready_made = ["converse.json", "converse-stream.bin"].map(|name| place.scratch.join(name));
    for (trial, path) in ours.trials.iter().zip(&ready_made) {
        fs::write(path, &trial.body)?;
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["dev", "bare-server", "--converse"]).arg(&ready_made[0]);
    command.arg("--converse-stream").arg(&ready_made[1]);
    let bare = Launch { command, address: Address::Printed };
    let bare = contender("bare hyper", bare, place).await?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let mut entries = vec![
        Entry { name: "bare hyper", version: String::new(), contender: Ok(bare) },
        Entry { name: "spanproof mock", version, contender: Ok(ours) },
    ];
    for peer in PEERS {
        tell(format!("preparing {} {}", peer.name, peer.version));
        let contender = match (peer.prepare)(place) {
            Ok(launch) => contender(peer.name, launch, place).await,
            Err(error) => Err(error),
        };
        entries.push(Entry { name: peer.name, version: peer.version.to_owned(), contender });
    }
    Ok(entries)
}

/// Waits until the servers are idle: some go on starting after they first answer.
async fn settle(entries: &[Entry]) -> Result<()> {
    const LONGEST: Duration = Duration::from_mins(1);
    const LOOK: Duration = Duration::from_secs(1);
    /// Of processor time in one look, by all together; Node.js and Python never rest wholly.
    const IDLE_SECONDS: f64 = 0.03;

    let running = entries.iter().filter_map(|entry| entry.contender.as_ref().ok());
    let used =
        || -> Result<f64> { running.clone().map(|one| one.process.processor_seconds()).sum() };
    let started = Instant::now();
    let mut before = used()?;
    while started.elapsed() < LONGEST {
        tokio::time::sleep(LOOK).await;
        let now = used()?;
        if now - before <= IDLE_SECONDS {
            return Ok(());
        }
        before = now;
    }
    tell("the servers do not come to rest; the figures are of a busy machine".to_owned());
    Ok(())
}

/// The mock in this very program, with its ledger on.
fn spanproof(place: &Place) -> Result<Launch> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["mock", "--speed", "max", "--ledger"]).arg(place.scratch.join("ledger.jsonl"));
    Ok(Launch { command, address: Address::Printed })
}

async fn contender(name: &str, launch: Launch, place: &Place) -> Result<Contender> {
    let mut process = Process::start(launch, place.scratch.join(format!("{name}.log")))?;
    let converse = trial::attempt(&mut process, Operation::Converse).await?;
    let stream = trial::attempt(&mut process, Operation::ConverseStream).await?;
    Ok(Contender { process, trials: [converse, stream], loads: [Vec::new(), Vec::new()] })
}

impl Entry {
    /// Measures it once more; one that fails is out.
    async fn measure(&mut self, measured: Duration) {
        let Ok(contender) = &mut self.contender else { return };
        let operations = [Operation::Converse, Operation::ConverseStream];
        for (operation, loads) in operations.into_iter().zip(&mut contender.loads) {
            match load::measure(&contender.process, operation, measured).await {
                Ok(load) => loads.push(load),
                Err(error) => {
                    self.contender = Err(error.context(format!("{} failed", operation.name())));
                    return;
                }
            }
        }
    }

    fn into_server(self) -> Server {
        let outcome = self.contender.and_then(|contender| {
            let Contender { process, trials: [converse, stream], loads } = contender;
            Ok(Outcome::Measured {
                converse: Figures::new(&converse, &loads[0]),
                converse_stream: Figures::new(&stream, &loads[1]),
                peak_memory_mib: process.peak_memory_mib()?,
                notes: [converse.notes, stream.notes].concat(),
            })
        });
        let outcome = outcome
            .unwrap_or_else(|error| Outcome::NotMeasured { not_measured: format!("{error:#}") });
        Server { name: self.name, version: self.version, outcome }
    }
}

/// Progress goes to standard error, so that the table stands alone.
fn tell(line: String) {
    say(&mut io::stderr(), &[line]);
}

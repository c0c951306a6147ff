//! `cargo xtask dev bench`: speed beside the bare ceiling, in one run.
//!
//! Absolute figures drift from machine to machine; ratios of two things measured in turn in one
//! process hold. Each bench alternates its ceiling and ours, and prints medians.

mod bare;
mod check;
mod long;
mod mock;
mod pacing;
mod peak;
mod peers;
mod receive;
mod size;
mod streams;
mod synthetic;
mod telemetry;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

pub(super) use self::bare::Args as BareServer;
use super::Outcome;

/// Which benches to run, and how often.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these; all when none is named
    #[arg(value_enum)]
    only: Vec<Bench>,
    /// Measure each side this often and take the median
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Measure the mock beside other mocks, each a process of its own, and nothing else
    #[arg(long)]
    peers: bool,
    /// With --peers, measure each operation of each server for so long at a time
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0, requires = "peers")]
    seconds: f64,
    /// With --peers, write the figures to this file too
    #[arg(long, value_name = "FILE", requires = "peers")]
    json: Option<PathBuf>,
    /// With `check`, judge a capture of so many spans for its peak of memory, without a ledger and
    /// with one, of that also a tenth
    #[arg(long, value_name = "COUNT", default_value_t = 10_000_000)]
    spans: u64,
    /// With `streams`, keep so many open
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    open: usize,
    /// With `streams`, keep them open for so long; with `pacing`, pace each load for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Bench {
    /// Checked spans per second beside a raw prost decode of the same bytes
    Check,
    /// Buffered Converse requests per second beside a bare hyper server
    Mock,
    /// How late calls and synthetic traces are, and what a million-call plan takes
    Pacing,
    /// Received spans per second beside a bare tonic server that decodes and counts
    Receive,
    /// A day of synthetic traces without content, made and sized, in seconds
    Size,
    /// How late the frames of many open streams come
    Streams,
    /// Synthetic spans made and sent per second beside a bare tonic client that sends the same
    Synthetic,
}

/// A ceiling and ours, measured in turn.
struct Comparison {
    what: &'static str,
    unit: &'static str,
    ceiling: Vec<f64>,
    ours: Vec<f64>,
    notes: String,
}

impl Comparison {
    fn new(what: &'static str, unit: &'static str) -> Comparison {
        Comparison { what, unit, ceiling: Vec::new(), ours: Vec::new(), notes: String::new() }
    }

    fn print(mut self) -> io::Result<()> {
        let (ceiling, ours) = (median(&mut self.ceiling), median(&mut self.ours));
        writeln!(
            io::stdout(),
            "{:<9} ceiling {ceiling:>10.0} {unit}   ours {ours:>10.0} {unit}   ratio {:.2}   {}",
            self.what,
            ours / ceiling,
            self.notes,
            unit = self.unit,
        )
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let wanted = |bench| args.only.is_empty() || args.only.contains(&bench);
    let runs = args.runs.max(1);
    if args.peers {
        ensure!(wanted(Bench::Mock), "only `mock` has peers");
        let measured = Duration::try_from_secs_f64(args.seconds)?;
        peers::run(runs, measured, args.json.as_deref())?;
        return Ok(Outcome::in_order(format_args!(
            "medians of {runs}; only ratios and orders of magnitude travel"
        )));
    }
    if wanted(Bench::Check) {
        writeln!(io::stdout(), "{}", long::alone(args.spans)?)?;
        for spans in [args.spans / 10, args.spans] {
            writeln!(io::stdout(), "{}", long::with_ledger(spans)?)?;
        }
        check::compare(runs)?.print()?;
        check::compare_content(runs)?.print()?;
    }
    if wanted(Bench::Mock) {
        mock::compare(runs)?.print()?;
    }
    if wanted(Bench::Pacing) {
        pacing::measure(runs, Duration::from_secs(args.length.max(1)))?;
    }
    if wanted(Bench::Receive) {
        receive::compare(runs)?.print()?;
    }
    if wanted(Bench::Size) {
        size::measure(runs)?;
    }
    if wanted(Bench::Streams) {
        let told = streams::measure(args.open.max(1), Duration::from_secs(args.length.max(1)))?;
        writeln!(io::stdout(), "{told}")?;
    }
    if wanted(Bench::Synthetic) {
        synthetic::compare(runs)?.print()?;
    }
    Ok(Outcome::in_order(format_args!("medians of {runs}; only the ratios travel")))
}

/// Serves the ceiling of `--peers`, until the process is ended.
pub(super) fn serve_bare(args: &BareServer) -> Result<Outcome> {
    bare::serve(args)?;
    Ok(Outcome::in_order("ended"))
}

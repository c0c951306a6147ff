//! `spanproof check PATH…`

use std::path::PathBuf;

use crate::configuration::JudgeArgs;
use crate::exit::{Failure, Outcome};
use crate::judging::{Evidence, ReportArgs, judge_and_report};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Captured telemetry: OTLP JSON lines, OTLP protobuf, a capture of spanproof, a folder of
    /// these, or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    captures: Vec<PathBuf>,
    /// Join with this ledger of the mock Bedrock, and judge against the truth
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let configuration = args.judge.configuration()?;
    args.reports.check_writable()?;
    let evidence =
        Evidence { captures: &args.captures, ledger: args.ledger.as_deref(), load: None };
    judge_and_report(configuration, evidence, &args.reports)
}

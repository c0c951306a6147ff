//! `spanproof run -- COMMAND…`

use std::ffi::OsString;

use anyhow::anyhow;
use conformance::receiver;
use conformance_core::behaviour::Behaviour;
use spanproof_schemas::speed::Speed;

use crate::command;
use crate::comparison::ComparisonArgs;
use crate::configuration::JudgeArgs;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::judging::{Evidence, ReportArgs, judge_and_report};
use crate::servers::{EvidenceArgs, Servers};
use crate::serving::ServingArgs;
use crate::snapshot::{Kept, SnapshotArgs};

/// What `--help` ends with.
const EXAMPLES: &str = "Examples:
  spanproof run -- pytest
  spanproof run -- opentelemetry-instrument python my_program.py
  spanproof run --report html=report.html --capture telemetry.jsonl -- pytest
  spanproof run --redaction hash-only --fail-on improvement -- node app.js
  spanproof run --compare-uninstrumented -- opentelemetry-instrument python a.py";

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Answer so many times as fast as the models do, or `max`: at once [default: max]
    #[arg(long, value_name = "FACTORx|max", help_heading = "Serving")]
    speed: Option<Speed>,
    #[command(flatten)]
    serving: ServingArgs,
    /// Judge what was emitted even when the command fails
    #[arg(long)]
    ignore_command_status: bool,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    comparison: ComparisonArgs,
    #[command(flatten)]
    snapshot: SnapshotArgs,
    #[command(flatten)]
    reports: ReportArgs,
    /// The command and its arguments, after `--`
    #[arg(required = true, last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let configuration = args.judge.configuration()?;
    args.reports.check_writable()?;
    configuration.expected.check_writable()?;
    args.snapshot.check_writable()?;
    let table = &configuration.mock;
    let speed = args.speed.or(table.speed).unwrap_or(Speed::Max);
    let mut config = args.serving.config(table, speed).or_usage()?;
    args.comparison.configure(&mut config);
    let baseline = args.comparison.baseline(&args.command, &config).await?;
    let servers = Servers::start(config, receiver::Config::default(), &args.evidence).await?;
    let (invocation, streams) = args.comparison.instrumented(&args.command);
    let ended = command::run(&invocation, &servers, streams).await;
    let (files, _) = servers.stop().await?;
    let ended = ended?;
    let captures = [files.capture.clone()];
    let has_failed = !ended.status.success() && !args.ignore_command_status;
    let behaviour = match &baseline {
        Some(without) => Some(without.with(&invocation, &ended, &files.ledger).await?),
        None => None,
    };
    // That it fails with instrumentation only is a finding.
    let is_found = behaviour.as_ref().is_some_and(Behaviour::ends_otherwise);
    let kept = args.snapshot.kept();
    let evidence = Evidence {
        captures: &captures,
        tempo: None,
        ledger: Some(&files.ledger),
        snapshot: if has_failed { kept.map(Kept::only_compared) } else { kept },
        behaviour,
        load: None,
        is_whole: !has_failed,
    };
    let outcome = judge_and_report(configuration, evidence, &args.reports)?;
    if has_failed && !is_found {
        return Err(anyhow!(
            "{} ended with {}; --ignore-command-status judges it all the same",
            args.command[0].display(),
            ended.status
        ))
        .or_could_not_judge();
    }
    Ok(outcome)
}

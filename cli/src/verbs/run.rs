//! `spanproof run -- COMMAND…`

use std::ffi::OsString;
use std::process::ExitStatus;

use anyhow::{Context as _, anyhow};
use spanproof_schemas::speed::Speed;
use tokio::process::Command;

use crate::configuration::JudgeArgs;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::judging::{Evidence, ReportArgs, judge_and_report};
use crate::servers::{EvidenceArgs, Servers};
use crate::serving::ServingArgs;
use crate::snapshot::{Kept, SnapshotArgs};
use crate::{environment, interrupt, output};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
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
    let config = args.serving.config(table, speed).or_usage()?;
    let servers = Servers::start(config, &args.evidence).await?;
    let status = run_command(&args.command, &servers).await;
    let (files, _) = servers.stop().await?;
    let status = status?;
    let captures = [files.capture.clone()];
    let has_failed = !status.success() && !args.ignore_command_status;
    let kept = args.snapshot.kept();
    let evidence = Evidence {
        captures: &captures,
        tempo: None,
        ledger: Some(&files.ledger),
        snapshot: if has_failed { kept.map(Kept::only_compared) } else { kept },
        load: None,
        is_whole: !has_failed,
    };
    let outcome = judge_and_report(configuration, evidence, &args.reports)?;
    if has_failed {
        return Err(anyhow!(
            "{} ended with {status}; --ignore-command-status judges it all the same",
            args.command[0].display()
        ))
        .or_could_not_judge();
    }
    Ok(outcome)
}

async fn run_command(command: &[OsString], servers: &Servers) -> Result<ExitStatus, Failure> {
    let (program, arguments) = command
        .split_first()
        .filter(|(program, _)| !program.is_empty())
        .ok_or_else(|| anyhow!("no command: write it after `--`"))
        .or_usage()?;
    let mut command = Command::new(program);
    command.args(arguments);
    for warning in environment::point_at(servers, &mut command) {
        output::complain(&format!("warning: {warning}"));
    }
    let mut child = command
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
        .or_could_not_judge()?;
    tokio::select! {
        status = child.wait() => return status.or_could_not_judge(),
        interrupted = interrupt::requested() => interrupted.or_could_not_judge()?,
    }
    // A terminal sends Ctrl-C to the command as well; whoever signals this process alone means it.
    output::complain("interrupted: waiting for the command to end; interrupt again to kill it");
    interrupt::terminate(&child);
    tokio::select! {
        status = child.wait() => status.or_could_not_judge(),
        interrupted = interrupt::requested() => {
            interrupted.or_could_not_judge()?;
            child.kill().await.or_could_not_judge()?;
            child.wait().await.or_could_not_judge()
        }
    }
}

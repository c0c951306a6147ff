//! `spanproof run -- COMMAND…`

use std::ffi::OsString;
use std::process::ExitStatus;

use anyhow::{Context as _, anyhow};
use spanproof_schemas::speed::Speed;
use tokio::process::Command;

use crate::configuration::JudgeArgs;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::judging::{Evidence, ReportArgs, judge_and_report};
use crate::servers::{EvidenceArgs, Servers, Serving};
use crate::{interrupt, output};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Everything that varies in what is served follows from this number
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Answer so many times as fast as the models do, or `max`: at once
    #[arg(long, value_name = "FACTORx|max", default_value_t = Speed::Max)]
    speed: Speed,
    /// Judge what was emitted even when the command fails
    #[arg(long)]
    ignore_command_status: bool,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    reports: ReportArgs,
    /// The command and its arguments, after `--`
    #[arg(required = true, last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let configuration = args.judge.configuration()?;
    args.reports.check_writable()?;
    let serving = Serving { seed: args.seed, speed: args.speed };
    let servers = Servers::start(serving, &args.evidence).await?;
    let status = run_command(&args.command, &servers).await;
    let (files, _) = servers.stop().await?;
    let status = status?;
    let captures = [files.capture.clone()];
    let evidence = Evidence { captures: &captures, ledger: Some(&files.ledger), load: None };
    let outcome = judge_and_report(configuration, evidence, &args.reports)?;
    if !status.success() && !args.ignore_command_status {
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
        .ok_or_else(|| anyhow!("no command: write it after `--`"))
        .or_usage()?;
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment(servers))
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
        .or_could_not_judge()?;
    tokio::select! {
        status = child.wait() => status.or_could_not_judge(),
        interrupted = interrupt::requested() => {
            interrupted.or_could_not_judge()?;
            output::complain("interrupted: waiting for the command to end");
            child.wait().await.or_could_not_judge()
        }
    }
}

/// What points the AWS SDK at the mock and the OTLP exporter at the receiver. Settings that the
/// user made stay, but for the two endpoints.
fn environment(servers: &Servers) -> Vec<(&'static str, String)> {
    let unless_set = |name: &'static str, value: &str| {
        std::env::var_os(name).is_none().then(|| (name, value.to_owned()))
    };
    let grpc = std::env::var("OTEL_EXPORTER_OTLP_PROTOCOL").is_ok_and(|value| value == "grpc");
    let receiver = if grpc { servers.grpc_endpoint() } else { servers.http_endpoint() };
    let mut environment = vec![
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", servers.mock.endpoint()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver),
    ];
    environment.extend(
        [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_METRICS_EXPORTER", "otlp"),
            ("OTEL_LOGS_EXPORTER", "otlp"),
            ("AWS_ACCESS_KEY_ID", "spanproof"),
            ("AWS_SECRET_ACCESS_KEY", "spanproof"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("NO_PROXY", "127.0.0.1,localhost"),
        ]
        .into_iter()
        .filter_map(|(name, value)| unless_set(name, value)),
    );
    environment
}

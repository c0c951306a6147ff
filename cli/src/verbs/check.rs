//! `spanproof check PATH…`

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use conformance::tempo;

use crate::configuration::JudgeArgs;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::judging::{Evidence, ReportArgs, judge_and_report};
use crate::snapshot::SnapshotArgs;

/// What `--help` ends with.
const EXAMPLES: &str = "Examples:
  spanproof check telemetry.jsonl
  spanproof check capture.otlp.gz --ledger ledger.jsonl --report html=r.html
  spanproof check - --semconv 1.37.0 < telemetry.jsonl
  spanproof check --tempo http://localhost:3200 --query '{}' --since 6h";

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Captured telemetry: a capture of spanproof, OTLP in JSON or protobuf, the console output of
    /// the Python SDK, Jaeger JSON, each also in gzip or zstd; a folder of these; `-` for standard
    /// input
    #[arg(required_unless_present = "tempo", value_name = "PATH")]
    captures: Vec<PathBuf>,
    /// Join with this ledger of the mock Bedrock, also in gzip or zstd, and judge against the truth
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    tempo: TempoArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    snapshot: SnapshotArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

/// Which traces to fetch.
#[derive(Debug, clap::Args)]
struct TempoArgs {
    /// Judge traces from the Grafana Tempo with this HTTP address, such as `http://localhost:3200`
    #[arg(
        long = "tempo",
        id = "tempo",
        requires = "query",
        value_name = "URL",
        help_heading = "Grafana Tempo"
    )]
    endpoint: Option<tempo::Endpoint>,
    /// Fetch every trace with a span that matches this query of Tempo's:
    /// `{ span.gen_ai.operation.name != nil }`
    #[arg(long, requires = "tempo", value_name = "TRACEQL", help_heading = "Grafana Tempo")]
    query: Option<String>,
    /// Of the last so long
    #[arg(
        long,
        requires = "tempo",
        default_value = "1h",
        value_parser = humantime::parse_duration,
        value_name = "TIME",
        help_heading = "Grafana Tempo"
    )]
    since: Duration,
    /// Of this tenant
    #[arg(long, requires = "tempo", value_name = "ID", help_heading = "Grafana Tempo")]
    tenant: Option<String>,
    /// No more traces than this, the latest first
    #[arg(long, requires = "tempo", value_name = "N", help_heading = "Grafana Tempo")]
    limit: Option<usize>,
}

impl TempoArgs {
    /// What to fetch, if anything.
    fn query(&self) -> anyhow::Result<Option<tempo::Query>> {
        let (Some(endpoint), Some(traceql)) = (&self.endpoint, &self.query) else {
            return Ok(None);
        };
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .context("the clock of this machine is before 1970")?;
        // Spans that begin this second are asked for too.
        let end = now.as_secs() + 1;
        let start = now.saturating_sub(self.since).as_secs();
        Ok(Some(tempo::Query {
            endpoint: endpoint.clone(),
            traceql: traceql.clone(),
            unix_seconds: start..end,
            tenant: self.tenant.clone(),
            limit: self.limit,
        }))
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let configuration = args.judge.configuration()?;
    let tempo = args.tempo.query().or_usage()?;
    args.reports.check_writable()?;
    configuration.expected.check_writable()?;
    args.snapshot.check_writable()?;
    let evidence = Evidence {
        captures: &args.captures,
        tempo,
        ledger: args.ledger.as_deref(),
        snapshot: args.snapshot.kept(),
        behaviour: None,
        load: None,
        is_whole: true,
    };
    judge_and_report(configuration, evidence, &args.reports)
}

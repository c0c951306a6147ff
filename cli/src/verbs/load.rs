//! `spanproof load --rate 80000/day`

use anyhow::anyhow;
use loadgen::synthetic::Traces;
use loadgen::{Client, LoadConfig, LoadOutcome, Plan};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::speed::Speed;
use tokio_util::sync::CancellationToken;

use crate::clients::{self, Chosen, Started};
use crate::configuration::JudgeArgs;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::judging::{Evidence, ReportArgs, judge_and_report};
use crate::progress::Progress;
use crate::servers::{EvidenceArgs, Servers};
use crate::serving::ServingArgs;
use crate::{interrupt, output};
use planning::PlanArgs;
use synthetic::SyntheticArgs;

mod planning;
mod synthetic;

/// How many unexpected failures of calls are shown.
const SHOWN_FAILURES: usize = 5;

/// Arguments of `load`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    plan: PlanArgs,
    /// How fast simulated time runs, the mock's latencies included; `max`: as fast as the client can
    #[arg(long, value_name = "FACTORx|max", default_value_t = Speed::DAY_IN_A_MINUTE,
          help_heading = "Load")]
    speed: Speed,
    /// The client to drive; `spanproof clients` lists them; or synthetic, for spans without calls
    #[arg(long, value_name = "NAME", default_value = clients::REFERENCE, help_heading = "Load")]
    client: String,
    /// Let the client put prompts and completions into its telemetry; synthetic spans hold them as a
    /// policy says: none, hash, cut:2KiB, full, events or reference
    #[arg(long, value_name = "POLICY", num_args = 0..=1, require_equals = true,
          default_value = "none", default_missing_value = "full", help_heading = "Load")]
    content: ContentPolicy,
    #[command(flatten)]
    synthetic: SyntheticArgs,
    #[command(flatten)]
    serving: ServingArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let configuration = args.judge.configuration()?;
    let seed = args.serving.seed(&configuration.mock);
    if args.client == synthetic::NAME {
        let plan = args.plan.plan(Traces::capabilities(&args.plan.scenario()?), seed)?;
        if let Some(summary) = planned(&args.plan, &plan)? {
            return Ok(summary);
        }
        args.reports.check_writable()?;
        let how = (args.speed, args.content);
        return synthetic::run(&args.synthetic, configuration, plan, how, &args.reports).await;
    }
    let content = match args.content {
        ContentPolicy::None => false,
        ContentPolicy::Full => true,
        other => {
            return Err(anyhow!(
                "--content={other} is for --client synthetic: other clients hold all content or none"
            ))
            .or_usage();
        }
    };
    let chosen = Chosen::named(&args.client)?;
    let plan = args.plan.plan(chosen.capabilities(), seed)?;
    if let Some(outcome) = planned(&args.plan, &plan)? {
        return Ok(outcome);
    }
    args.reports.check_writable()?;
    configuration.expected.check_writable()?;
    let chosen = chosen.prepare().await?;

    let config = args.serving.config(&configuration.mock, args.speed).or_usage()?;
    let servers = Servers::start(config, &args.evidence).await?;
    let telling =
        clients::Telling { semconv: configuration.settings.semconv, content, speed: args.speed };
    let outcome = match chosen.start(&servers, telling).await? {
        Started::Rust(client) => drive(plan, args.speed, client).await,
        Started::Worker(client) => drive(plan, args.speed, client).await,
    };
    let (files, _) = servers.stop().await?;

    let captures = [files.capture.clone()];
    let evidence = Evidence {
        captures: &captures,
        tempo: None,
        ledger: Some(&files.ledger),
        snapshot: None,
        behaviour: None,
        load: Some(outcome.load.clone()),
        is_whole: !outcome.is_stopped && outcome.broken.is_none() && outcome.load.failed == 0,
    };
    let judged = judge_and_report(configuration, evidence, &args.reports)?;
    if outcome.is_stopped {
        return Err(anyhow!(
            "stopped after {} of {} calls: the report is about those",
            outcome.load.started,
            outcome.load.intended
        ))
        .or_could_not_judge();
    }
    if let Some(error) = outcome.broken {
        return Err(error).or_could_not_judge();
    }
    if outcome.load.failed > 0 {
        for failure in outcome.failures.iter().take(SHOWN_FAILURES) {
            output::complain(failure);
        }
        return Err(anyhow!(
            "{} of {} calls did not end as planned",
            outcome.load.failed,
            outcome.load.intended
        ))
        .or_could_not_judge();
    }
    Ok(judged)
}

/// Writes the plan, if that was asked for. Gives the outcome where nothing else was.
fn planned(args: &PlanArgs, plan: &Plan) -> Result<Option<Outcome>, Failure> {
    args.check_writable()?;
    let summary = args.write(plan)?;
    let Some(summary) = summary.filter(|_| args.plan_only) else { return Ok(None) };
    output::show(summary.to_string())?;
    Ok(Some(Outcome::Conforms))
}

/// Makes the calls of `plan`, showing progress; Ctrl-C ends the run with what was done.
async fn drive(plan: Plan, speed: Speed, client: impl Client) -> LoadOutcome {
    let config = LoadConfig::new(speed);
    let stop = config.stop.clone();
    let watch = tokio::spawn(stop_when_asked(stop));
    let mut progress = Progress::new();
    let outcome = loadgen::run(config, plan, client, |now| progress.show(&line(now))).await;
    progress.end();
    watch.abort();
    outcome
}

async fn stop_when_asked(stop: CancellationToken) {
    if interrupt::requested().await.is_ok() {
        stop.cancel();
    }
}

fn line(now: loadgen::Progress) -> String {
    let loadgen::Progress { intended, started, completed, failed, elapsed } = now;
    format!(
        "{completed} of {intended} calls done, {} open, {failed} failed, {:.0} s",
        started.saturating_sub(completed + failed),
        elapsed.as_secs_f64(),
    )
}

//! `spanproof load --rate 80000/day`

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use conformance::receiver::Counts;
use loadgen::synthetic::Traces;
use loadgen::{Capabilities, Client, ClientErrorKind, LoadConfig, LoadOutcome, Plan};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::report::{Load, Verdict};
use tokio_util::sync::CancellationToken;

use crate::clients::{self, Chosen, Started};
use crate::configuration::{Configuration, JudgeArgs};
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::gates::{self, GateArgs};
use crate::judging::{Evidence, ReportArgs, check_writable, judge};
use crate::progress::ProgressArgs;
use crate::servers::{EvidenceArgs, Files, ReceiverAlone};
use crate::serving::ServingArgs;
use crate::{interrupt, output};
use books::Watched;
use live::{Live, Noun};
use pacing::PacingArgs;
use planning::PlanArgs;
use result::Begun;
pub(crate) use result::write as write_result;
use synthetic::SyntheticArgs;

mod books;
mod live;
mod pacing;
mod planning;
mod result;
mod service;
mod storage;
mod synthetic;

/// How many unexpected failures of calls are shown.
const SHOWN_FAILURES: usize = 5;

/// From here on a step of the wall clock is told: a time service corrects less than this unasked.
const TOLD_CLOCK_STEP_MS: i64 = 100;

/// What `--help` ends with.
const EXAMPLES: &str = "Examples:
  spanproof load --rate 80000/day --report html=load.html
  spanproof load --client python/genai-bedrock --calls 200 --scenario rag
  spanproof load --rate 300/min --for 12h --speed 60x --arrival gamma:0.5
  spanproof load --rate 5/s --day-curve coding --spike 5x@12h+10m --plan-only
  spanproof load --quota requests-per-minute=60@anthropic.* --max-lag-p99 2ms
  spanproof load --client synthetic --speed max --otlp http://collector:4317
  spanproof load --shard 0/4 --start-at +30s --result results/0.json";

/// Arguments of `load`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    pacing: PacingArgs,
    /// The client to drive; `spanproof clients` lists them; or synthetic, for spans without calls
    #[arg(long, value_name = "NAME", default_value = clients::REFERENCE, help_heading = "Load")]
    client: String,
    /// Call the mock at this URL, which `spanproof mock` serves with the same --seed and --speed, and
    /// which the shards of a load may share; `merge --ledger` joins what it served
    #[arg(long, value_name = "URL", help_heading = "Load")]
    bedrock: Option<String>,
    /// Let the client put prompts and completions into its telemetry; synthetic spans hold them as a
    /// policy says: none, hash, cut:2KiB, full, events or reference [default: as the scenario says]
    #[arg(long, value_name = "POLICY", num_args = 0..=1, require_equals = true,
          default_missing_value = "full", help_heading = "Load")]
    content: Option<ContentPolicy>,
    #[command(flatten)]
    synthetic: SyntheticArgs,
    /// Compare the books with the counters of a Collector or a Tempo, such as
    /// `http://collector:8888/metrics`, which nothing else may send spans to meanwhile
    #[arg(long, value_name = "URL", requires = "otlp", help_heading = "Load")]
    collector_metrics: Option<String>,
    #[command(flatten)]
    gates: GateArgs,
    /// Foretell what traces such as these take in Grafana Tempo, by content policy, as `spanproof size`
    /// does; `--report html` has it always
    #[arg(long, help_heading = "Load")]
    forecast: bool,
    /// Write what was planned, done and measured to this file, for `spanproof merge`
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    result: Option<PathBuf>,
    #[command(flatten)]
    serving: ServingArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    reports: ReportArgs,
    #[command(flatten)]
    progress: ProgressArgs,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    let configuration = args.judge.configuration()?;
    args.pacing.check().or_usage()?;
    let seed = args.serving.seed(&configuration.mock);
    let made = args.made()?;
    let plan_config = args.plan.config(made.capabilities(&args.plan)?, seed)?;
    let fingerprint = args.result.as_ref().map(|_| plan_config.fingerprint());
    let plan = Plan::new(plan_config).or_usage()?;
    let (content, source) = match args.content {
        Some(content) => (content, "--content"),
        None => (plan.scenario().content, "the scenario"),
    };
    if let Made::Calls(client) = &made {
        client.check_content(content, source).or_usage()?;
    }
    args.plan.check_writable()?;
    let summary = args.plan.write(&plan, args.result.is_some())?;
    if let Some(summary) = summary.as_ref().filter(|_| args.plan.plan_only) {
        output::show(summary.to_string())?;
        return Ok(Outcome::Conforms);
    }
    let begun = fingerprint.zip(summary).map(|(fingerprint, summary)| {
        Begun::new(fingerprint, summary.hash(), &plan, args.pacing.speed())
    });
    args.reports.check_writable()?;
    args.result.as_deref().map_or(Ok(()), check_writable)?;
    configuration.expected.check_writable()?;

    let whole_calls = plan.whole_calls();
    let Driven { outcome, counts, received, watched } = match made {
        Made::Spans => {
            args.refuse_what_is_of_calls().or_usage()?;
            let semconv = configuration.settings.semconv;
            let traces = args.synthetic.traces(plan, semconv, content);
            if let Some(path) = args.synthetic.out() {
                return args.synthetic.write(&traces, path);
            }
            args.send(Arc::new(traces)).await?
        }
        Made::Calls(client) => args.call(client, content, &configuration, plan).await?,
    };
    let (received, unkept) = match received.transpose() {
        Ok(received) => (received, None),
        // What the disk has no room for cannot be judged; what was done is told all the same.
        Err(failure) => (None, Some(failure)),
    };
    let mut load = outcome.statistics.load(outcome.client.clone());
    load.telemetry = Some(books::compared(outcome.accounting, counts, watched).await?);
    load.gates = args.gates.of(&load);
    if args.forecast || args.reports.has_page() {
        load.storage = storage::foretold(&args.plan, &load, whole_calls, seed)?;
    }
    let captures: Vec<PathBuf> =
        received.iter().map(|received| received.files.capture.clone()).collect();
    let ledger = received.as_ref().filter(|received| received.has_ledger);
    let evidence = Evidence {
        captures: &captures,
        tempo: None,
        ledger: ledger.map(|received| received.files.ledger.as_path()),
        snapshot: None,
        behaviour: None,
        load: Some(load.clone()),
        is_whole: !outcome.is_stopped
            && outcome.broken.is_none()
            && load.completed == load.intended,
    };
    let mut report = judge(configuration, evidence)?;
    if received.is_none() {
        report.verdict = Verdict::NotJudged;
    }
    args.reports.write(&report)?;
    if let (Some(begun), Some(path)) = (begun, &args.result) {
        begun.write(path, &outcome, unkept.is_none(), &report)?;
    }
    let asked = is_as_asked(outcome, &load);
    let Some(unkept) = unkept else { return asked.map(|()| Outcome::of(&report)) };
    if let Err(failure) = asked {
        output::complain(&format!("{:#}", failure.into_error()));
    }
    Err(unkept)
}

/// What a load is made of.
enum Made {
    /// Synthetic spans.
    Spans,
    /// Calls of a client.
    Calls(Chosen),
}

impl Made {
    /// What a plan may ask for.
    fn capabilities(&self, plan: &PlanArgs) -> Result<Capabilities, Failure> {
        Ok(match self {
            Made::Spans => Traces::capabilities(&plan.scenario()?),
            Made::Calls(client) => client.capabilities(),
        })
    }
}

/// What came of a load.
struct Driven {
    outcome: LoadOutcome,
    /// What our receiver took, where there is one.
    counts: Option<Counts>,
    /// What there is to judge, or why it could not be kept; nothing where it was sent elsewhere.
    received: Option<Result<Received, Failure>>,
    watched: Option<Watched>,
}

/// What our own servers have.
struct Received {
    files: Files,
    has_ledger: bool,
}

impl Args {
    fn made(&self) -> Result<Made, Failure> {
        if self.client == synthetic::NAME {
            return Ok(Made::Spans);
        }
        Ok(Made::Calls(Chosen::named(&self.client)?))
    }

    /// Refuses what is about a service, where none is asked.
    fn refuse_what_is_of_calls(&self) -> anyhow::Result<()> {
        if self.bedrock.is_some() {
            bail!("--bedrock names a service, and --client synthetic asks nobody to serve");
        }
        if self.evidence.has_ledger() {
            bail!("--ledger keeps what was served, and --client synthetic asks nobody to serve");
        }
        if self.synthetic.out().is_some() && (self.result.is_some() || self.gates.is_of_rate()) {
            bail!(
                "--out writes as fast as it can: leave out --result, --min-achieved and --max-lag-p99, or send the spans"
            );
        }
        if self.synthetic.is_sent_elsewhere() && self.evidence.has_capture() {
            bail!("--capture keeps what is received here, and --otlp and --out take it elsewhere");
        }
        Ok(())
    }

    /// Sends synthetic traces.
    async fn send(&self, traces: Arc<Traces>) -> Result<Driven, Failure> {
        let watched = self.watch().await?;
        let config = self.pacing.config(LoadConfig::synthetic(self.pacing.speed()));
        let view = (self.progress, Live::new(Noun::Trace, self.plan.length()));
        let (outcome, ours) = self.synthetic.drive(config, traces, &self.evidence, view).await?;
        let counts = ours.as_ref().map(ReceiverAlone::counts);
        let received = match ours {
            Some(ours) => {
                Some(ours.stop().await.map(|(files, _)| Received { files, has_ledger: false }))
            }
            None => None,
        };
        Ok(Driven { outcome, counts, received, watched })
    }

    /// Makes the calls of `plan` with `client`, against a mock and a receiver.
    async fn call(
        &self,
        client: Chosen,
        content: ContentPolicy,
        configuration: &Configuration,
        plan: Plan,
    ) -> Result<Driven, Failure> {
        let client = client.prepare().await?;
        let service = self.service(&configuration.mock).await?;
        let watched = self.watch().await?;
        let config = self.pacing.config(LoadConfig::new(self.pacing.speed()));
        let telling = clients::Telling {
            semconv: configuration.settings.semconv,
            content,
            speed: self.pacing.speed_of_service(),
            clock: config.clock.clone(),
        };
        let view = (self.progress, Live::new(Noun::Call, self.plan.length()));
        let spans = || Some(service.counts().spans);
        let outcome = match client.start(service.endpoints(), telling).await? {
            Started::Rust(client) => drive(config, plan, client, view, spans).await,
            Started::Worker(client) => drive(config, plan, client, view, spans).await,
        };
        let counts = Some(service.counts());
        Ok(Driven { outcome, counts, received: Some(service.stop().await), watched })
    }

    /// Notes what the counters that were named say before the load.
    async fn watch(&self) -> Result<Option<Watched>, Failure> {
        match &self.collector_metrics {
            Some(url) => Watched::at(url).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Fails where the load is not the one that was asked for, saying how it is not.
fn is_as_asked(outcome: LoadOutcome, load: &Load) -> Result<(), Failure> {
    for failure in outcome.statistics.failures().iter().take(SHOWN_FAILURES) {
        output::complain(failure);
    }
    outcome.statistics.left_out().iter().for_each(|call| output::complain(call));
    let step_ms = outcome.statistics.window().clock_step_ms;
    if step_ms.abs() >= TOLD_CLOCK_STEP_MS {
        output::complain(&format!(
            "note: the clock of this machine was set by {step_ms} ms during the run; times of clients in other processes may be off by that"
        ));
    }
    if outcome.is_stopped {
        return Err(anyhow!(
            "stopped after {} of {} calls: the report is about those",
            load.started,
            load.intended
        ))
        .or_could_not_judge();
    }
    match outcome.broken {
        // How much of it may be lost is up to a gate, if what is lost is in the books.
        Some(lost) if is_in_books(lost.kind, load) => output::complain(&lost.to_string()),
        Some(error) => return Err(error).or_could_not_judge(),
        None => {}
    }
    gates::check(load)
}

fn is_in_books(kind: ClientErrorKind, load: &Load) -> bool {
    let books = load.telemetry.as_ref().and_then(|telemetry| telemetry.client);
    kind == ClientErrorKind::TelemetryLost && books.is_some_and(|books| books.lost() > 0)
}

/// Makes the calls of `plan`, showing progress.
async fn drive(
    config: LoadConfig,
    plan: Plan,
    client: impl Client,
    view: (ProgressArgs, Live),
    spans: impl Fn() -> Option<u64> + Sync,
) -> LoadOutcome {
    shown(config, view, spans, async |config, tell| loadgen::run(config, plan, client, tell).await)
        .await
}

/// Runs a load with a view of its progress, and of the spans that were received where that is known.
/// Ctrl-C ends it with what was done, and once more does so without waiting for what is open.
async fn shown(
    config: LoadConfig,
    (progress, mut live): (ProgressArgs, Live),
    spans: impl Fn() -> Option<u64> + Sync,
    run: impl AsyncFnOnce(LoadConfig, &mut (dyn FnMut(loadgen::Progress) + Send)) -> LoadOutcome,
) -> LoadOutcome {
    let watch = tokio::spawn(end_when_asked(config.stop.clone(), config.abandon.clone()));
    let mut progress = progress.begin();
    let mut tell = |now| {
        live.see(now, spans());
        progress.show(&live);
    };
    let outcome = run(config, &mut tell).await;
    live.received(spans());
    progress.end(&live);
    watch.abort();
    outcome
}

async fn end_when_asked(stop: CancellationToken, abandon: CancellationToken) {
    let Ok(mut requests) = interrupt::Requests::new() else { return };
    requests.next().await;
    stop.cancel();
    output::complain(
        "ending: waiting for open calls and their telemetry; once more to give them up",
    );
    requests.next().await;
    abandon.cancel();
}

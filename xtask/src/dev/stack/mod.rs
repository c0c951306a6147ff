//! `cargo xtask dev stack`: Collector and Prometheus as `deploy/stack/` has them, as processes, and
//! what they count beside what was sent.

mod collector;
mod comparison;
mod dashboards;
mod files;
mod http;
mod prometheus;
mod server;
mod tempo;
mod truth;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use self::collector::{Collector, Ports};
use self::comparison::Comparison;
use self::dashboards::Dashboards;
use self::http::Http;
use self::prometheus::Prometheus;
use self::tempo::Tempo;
use self::truth::Truth;
use super::{Outcome, children, say, workspace};

/// How much is sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// So many traces of synthetic spans; 80000 are a day
    #[arg(long, value_name = "N", default_value_t = TRACES)]
    traces: u64,
    /// So many calls of a real client, with content
    #[arg(long, value_name = "N", default_value_t = CALLS)]
    calls: u64,
    /// A Tempo to store traces in and to search: a program, or the URL of one that runs [default:
    /// what `SPANPROOF_TEMPO` names]
    #[arg(long, value_name = "PATH|URL")]
    tempo: Option<String>,
}

/// What a Collector of the stack is configured with.
const CONFIGURATION: [&str; 1] = ["collector.yaml"];

const TRACES: u64 = 2_000;
const CALLS: u64 = 400;

/// Calls of `chat` whose answers arrive whole if they come at all: of one that is cut off, tokens are
/// charged that no span can tell of.
const WHOLE_ANSWERS: &str = "extends: chat
description: Chats whose answers arrive whole.
faults:
  - {fault: \"ThrottlingException@1\", share: 0.012}
  - {fault: ThrottlingException, share: 0.006}
  - {fault: ValidationException, share: 0.006}
  - {fault: AccessDeniedException, share: 0.002}
";

/// The step of `dev test`.
pub(crate) fn step(_root: &Path) -> Result<()> {
    let outcome = run(&Args { traces: TRACES, calls: CALLS, tempo: None })?;
    say(&mut io::stdout(), &outcome.lines);
    ensure!(outcome.in_order, "the stack does not do what it is for");
    Ok(())
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let root = workspace::root();
    let stack = root.join("deploy/stack");
    for tool in ["go", "prometheus", "promtool"] {
        if Command::new(tool).arg("--help").output().is_err() {
            ensure!(
                super::clients::skips_missing_tools(),
                "{tool} is not on this machine; Prometheus is Debian's package `prometheus`"
            );
            return Ok(Outcome::in_order(format!(
                "the stack was not run: {tool} is not on this machine"
            )));
        }
    }
    let dashboards = Dashboards::read(&stack)?;
    let program = collector::build(&root, &stack)?;
    files::check(&root, &stack, &program, &dashboards)?;

    let trial = Trial { http: Http::new()?, stack, program, dashboards };
    let folder = tempfile::tempdir()?;
    let mut comparison = Comparison::default();
    trial.synthetic(args, &folder.path().join("synthetic"), &mut comparison)?;
    trial.calls(args.calls, &folder.path().join("calls"), &mut comparison)?;
    trial.calls_with_content(args.calls, &folder.path().join("content"), &mut comparison)?;
    say(&mut io::stdout(), comparison.told());
    if !comparison.differences().is_empty() {
        // What the servers said is in it.
        let kept = folder.keep();
        say(&mut io::stdout(), &[format!("what there was is kept in {}", kept.display())]);
    }
    Ok(Outcome::problems(comparison.into_differences(), "the stack counts what was sent"))
}

/// What every run of the stack needs.
struct Trial {
    http: Http,
    stack: PathBuf,
    program: PathBuf,
    dashboards: Dashboards,
}

impl Trial {
    /// Synthetic spans: a day of them, or a part. They come in two halves, so that rates are of what
    /// has grown.
    fn synthetic(&self, args: &Args, folder: &Path, comparison: &mut Comparison) -> Result<()> {
        fs::create_dir_all(folder)?;
        let traces = args.traces.to_string();
        let load = ["load", "--client=synthetic", "--scenario=rag", "--tenants=4", "--speed=max"];
        let load = [&load[..], &["--calls", &traces]].concat();
        let sent = folder.join("sent.otlp.zst").display().to_string();
        spanproof(folder, &[&load[..], &["--out", &sent]].concat())?;
        let truth = Truth::of_capture(Path::new(&sent))?;

        let given = args.tempo.clone().or_else(|| env::var(tempo::VARIABLE).ok());
        let tempo = match &given {
            Some(given) => Some(Tempo::start(&self.http, given, &self.stack, folder)?),
            None => None,
        };
        let (prometheus, collector) = self.start(folder, &CONFIGURATION, tempo.as_ref())?;
        let url = collector.url();
        let to = ["--timestamps=now", "--otlp", &url];
        for shard in ["0/2", "1/2"] {
            spanproof(folder, &[&load[..], &to, &["--shard", shard]].concat())?;
            comparison::wait_until_counted(&self.http, &prometheus)?;
        }

        comparison.begin(format!("{} synthetic traces", args.traces));
        comparison.spans(&self.http, &prometheus, &collector, truth.spans)?;
        comparison.usage(&self.http, &prometheus, &truth)?;
        let passed_on = Truth::of_capture(&collector.written)?;
        comparison.same("answers cut off, passed on", passed_on.cut_off, truth.cut_off);
        let (queries, empty) = self.dashboards.ask(&self.http, &prometheus)?;
        comparison.all("queries of the dashboards with a value", queries, empty);
        match &tempo {
            None => comparison.tell(&format!(
                "Tempo: not run; name one by {} or --tempo, a program or a URL",
                tempo::VARIABLE
            )),
            Some(tempo) => {
                self.stored(tempo, &truth, args.traces, folder, &collector, comparison)?;
            }
        }
        Ok(())
    }

    /// Calls of a real client, with content in its telemetry and planted markers in that. What the
    /// Collector passes on is joined with the mock's ledger, as what it was sent is.
    fn calls(&self, calls: u64, folder: &Path, comparison: &mut Comparison) -> Result<()> {
        fs::create_dir_all(folder)?;
        let (prometheus, collector) = self.start(folder, &CONFIGURATION, None)?;
        let calls = calls.to_string();
        let (url, metrics) = (collector.url(), collector.metrics_url());
        fs::write(folder.join("whole.yaml"), WHOLE_ANSWERS)?;
        let load = ["load", "--scenario=whole.yaml", "--speed=max", "--content", "--calls", &calls];
        let kept = ["--redaction=content-allowed", "--ledger=ledger.jsonl", "--otlp", &url];
        let told = ["--collector-metrics", &metrics, "--report=json=sent.json"];
        spanproof(folder, &[&load[..], &kept, &told].concat())?;

        comparison.begin(format!("{calls} calls of the AWS SDK for Rust, with content"));
        let truth = Truth::of_ledger(&folder.join("ledger.jsonl"))?;
        let spans = spans_in(&folder.join("sent.json"))?;
        let books = &report(&folder.join("sent.json"))?["load"]["telemetry"]["receivers"];
        // The first receiver is our own.
        let by_counters =
            books[1]["accepted"].as_u64().context("the books lack the Collector's")?;
        comparison.same("spans in the books, by its counters", by_counters, spans);
        comparison.spans(&self.http, &prometheus, &collector, spans)?;
        comparison.usage(&self.http, &prometheus, &truth)?;

        let written = collector.written.display().to_string();
        let check = ["check", &written, "--ledger=ledger.jsonl", "--redaction=no-content"];
        let mut judge = command(folder, &[&check[..], &["--report=json=passed-on.json"]].concat());
        let judged =
            children::output(&mut judge).context("cannot judge what the Collector passed on")?;
        let passed_on = report(&folder.join("passed-on.json"))?;
        let conforms = passed_on["verdict"] == "conforms" && judged.status.success();
        comparison.judged(conforms, &passed_on);
        Ok(())
    }

    /// The same where content is kept: nothing of what was planted as personal data or credential is
    /// in it.
    fn calls_with_content(
        &self,
        calls: u64,
        folder: &Path,
        comparison: &mut Comparison,
    ) -> Result<()> {
        fs::create_dir_all(folder)?;
        let files = [&CONFIGURATION[..], &["keep-content.yaml"]].concat();
        let (prometheus, collector) = self.start(folder, &files, None)?;
        let (url, calls) = (collector.url(), calls.to_string());
        fs::write(folder.join("whole.yaml"), WHOLE_ANSWERS)?;
        let load = ["load", "--scenario=whole.yaml", "--speed=max", "--content", "--calls", &calls];
        let kept = ["--redaction=content-allowed", "--ledger=ledger.jsonl", "--otlp", &url];
        spanproof(folder, &[&load[..], &kept, &["--report=json=sent.json"]].concat())?;

        comparison.begin(format!("{calls} such calls, content kept"));
        let spans = spans_in(&folder.join("sent.json"))?;
        comparison.spans(&self.http, &prometheus, &collector, spans)?;
        let passed_on = fs::read_to_string(&collector.written)?;
        ensure!(passed_on.contains("gen_ai.input.messages"), "no content is passed on");
        let planted = truth::planted(&folder.join("ledger.jsonl"))?;
        let leaked: Vec<String> = planted
            .iter()
            .filter(|planted| passed_on.contains(truth::telling(planted)))
            .map(|planted| format!("{:?} of a {:?} is passed on", planted.kind, planted.origin))
            .collect();
        comparison.all("kinds of planted values masked", planted.len(), leaked);
        Ok(())
    }

    fn start(
        &self,
        folder: &Path,
        files: &[&str],
        tempo: Option<&Tempo>,
    ) -> Result<(Prometheus, Collector)> {
        let ports = Ports::free()?;
        let prometheus = Prometheus::start(&self.http, &self.stack, folder, ports.metrics)?;
        let to = (&prometheus, tempo.map(|tempo| tempo.otlp));
        let collector =
            Collector::start(&self.http, &self.program, &self.stack, folder, files, ports, to)?;
        Ok((prometheus, collector))
    }

    /// What Tempo finds and what it takes.
    fn stored(
        &self,
        tempo: &Tempo,
        truth: &Truth,
        traces: u64,
        folder: &Path,
        collector: &Collector,
        comparison: &mut Comparison,
    ) -> Result<()> {
        for query in self.dashboards.traceql() {
            let found = tempo.count(&self.http, &query, truth.cut_off)?;
            comparison.same(&format!("traces found by `{query}`"), found, truth.cut_off);
        }
        let Some(blocks) = tempo.blocks(traces)? else { return Ok(()) };
        let mut encoding = String::new();
        let mut real = 0;
        for block in &blocks {
            let sized = sized(folder, &["--block".into(), block.into()])?;
            real += sized["block"]["data_parquet_bytes"].as_u64().unwrap_or_default();
            sized["block"]["encoding"].as_str().unwrap_or_default().clone_into(&mut encoding);
        }
        let mut capture: Vec<OsString> = vec!["--capture".into(), (&collector.written).into()];
        capture.push(format!("--encoding={encoding}").into());
        for column in files::dedicated_columns(&self.stack)? {
            capture.push(format!("--dedicated-column={column}").into());
        }
        let sized = sized(folder, &capture)?;
        let foretold = sized["block"]["data_parquet_bytes"].as_u64().unwrap_or_default();
        comparison.size(blocks.len(), real, foretold);
        Ok(())
    }
}

/// This very program with `arguments`, in `folder`.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap_or_else(|_| "spanproof".into()));
    command.args(arguments).current_dir(folder);
    command
}

/// Runs it, which must end well. What it says for people is kept beside the rest.
fn spanproof(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output =
        children::output(&mut command(folder, arguments)).context("cannot run spanproof")?;
    ensure!(
        output.status.success(),
        "{arguments:?} ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// What `size` says of `what`.
fn sized(folder: &Path, what: &[OsString]) -> Result<Value> {
    let output = children::output(command(folder, &["size", "--report=json"]).args(what))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The spans that the report at `path` is about.
fn spans_in(path: &Path) -> Result<u64> {
    report(path)?["telemetry"]["spans"].as_u64().context("the report counts no spans")
}

fn report(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("no {}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

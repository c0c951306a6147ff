//! `spanproof merge results/`: one report of the shards of a load.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use spanproof_schemas::load_result::LoadResult;
use spanproof_schemas::report::Report;

use crate::configuration::JudgeArgs;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::gates::{self, GateArgs};
use crate::judging::{Evidence, ReportArgs, check_writable, judge};
use crate::output;
use crate::verbs::load::write_result;

/// What `--help` ends with.
const EXAMPLES: &str = "Examples:
  spanproof merge results
  spanproof merge results/*.json --min-achieved 99% --report html=load.html";

/// Arguments of `merge`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What `load --result` wrote: the file of each shard, or a folder whose *.json files are those
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Write the result of the whole to this file, such as a shard writes its own
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    result: Option<PathBuf>,
    /// Judge what the shards captured as a whole, in place of what each found of its own: the file of
    /// each `load --capture`, or of one `receive --out`; repeatable, and a folder stands for its files
    #[arg(long = "capture", value_name = "PATH", help_heading = "Judging")]
    captures: Vec<PathBuf>,
    /// Join it with the ledger of the mock that all of them called, by `load --bedrock`
    #[arg(long, value_name = "FILE", requires = "captures", help_heading = "Judging")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    gates: GateArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    args.refuse_what_is_of_captures().or_usage()?;
    args.reports.check_writable()?;
    args.result.as_deref().map_or(Ok(()), check_writable)?;
    let mut results = Vec::new();
    for path in files(&args.paths)? {
        let text = fs::read(&path)
            .with_context(|| format!("cannot read {}", path.display()))
            .or_could_not_judge()?;
        let result: LoadResult = serde_json::from_slice(&text)
            .with_context(|| format!("{} is no result of `spanproof load`", path.display()))
            .or_could_not_judge()?;
        results.push((path.display().to_string(), result));
    }
    let mut whole = loadgen::merge(results).or_could_not_judge()?;
    if let Some(load) = &mut whole.report.load {
        load.gates = args.gates.of(load);
    }
    if let Some(report) = args.judged(&whole)? {
        whole.report = report;
    }
    args.reports.write(&whole.report)?;
    if let Some(path) = &args.result {
        write_result(path, &whole)?;
    }
    output::complain(&format!("plan {}, {} calls", whole.plan.hash, whole.plan.calls));
    if !whole.is_whole {
        let error = anyhow!(
            "a shard ended before its plan did, or could not keep its telemetry: the report is about what was done"
        );
        return Err(error).or_could_not_judge();
    }
    whole.report.load.as_ref().map_or(Ok(()), gates::check)?;
    Ok(Outcome::of(&whole.report))
}

impl Args {
    /// Refuses what is about judging, where nothing is judged.
    fn refuse_what_is_of_captures(&self) -> anyhow::Result<()> {
        if self.captures.is_empty() && self.judge != JudgeArgs::default() {
            bail!(
                "each shard was judged as it was asked to be; say how to judge the whole with --capture"
            );
        }
        Ok(())
    }

    /// The report of what `whole` captured, if that is to be judged.
    fn judged(&self, whole: &LoadResult) -> Result<Option<Report>, Failure> {
        if self.captures.is_empty() {
            return Ok(None);
        }
        let configuration = self.judge.configuration()?;
        configuration.expected.check_writable()?;
        let load = whole.report.load.clone();
        let evidence = Evidence {
            captures: &self.captures,
            tempo: None,
            ledger: self.ledger.as_deref(),
            snapshot: None,
            behaviour: None,
            is_whole: whole.is_whole
                && load.as_ref().is_some_and(|load| load.completed == load.intended),
            load,
        };
        judge(configuration, evidence).map(Some)
    }
}

/// The files that `paths` name, those of folders by their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut within = json_files(path)
            .with_context(|| format!("cannot read the folder {}", path.display()))
            .or_could_not_judge()?;
        if within.is_empty() {
            let error = anyhow!("{} holds no *.json file", path.display());
            return Err(error).or_could_not_judge();
        }
        within.sort();
        files.append(&mut within);
    }
    Ok(files)
}

fn json_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("json")) && path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

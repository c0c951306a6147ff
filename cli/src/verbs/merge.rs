//! `spanproof merge results/`: one report of the shards of a load.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use spanproof_schemas::load_result::LoadResult;

use crate::exit::{Failure, OrFail as _, Outcome};
use crate::gates::{self, GateArgs};
use crate::judging::{ReportArgs, check_writable};
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
    #[command(flatten)]
    gates: GateArgs,
    #[command(flatten)]
    reports: ReportArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
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
    args.reports.write(&whole.report)?;
    if let Some(path) = &args.result {
        write_result(path, &whole)?;
    }
    output::complain(&format!("plan {}, {} calls", whole.plan.hash, whole.plan.calls));
    if !whole.is_whole {
        let error = anyhow!("a shard ended before its plan did: the report is about what was done");
        return Err(error).or_could_not_judge();
    }
    whole.report.load.as_ref().map_or(Ok(()), gates::check)?;
    Ok(Outcome::of(&whole.report))
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

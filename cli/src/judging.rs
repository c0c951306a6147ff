//! From files to a report: read the ledger, read the captures, judge, price, and write what was
//! asked for.

pub mod parts;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use conformance::capture::{Export, ReadError, Reader, Source};
use conformance::report::{Format, ReportTarget};
use conformance_core::{Excerpts, Judge};
use spanproof_schemas::ledger::{LEDGER_VERSION, Record};
use spanproof_schemas::price::PriceTable;
use spanproof_schemas::report::{Load, REPORT_VERSION, Report, TraceExcerpt};
use tempfile::NamedTempFile;

use crate::configuration::Configuration;
use crate::cost::cost;
use crate::exit::{Failure, OrFail as _, Outcome, verdict};
use crate::output;

/// Where reports go.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// Write a report: FORMAT to standard output, FORMAT=PATH to a file; repeatable. Formats:
    /// human (the default), json, jsonl, markdown, junit, sarif, github, html
    #[arg(long = "report", value_name = "FORMAT[=PATH]", help_heading = "Output")]
    targets: Vec<ReportTarget>,
}

impl ReportArgs {
    /// Writes `report` in every form asked for. People always get theirs, unless another format
    /// goes to standard output.
    pub(crate) fn write(&self, report: &Report) -> Result<(), Failure> {
        let style = output::style();
        let mut shown = Vec::new();
        if self.targets.iter().all(|target| target.path.is_some()) {
            shown.extend(Format::Human.render(report, style).into_bytes());
        }
        for target in &self.targets {
            target.write(report, style, &mut shown).or_could_not_judge()?;
        }
        output::show(&shown)
    }

    /// Fails early where a report could not be written later, before the work is done.
    pub(crate) fn check_writable(&self) -> Result<(), Failure> {
        self.targets.iter().filter_map(|target| target.path.as_deref()).try_for_each(check_writable)
    }
}

/// Fails when no file can be made at `path`.
pub(crate) fn check_writable(path: &Path) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if path.is_dir() {
        return Err(anyhow!("cannot write {}: it is a folder", path.display()))
            .or_could_not_judge();
    }
    tempfile::tempfile_in(folder)
        .with_context(|| {
            format!("cannot write {}: no file can be made in that folder", path.display())
        })
        .or_could_not_judge()?;
    Ok(())
}

/// What there is to judge.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    /// Captured telemetry: files, folders, or `-` for standard input.
    pub(crate) captures: &'a [PathBuf],
    /// The truth.
    pub(crate) ledger: Option<&'a Path>,
    /// What the load generator did.
    pub(crate) load: Option<Load>,
}

/// Judges `evidence`.
pub(crate) fn judge(
    configuration: Configuration,
    evidence: Evidence<'_>,
) -> Result<Report, Failure> {
    let captures = Captures::new(evidence.captures).or_could_not_judge()?;
    let mut judge = Judge::new(configuration.settings);
    if let Some(path) = evidence.ledger {
        read_ledger(path, &mut judge)
            .with_context(|| format!("cannot read the ledger {}", path.display()))
            .or_could_not_judge()?;
    }
    let judge = captures.judge(judge).or_could_not_judge()?;
    let judgement = judge.finish();
    let traces = captures.excerpts(judgement.excerpts()).or_could_not_judge()?;
    let verdict = verdict(
        judgement.telemetry.is_empty(),
        judgement.findings.iter().map(|group| group.level),
        configuration.fail_on,
    );
    let cost =
        judgement.join.is_some().then(|| cost(&judgement.calls_by_model, &PriceTable::built_in()));
    Ok(Report {
        version: REPORT_VERSION,
        verdict,
        fail_on: configuration.fail_on,
        semconv: judgement.semconv,
        load: evidence.load,
        telemetry: judgement.telemetry,
        join: judgement.join,
        findings: judgement.findings,
        usage: judgement.usage,
        cost,
        rules: judgement.rules,
        traces,
        truth: judgement.truth,
        coverage: judgement.coverage,
    })
}

/// Captured telemetry that can be read twice: to judge, and to show what was found in its traces.
struct Captures {
    sources: Vec<Source>,
    /// What came from standard input; gone when this is.
    _spool: Option<NamedTempFile>,
}

impl Captures {
    fn new(paths: &[PathBuf]) -> anyhow::Result<Captures> {
        let mut sources: Vec<Source> =
            paths.iter().map(|path| Source::from(path.as_path())).collect();
        let mut spool = None;
        // There is but one standard input, however often it is named: further ones are at its end.
        if let Some(stdin) = sources.iter_mut().find(|source| **source == Source::Stdin) {
            let mut file =
                NamedTempFile::new().context("cannot make a temporary file for standard input")?;
            io::copy(&mut io::stdin().lock(), &mut file).context("cannot keep standard input")?;
            *stdin = Source::Spooled(file.path().to_owned());
            spool = Some(file);
        }
        Ok(Captures { sources, _spool: spool })
    }

    fn judge(&self, judge: Judge) -> Result<Judge, ReadError> {
        let mut reader = Reader::new(self.sources.iter().cloned())?;
        parts::take_in(judge, std::iter::from_fn(|| reader.next_record()), parts::threads())
    }

    fn read(&self, each: &mut dyn FnMut(Export)) -> Result<(), ReadError> {
        for export in Reader::new(self.sources.iter().cloned())? {
            each(export?);
        }
        Ok(())
    }

    fn excerpts(&self, mut excerpts: Excerpts) -> Result<Vec<TraceExcerpt>, ReadError> {
        if !excerpts.is_empty() {
            self.read(&mut |export| {
                if let Export::Traces(request) = export {
                    excerpts.traces(&request);
                }
            })?;
        }
        Ok(excerpts.finish())
    }
}

/// Judges, reports, and says how it ended.
pub(crate) fn judge_and_report(
    configuration: Configuration,
    evidence: Evidence<'_>,
    reports: &ReportArgs,
) -> Result<Outcome, Failure> {
    let report = judge(configuration, evidence)?;
    reports.write(&report)?;
    Ok(Outcome::of(&report))
}

fn read_ledger(path: &Path, judge: &mut Judge) -> anyhow::Result<()> {
    let lines = BufReader::new(File::open(path)?).lines();
    let mut begun = false;
    for (index, line) in lines.enumerate() {
        let line = line?;
        let record: Record = serde_json::from_str(&line)
            .with_context(|| format!("line {} is not a ledger record", index + 1))?;
        match &record {
            Record::Run(run) if run.version != LEDGER_VERSION => bail!(
                "it is of version {}, this spanproof reads version {LEDGER_VERSION}",
                run.version
            ),
            Record::Run(_) => begun = true,
            Record::Exchange(_) if !begun => {
                bail!("it does not begin with a record of the run; was its head cut off?")
            }
            Record::Exchange(_) => {}
        }
        judge.ledger(record);
    }
    if !begun {
        bail!("it is empty; `spanproof mock --ledger FILE` writes one");
    }
    Ok(())
}

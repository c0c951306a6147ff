//! From files to a report: read the ledger, read the captures, judge, price, and write what was
//! asked for.

mod ledger;
pub mod parts;

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use conformance::capture::{Export, ReadError, Reader, Source, Writer};
use conformance::report::{Format, ReportTarget};
use conformance::snapshot::{Snapshot, Withheld};
use conformance::tempo;
use conformance_core::behaviour::Behaviour;
use conformance_core::{Excerpts, Judge, Redaction, Settings};
use spanproof_schemas::ledger::Record;
use spanproof_schemas::price::PriceTable;
use spanproof_schemas::report::{Load, REPORT_VERSION, Report, TraceExcerpt};
use tempfile::NamedTempFile;

pub(crate) use self::ledger::Ledger;
use crate::configuration::Configuration;
use crate::cost::cost;
use crate::exit::{Failure, OrFail as _, Outcome, verdict};
use crate::output;
use crate::snapshot::Kept;

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

    /// Whether one of them is a page for people.
    pub(crate) fn has_page(&self) -> bool {
        self.targets.iter().any(|target| target.format == Format::Html)
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
    /// Traces to fetch.
    pub(crate) tempo: Option<tempo::Query>,
    /// The truth.
    pub(crate) ledger: Option<&'a Path>,
    /// The snapshot to compare with.
    pub(crate) snapshot: Option<Kept<'a>>,
    /// How the command behaved with instrumentation and without.
    pub(crate) behaviour: Option<Behaviour>,
    /// What the load generator did.
    pub(crate) load: Option<Load>,
    /// Whether it is all that was to be captured, so that what is not in it is not there.
    pub(crate) is_whole: bool,
}

/// Judges `evidence`.
pub(crate) fn judge(
    configuration: Configuration,
    evidence: Evidence<'_>,
) -> Result<Report, Failure> {
    let captures =
        Captures::new(evidence.captures, evidence.tempo.as_ref()).or_could_not_judge()?;
    let withholds_content = configuration.settings.redaction != Redaction::ContentAllowed;
    let mut judge = Judge::new(configuration.settings);
    let mut ledger = evidence.ledger.map(Ledger::open).transpose().or_could_not_judge()?;
    if let Some(ledger) = &ledger {
        judge.ledger(Record::Run(ledger.run().clone()));
    }
    let judge = captures.judge(judge, ledger.as_mut().into_iter().flatten());
    // What is wrong with the ledger is told first: the judge did not see all of it.
    ledger.map_or(Ok(()), Ledger::finish).or_could_not_judge()?;
    let mut judge = judge.or_could_not_judge()?;
    if let Some(behaviour) = &evidence.behaviour {
        judge.behaviour(behaviour);
    }
    if let Some(kept) = evidence.snapshot {
        let planted = judge.planted().map(str::to_owned).collect();
        let taken = captures
            .snapshot(Withheld { content: withholds_content, planted })
            .or_could_not_judge()?;
        judge.snapshot(&kept.settle(&taken).or_could_not_judge()?);
    }
    let judgement = judge.finish();
    let captured_nothing = judgement.telemetry.is_empty();
    let is_whole = evidence.is_whole && !captured_nothing;
    let deviations = configuration.expected.deviations(&judgement, is_whole);
    if is_whole {
        configuration.expected.write_baseline(&judgement, configuration.fail_on)?;
    }
    let traces = captures.excerpts(judgement.excerpts()).or_could_not_judge()?;
    let verdict = verdict(
        captured_nothing,
        judgement.findings.iter().map(|group| group.level),
        configuration.fail_on,
        deviations.iter().any(|deviation| deviation.problem.is_some()),
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
        deviations,
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
    /// What came from elsewhere than a file; gone when these are.
    _spools: Vec<NamedTempFile>,
}

impl Captures {
    fn new(paths: &[PathBuf], tempo: Option<&tempo::Query>) -> anyhow::Result<Captures> {
        let mut sources: Vec<Source> =
            paths.iter().map(|path| Source::from(path.as_path())).collect();
        let mut spools = Vec::new();
        // There is but one standard input, however often it is named: further ones are at its end.
        if let Some(stdin) = sources.iter_mut().find(|source| **source == Source::Stdin) {
            let mut file =
                NamedTempFile::new().context("cannot make a temporary file for standard input")?;
            io::copy(&mut io::stdin().lock(), &mut file).context("cannot keep standard input")?;
            *stdin = Source::Spooled(file.path().to_owned());
            spools.push(file);
        }
        if let Some(query) = tempo {
            let file = fetched(query)?;
            sources.push(Source::Path(file.path().to_owned()));
            spools.push(file);
        }
        Ok(Captures { sources, _spools: spools })
    }

    fn judge(
        &self,
        judge: Judge,
        ledger: impl Iterator<Item = Record> + Send,
    ) -> Result<Judge, ReadError> {
        let mut reader = Reader::new(self.sources.iter().cloned())?;
        let records = std::iter::from_fn(|| reader.next_record());
        parts::take_in(judge, records, ledger, parts::threads())
    }

    fn read(&self, each: &mut dyn FnMut(Export)) -> Result<(), ReadError> {
        for export in Reader::new(self.sources.iter().cloned())? {
            each(export?);
        }
        Ok(())
    }

    fn snapshot(&self, withheld: Withheld) -> Result<Snapshot, ReadError> {
        let mut snapshot = Snapshot::new(withheld);
        self.read(&mut |export| snapshot.add(export))?;
        Ok(snapshot)
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

/// A capture of the traces that `query` finds. Says where its limit left some out.
fn fetched(query: &tempo::Query) -> anyhow::Result<NamedTempFile> {
    let file = NamedTempFile::new().context("cannot make a temporary file for traces")?;
    let mut writer = Writer::create(file.path())?;
    let mut written = Ok(());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let fetched = runtime.block_on(tempo::fetch(query, &mut |export| {
        if written.is_ok() {
            written = writer.write_export(&export);
        }
    }))?;
    written.and_then(|()| writer.flush()).context("cannot keep the traces")?;
    if fetched.has_more {
        output::complain(&format!(
            "note: judged {} traces; more match, and `--limit` left them out",
            fetched.traces
        ));
    }
    Ok(file)
}

/// How many GenAI spans there are in a capture.
pub(crate) fn gen_ai_spans(capture: &Path) -> anyhow::Result<u64> {
    let captures = Captures::new(&[capture.to_owned()], None)?;
    let judge = captures.judge(Judge::new(Settings::default()), std::iter::empty())?;
    Ok(judge.finish().telemetry.gen_ai_spans)
}

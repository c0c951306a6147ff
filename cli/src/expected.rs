//! What a run is expected to find: the deviations of the configuration, and the baseline.

mod baseline;
mod problem;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::bail;
use conformance_core::{Baseline, Expectations, Expected, Judgement};
use spanproof_schemas::baseline::{BASELINE_VERSION, Baseline as BaselineFile, Counted};
use spanproof_schemas::report::{Deviation, DeviationSource, Level};

use crate::configuration::{Entries, Entry};
use crate::exit::{Failure, OrFail as _};
use crate::judging::check_writable;
use crate::output;
use problem::problem;

/// What the command line says about what is expected.
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct ExpectedArgs {
    /// Compare with the findings counted in this file: new ones, more and fewer fail the run
    #[arg(long, value_name = "FILE", help_heading = "Expected deviations")]
    baseline: Option<PathBuf>,
    /// Write what is found to the baseline, in place of what it counts
    #[arg(long, help_heading = "Expected deviations")]
    update_baseline: bool,
    /// Only part of what is usually run was run: let expectations that are not met pass
    #[arg(long, conflicts_with = "update_baseline", help_heading = "Expected deviations")]
    partial: bool,
    /// Take this day for today, when it is asked whether an expected deviation has expired
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, help_heading = "Expected deviations")]
    today: Option<String>,
}

/// The expected deviations of a configuration file, and the baseline that it names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configured {
    /// The file, as it was named.
    pub(crate) file: PathBuf,
    pub(crate) entries: Entries,
    pub(crate) baseline: Option<PathBuf>,
}

/// What a run is expected to find.
#[derive(Debug, Default)]
pub(crate) struct Expectation {
    file: String,
    entries: Vec<Entry>,
    today: String,
    is_partial: bool,
    baseline: Option<Compared>,
}

/// A baseline, as it is used.
#[derive(Debug)]
struct Compared {
    path: PathBuf,
    /// The line of each kind of finding; nothing where the baseline is written anew.
    known: Option<(Vec<Counted>, Vec<u64>)>,
}

impl ExpectedArgs {
    /// What `configured` and these expect of a run that fails at `fail_on`.
    pub(crate) fn expectation(
        &self,
        configured: Configured,
        fail_on: Level,
    ) -> anyhow::Result<Expectation> {
        let Configured { file, entries, baseline } = configured;
        let path = self.baseline.clone().or(baseline);
        let baseline = match path {
            None if self.update_baseline => bail!(
                "--update-baseline does not know which: add --baseline FILE, or the key `baseline` \
                 to spanproof.toml"
            ),
            None => None,
            Some(path) if self.update_baseline => Some(Compared { path, known: None }),
            Some(path) => {
                let known = Some(baseline::read(&path, fail_on)?);
                Some(Compared { path, known })
            }
        };
        Ok(Expectation {
            file: file.display().to_string(),
            entries: entries.0,
            today: self.today.clone().unwrap_or_else(today),
            is_partial: self.partial,
            baseline,
        })
    }
}

impl Expectation {
    /// What the judge is told.
    pub(crate) fn for_judge(&self, fail_on: Level) -> Expectations {
        let counted = |compared: &Compared| compared.known.as_ref().map(|(known, _)| known.clone());
        Expectations {
            deviations: self.entries.iter().map(|entry| entry.expectation(&self.today)).collect(),
            baseline: self
                .baseline
                .as_ref()
                .map(|compared| Baseline { least: fail_on, counted: counted(compared) }),
        }
    }

    /// Fails early where the baseline could not be written later.
    pub(crate) fn check_writable(&self) -> Result<(), Failure> {
        match &self.baseline {
            Some(Compared { path, known: None }) => check_writable(path),
            _ => Ok(()),
        }
    }

    /// What became of everything that is expected, for the report. `is_whole` is false where the
    /// run broke off or captured nothing: what is not met then proves nothing.
    pub(crate) fn deviations(&self, judgement: &Judgement, is_whole: bool) -> Vec<Deviation> {
        let lets_pass = self.is_partial || !is_whole;
        let entries = self.entries.iter().zip(&judgement.deviations);
        let entries = entries.map(|(entry, expected)| self.of_entry(entry, expected));
        let lines = self.baseline.iter().flat_map(|compared| {
            judgement
                .baseline
                .iter()
                .enumerate()
                .map(|(at, (counted, expected))| of_line(compared, at, counted, expected))
        });
        let mut all: Vec<Deviation> = entries.chain(lines).collect();
        for deviation in &mut all {
            deviation.problem = problem(deviation, lets_pass);
        }
        all
    }

    /// Writes the baseline, if it is to be written.
    pub(crate) fn write_baseline(
        &self,
        judgement: &Judgement,
        fail_on: Level,
    ) -> Result<(), Failure> {
        let Some(Compared { path, known: None }) = &self.baseline else { return Ok(()) };
        let findings: Vec<Counted> =
            judgement.baseline.iter().map(|(counted, _)| counted.clone()).collect();
        let kinds = findings.len();
        let count: u64 = findings.iter().map(|counted| counted.count).sum();
        let file = BaselineFile { version: BASELINE_VERSION, fail_on, findings };
        baseline::write(path, &file).or_could_not_judge()?;
        let shown = path.display();
        output::complain(&format!("wrote the baseline {shown}: {count} findings of {kinds} kinds"));
        if kinds == Baseline::MOST_KINDS {
            output::complain(&format!(
                "warning: a baseline counts no more than {kinds} kinds of finding; what else was \
                 found is in the report"
            ));
        }
        Ok(())
    }

    fn of_entry(&self, entry: &Entry, expected: &Expected) -> Deviation {
        let matching = entry.matching.iter();
        Deviation {
            source: DeviationSource::Configuration,
            file: self.file.clone(),
            line: entry.line,
            rule: entry.rule.clone(),
            matching: matching
                .map(|(facet, pattern)| (facet.as_str().to_owned(), pattern.clone()))
                .collect(),
            reason: Some(entry.reason.clone()),
            expires: entry.expires.clone(),
            least: entry.least,
            most: entry.most,
            found: expected.found,
            state: expected.state,
            problem: None,
            findings: expected.findings.clone(),
        }
    }
}

fn of_line(compared: &Compared, at: usize, counted: &Counted, expected: &Expected) -> Deviation {
    let Counted { rule, scope, span_type, metric, event, attribute, count, .. } = counted;
    let lines = compared.known.as_ref().map(|(_, lines)| lines.as_slice());
    let matching = [
        ("scope", scope),
        ("span-type", span_type),
        ("metric", metric),
        ("event", event),
        ("attribute", attribute),
    ];
    Deviation {
        source: DeviationSource::Baseline,
        file: compared.path.display().to_string(),
        // What is written anew has a line for each after the four of its head.
        line: lines.and_then(|lines| lines.get(at).copied()).unwrap_or(5 + at as u64),
        rule: rule.clone(),
        matching: matching
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
            .collect::<BTreeMap<_, _>>(),
        reason: None,
        expires: None,
        least: *count,
        most: Some(*count),
        found: expected.found,
        state: expected.state,
        problem: None,
        findings: expected.findings.clone(),
    }
}

/// The day that it is, in UTC.
fn today() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    now.split('T').next().unwrap_or_default().to_owned()
}

/// Reads a day, `2026-12-31`.
fn day(text: &str) -> Result<String, String> {
    match humantime::parse_rfc3339(&format!("{text}T00:00:00Z")) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("`{text}` is no day; write one such as 2026-12-31")),
    }
}

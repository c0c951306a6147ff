//! `spanproof.toml`: what a project always wants, so that it need not be said on each command line.

mod deviation;
mod listen;
mod mock;
mod quota;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use conformance_core::{Choice, Redaction, Settings};
use serde::Deserialize;
use spanproof_schemas::report::Level;
use toml::Spanned;

use crate::exit::{Failure, OrFail};
use crate::expected::{Configured, Expectation, ExpectedArgs};
use deviation::DeviationTable;
pub(crate) use deviation::{Entries, Entry};
pub(crate) use listen::Listen;
pub(crate) use mock::{AuthMode, MockTable};
pub(crate) use quota::QuotaTable;

/// The file that is read when `--config` names none.
const FILE_NAME: &str = "spanproof.toml";

/// The shape of the file. Unknown keys are errors, so that a typing mistake does not pass for a
/// setting.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    semconv: Option<String>,
    redaction: Option<String>,
    fail_on: Option<String>,
    #[serde(default)]
    reads_streams_to_end: bool,
    #[serde(default)]
    rules: BTreeMap<String, String>,
    /// `[[expected-deviations]]`
    #[serde(default)]
    expected_deviations: Vec<Spanned<DeviationTable>>,
    baseline: Option<PathBuf>,
    #[serde(default)]
    mock: MockTable,
    /// What the entries come to, with where they stand.
    #[serde(skip)]
    expected: Configured,
}

impl File {
    /// The file at `path`, whose whole text is `text`.
    fn parse(text: &str, path: &Path) -> anyhow::Result<File> {
        let mut file: File = toml::from_str(text)
            .with_context(|| format!("{} is not a configuration", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        file.expected = Configured {
            file: path.to_owned(),
            entries: Entries::read(std::mem::take(&mut file.expected_deviations), text, path)?,
            baseline: file.baseline.take().map(|baseline| folder.join(baseline)),
        };
        file.mock = file.mock.relative_to(folder);
        Ok(file)
    }
}

/// How to judge, from the file and from the command line, which wins.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// For the judge.
    pub(crate) settings: Settings,
    /// The lowest level that fails a run.
    pub(crate) fail_on: Level,
    /// What is expected to be found.
    pub(crate) expected: Expectation,
    /// How to serve.
    pub(crate) mock: MockTable,
}

/// What the command line says about judging.
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct JudgeArgs {
    /// Judge by this version of the semantic conventions, which `spanproof semconv list` lists, or
    /// `auto`: by the one each span speaks [default: auto]
    #[arg(long, value_name = "VERSION", help_heading = "Judging")]
    semconv: Option<String>,
    /// What may stand in telemetry for prompts and completions: `no-content`, `hash-only`,
    /// `marker`, `truncated(N)`, `content-allowed`, `events-only` or `external-reference`; see
    /// docs/redaction.md [default: no-content]
    #[arg(long, value_name = "POLICY", help_heading = "Judging")]
    redaction: Option<String>,
    /// The program reads every stream to its end, so that a span that tells nothing of the end is
    /// wrong. Without it, the program may have closed the stream
    #[arg(long, help_heading = "Judging")]
    reads_streams_to_end: bool,
    /// The lowest level that fails the run: violation, improvement or information
    /// [default: violation]
    #[arg(long, value_name = "LEVEL", help_heading = "Judging")]
    fail_on: Option<String>,
    /// Read settings from this file instead of `spanproof.toml` in the current folder
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    config: Option<PathBuf>,
    #[command(flatten)]
    expected: ExpectedArgs,
}

impl JudgeArgs {
    /// The file's settings, overridden by these.
    pub(crate) fn configuration(&self) -> Result<Configuration, Failure> {
        self.over(read(self.config.as_deref()).or_usage()?)
    }

    /// The settings of `file`, overridden by these.
    fn over(&self, file: File) -> Result<Configuration, Failure> {
        let pick = |given: &Option<String>, from_file: Option<String>, default: &str| {
            given.clone().or(from_file).unwrap_or_else(|| default.to_owned())
        };
        let mut settings = Settings::default();
        settings.semconv = semconv_choice(&pick(&self.semconv, file.semconv, "auto")).or_usage()?;
        settings.redaction =
            pick(&self.redaction, file.redaction, "no-content").parse::<Redaction>().or_usage()?;
        settings.reads_streams_to_end = self.reads_streams_to_end || file.reads_streams_to_end;
        let fail_on = pick(&self.fail_on, file.fail_on, "violation").parse::<Level>().or_usage()?;
        for (rule, wanted) in &file.rules {
            settings.set_level(rule, rule_level(wanted).or_usage()?).or_usage()?;
        }
        file.expected.entries.check(&settings, &file.expected.file).or_usage()?;
        let expected = self.expected.expectation(file.expected, fail_on).or_usage()?;
        settings.expectations = expected.for_judge(fail_on);
        Ok(Configuration { settings, fail_on, expected, mock: file.mock })
    }
}

/// Reads `text` as every verb reads `spanproof.toml` before its work.
///
/// # Errors
///
/// If it is not TOML, or a key or a value of it is unknown.
pub fn check_configuration(text: &str) -> anyhow::Result<()> {
    let mut file = File::parse(text, Path::new(FILE_NAME))?;
    // The baseline is a file of its own, and not read here.
    file.expected.baseline = None;
    let configuration = JudgeArgs::default().over(file).map_err(Failure::into_error)?;
    let quotas = &configuration.mock.quotas;
    quotas.iter().try_for_each(|quota| Ok(mock_bedrock::Quota::from(quota).validate()?))
}

/// The `[mock]` table of the file `named`, or of the one in the current folder.
pub(crate) fn mock_table(named: Option<&Path>) -> anyhow::Result<MockTable> {
    read(named).map(|file| file.mock)
}

fn read(named: Option<&Path>) -> anyhow::Result<File> {
    let path = match named {
        Some(path) => path,
        None if Path::new(FILE_NAME).exists() => Path::new(FILE_NAME),
        None => return Ok(File::default()),
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    File::parse(&text, path)
}

fn semconv_choice(text: &str) -> anyhow::Result<Choice> {
    if text == "auto" {
        return Ok(Choice::Auto);
    }
    Ok(Choice::Required(text.parse()?))
}

/// The level to give a rule; `None` turns it off.
fn rule_level(text: &str) -> anyhow::Result<Option<Level>> {
    if text == "off" { Ok(None) } else { Ok(Some(text.parse()?)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = toml::from_str::<File>("semcov = \"1.36.0\"").unwrap_err().to_string();
        assert!(error.contains("semcov"), "{error}");
    }

    #[test]
    fn the_policy_of_the_command_line_wins_over_that_of_the_file() {
        let file = || toml::from_str::<File>("redaction = \"truncated(64)\"").unwrap();
        let judged = |redaction: Option<&str>| {
            let redaction = redaction.map(str::to_owned);
            JudgeArgs { redaction, ..JudgeArgs::default() }.over(file()).unwrap().settings.redaction
        };
        assert_eq!(judged(None), Redaction::Truncated(64));
        assert_eq!(judged(Some("hash-only")), Redaction::HashOnly);
    }
}

//! Reports against the public schemas of their formats.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::super::test::succeed;

/// The formats that others have described.
const FORMATS: [(&str, &str); 3] = [("junit", "xml"), ("sarif", "sarif"), ("html", "html")];

/// One entry takes everything, so that the other is stale.
const EXPECTED: &str = "[[expected-deviations]]\nrule = \"*\"\nreason = \"known & <named>\"\n\n\
                        [[expected-deviations]]\nrule = \"redaction/*\"\nreason = \"old\"\n";

/// Freshly written reports are what the schema of SARIF, the schema of Jenkins for JUnit XML and
/// the Nu Html Checker ask for: of a load that conforms, of one with findings of all kinds, of one
/// whose findings are expected, and of a run that captured nothing.
pub(crate) fn public_schemas(root: &Path) -> Result<()> {
    let reports = tempfile::tempdir()?;
    let nothing = reports.path().join("nothing.jsonl");
    fs::write(&nothing, "{\"resourceSpans\":[]}\n")?;
    let nothing = nothing.to_str().context("a temporary folder with an odd name")?;
    let kept = ["--capture", "capture.otlp", "--ledger", "ledger.jsonl"];
    let load = [&["load", "--calls", "200", "--speed", "max"], &kept[..]].concat();
    write(reports.path(), "conforms", 0, &load)?;
    // The same, judged by a version that the client does not speak.
    let check = ["check", "capture.otlp", "--ledger", "ledger.jsonl", "--semconv", "1.36.0"];
    write(reports.path(), "findings", 1, &check)?;
    fs::write(reports.path().join("expected.toml"), EXPECTED)?;
    let expected = [&check[..], &["--config", "expected.toml"]].concat();
    write(reports.path(), "expected", 1, &expected)?;
    write(reports.path(), "nothing", 4, &["check", nothing])?;

    let folder = root.join("clients/node/reports");
    succeed(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    succeed(Command::new("node").arg(folder.join("check.mjs")).arg(reports.path()))
}

/// Runs the verb and arguments `words` of this very program, which end with `code`, for a report in
/// every format.
fn write(folder: &Path, name: &str, code: i32, words: &[&str]) -> Result<()> {
    let (verb, rest) = words.split_first().context("no verb")?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(verb);
    for (format, extension) in FORMATS {
        let path = folder.join(format!("{name}.{extension}"));
        command.arg(format!("--report={format}={}", path.display()));
    }
    let status = command.args(rest).current_dir(folder).status()?;
    anyhow::ensure!(status.code() == Some(code), "{words:?} ended with {status}, not {code}");
    Ok(())
}

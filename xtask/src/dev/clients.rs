//! The clients in other languages, end to end: their SDKs against the mock, their telemetry
//! against the rules.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use spanproof_schemas::ledger::{Exchange, Record, Usage};
use spanproof_schemas::speed::Speed;

/// What an SDK made of one answer, as the check programs print it.
#[derive(Debug, Deserialize)]
struct Parsed {
    operation: String,
    model: String,
    #[serde(default)]
    request_id: String,
    usage: Option<Usage>,
    stop_reason: Option<String>,
    error: Option<String>,
}

/// boto3, and the AWS SDK for JavaScript with its default h2c client, complete every operation, and
/// parse the usage and stop reason that the ledger says were served.
pub(crate) fn fidelity(root: &Path) -> Result<()> {
    let python = python_environment(root, "fidelity")?;
    let folder = root.join("clients/python/fidelity");
    let mut boto3 = Command::new(python.join("python"));
    boto3.arg(folder.join("check.py")).env("PYTHONPATH", root.join("clients/python"));
    compare_with_ledger("boto3", boto3)?;

    let folder = root.join("clients/node/fidelity");
    succeed(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    let mut node = Command::new("node");
    node.arg(folder.join("check.mjs"));
    compare_with_ledger("AWS SDK for JavaScript", node)
}

fn compare_with_ledger(sdk: &str, mut program: Command) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.jsonl");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let printed = runtime.block_on(async {
        let ledger = mock_bedrock::JsonLines::create(&path)?;
        let config = mock_bedrock::Config { speed: Speed::Max, ..mock_bedrock::Config::default() };
        let server = mock_bedrock::Server::start(config, ledger)?;
        program
            .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.endpoint())
            .env("AWS_ACCESS_KEY_ID", "spanproof")
            .env("AWS_SECRET_ACCESS_KEY", "spanproof")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1");
        let output = tokio::task::spawn_blocking(move || program.output()).await?;
        server.shutdown().await?;
        let output = output.with_context(|| format!("cannot start the check of {sdk}"))?;
        anyhow::Ok(String::from_utf8(output.stdout)?)
    })?;
    let served = exchanges(&path)?;
    let mut checked = 0;
    for line in printed.lines() {
        let parsed: Parsed = serde_json::from_str(line).with_context(|| line.to_owned())?;
        if let Some(error) = &parsed.error {
            bail!("{sdk} failed on {} of {}: {error}", parsed.operation, parsed.model);
        }
        let exchange = served
            .get(&parsed.request_id)
            .with_context(|| format!("{sdk}: no exchange {} in the ledger", parsed.request_id))?;
        ensure!(
            parsed.usage == Some(exchange.usage) && parsed.stop_reason == exchange.stop_reason,
            "{sdk} parsed {parsed:?}, the ledger has {:?} and {:?}",
            exchange.usage,
            exchange.stop_reason
        );
        checked += 1;
    }
    ensure!(checked == served.len() && checked > 0, "{sdk}: {checked} of {} calls", served.len());
    println_line(&format!("{sdk}: {checked} calls, usage and stop reasons as served"))
}

fn exchanges(ledger: &Path) -> Result<HashMap<String, Exchange>> {
    let mut exchanges = HashMap::new();
    for line in fs::read_to_string(ledger)?.lines() {
        if let Record::Exchange(exchange) = serde_json::from_str(line)? {
            exchanges.insert(exchange.request_id.clone(), *exchange);
        }
    }
    Ok(exchanges)
}

/// The folder of programs of a Python client's environment, made on first use.
fn python_environment(root: &Path, client: &str) -> Result<PathBuf> {
    let lock = root.join("clients/python").join(client).join("requirements.lock");
    let environment = loadgen::external::environment::python(&lock, &mut |line| {
        let _ = println_line(line);
    })?;
    Ok(environment.programs())
}

/// Runs `spanproof` with `arguments` in this process's own binary; its exit code and its report.
fn spanproof(arguments: &[&OsStr]) -> Result<(Option<i32>, Value)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("report.json");
    let mut report = std::ffi::OsString::from("json=");
    report.push(&path);
    let (verb, rest) = arguments.split_first().context("no verb")?;
    let status = Command::new(std::env::current_exe()?)
        .arg(verb)
        .arg("--report")
        .arg(report)
        .args(rest)
        .status()?;
    let text = fs::read_to_string(&path).with_context(|| format!("no report; ended with {status}"))?;
    Ok((status.code(), serde_json::from_str(&text)?))
}

fn strings<'a>(words: &'a str) -> Vec<&'a OsStr> {
    words.split_whitespace().map(OsStr::new).collect()
}

/// The rule ids of the findings of a report at or above `level`.
fn rules(report: &Value, levels: &[&str]) -> Vec<String> {
    report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|group| levels.iter().any(|level| group["level"] == *level))
        .filter_map(|group| group["rule"].as_str().map(str::to_owned))
        .collect()
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

fn println_line(line: &str) -> Result<()> {
    use std::io::Write as _;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

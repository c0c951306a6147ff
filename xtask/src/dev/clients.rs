//! The clients in other languages, end to end: their SDKs against the mock, their telemetry
//! against the rules.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use anyhow::{Context as _, Result, bail, ensure};
use loadgen::external::{Environment, Manifest, Requirements, clients_dir, home_dir};
use serde::Deserialize;
use serde_json::Value;
use spanproof_schemas::ledger::{Exchange, Record, Usage};
use spanproof_schemas::speed::Speed;

use super::say;
use super::test::succeed;

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
    let folder = root.join("clients/python/fidelity");
    let environment = prepare(&Requirements {
        name: "python/fidelity".to_owned(),
        lock: folder.join("requirements.lock"),
        minimum_version: "3.10".parse().map_err(anyhow::Error::msg)?,
    })?;
    let mut boto3 = Command::new(environment.programs.join("python"));
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
    say(&mut io::stdout(), &[format!("{sdk}: {checked} calls, usage and stop reasons as served")]);
    Ok(())
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

/// The released instrumentation has the faults that it has, and is not blamed for others.
pub(crate) fn genai_bedrock(_root: &Path) -> Result<()> {
    let judged = Judged::run(&["load", "--client", "python/genai-bedrock", "--calls", "200"])?;
    judged.expect_code(1)?;
    // It states the service's input count, without the cached tokens, and names the tokens written
    // to the cache as no released version does.
    judged.expect_found(&["usage/input-tokens", "naming/unknown-attribute"])?;
    judged.expect_joined(200)?;
    // Under an older version its metrics and attributes are not known at all.
    let older = Judged::run(&[
        "load",
        "--client",
        "python/genai-bedrock",
        "--calls",
        "50",
        "--semconv",
        "1.36.0",
    ])?;
    older.expect_code(1)?;
    older.expect_found(&["naming/unknown-metric", "naming/unknown-attribute"])
}

/// The hand-written wrapper, judged by a version that it does not speak and by one that it does.
pub(crate) fn article(_root: &Path) -> Result<()> {
    let load = ["load", "--client", "python/article", "--calls", "200", "--semconv"];
    let newer = Judged::run(&[&load[..], &["1.41.1"]].concat())?;
    newer.expect_code(1)?;
    newer.expect_attribute("deprecation/attribute", "gen_ai.system")?;
    newer.expect_attribute("presence/required-attribute", "gen_ai.provider.name")?;
    newer.expect_found(&["naming/span-name", "status/error-type"])?;
    newer.expect_joined(200)?;

    let older = Judged::run(&[&load[..], &["1.36.0"]].concat())?;
    older.expect_code(1)?;
    older.expect_found(&["naming/span-name", "status/error-type"])?;
    ensure!(!older.names("gen_ai.system"), "gen_ai.system is reported against 1.36.0");

    let leaking = Judged::run(&[&load[..], &["1.36.0", "--content"]].concat())?;
    leaking.expect_code(1)?;
    leaking.expect_found(&["redaction/content-leak"])
}

/// An ordinary boto3 program, under the command that its users type.
pub(crate) fn unchanged_program(root: &Path) -> Result<()> {
    let clients = clients_dir()?;
    let manifest = Manifest::load(&clients, "python/genai-bedrock")?;
    let environment = prepare(&manifest.requirements())?;
    let instrument = environment.programs.join("opentelemetry-instrument");
    let python = environment.programs.join("python");
    let program = root.join("clients/python/examples/boto3_chat.py");
    let command = [&instrument, &python, &program].map(|path| path.display().to_string());
    let judged = Judged::run(&["run", "--", &command[0], &command[1], &command[2]])?;
    judged.expect_joined(3)
}

/// The environment of `requirements`, made on first use.
fn prepare(requirements: &Requirements) -> Result<Environment> {
    let home = home_dir(&clients_dir()?);
    Ok(Environment::prepare(requirements, &home, &mut |line| {
        say(&mut io::stdout(), &[line.to_owned()]);
    })?)
}

/// A run of this very program, and the report it wrote.
struct Judged {
    code: Option<i32>,
    report: Value,
}

impl Judged {
    /// Runs the verb and arguments `words`.
    fn run(words: &[&str]) -> Result<Judged> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("report.json");
        let (verb, rest) = words.split_first().context("no verb")?;
        let status = Command::new(std::env::current_exe()?)
            .arg(verb)
            .arg(format!("--report=json={}", path.display()))
            .args(rest)
            .status()?;
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{words:?} wrote no report and ended with {status}"))?;
        Ok(Judged { code: status.code(), report: serde_json::from_str(&text)? })
    }

    fn expect_code(&self, code: i32) -> Result<()> {
        ensure!(self.code == Some(code), "ended with {:?}, not {code}", self.code);
        Ok(())
    }

    /// Each of `rules` found something.
    fn expect_found(&self, rules: &[&str]) -> Result<()> {
        for rule in rules {
            ensure!(self.groups().any(|group| group["rule"] == *rule), "{rule} found nothing");
        }
        Ok(())
    }

    /// `rule` found something about `attribute`.
    fn expect_attribute(&self, rule: &str, attribute: &str) -> Result<()> {
        let about = |group: &Value| {
            group["rule"] == rule && group.to_string().contains(&format!("\"{attribute}\""))
        };
        ensure!(self.groups().any(about), "{rule} found nothing about {attribute}");
        Ok(())
    }

    /// Every one of `calls` calls has its span, and every span its call.
    fn expect_joined(&self, calls: u64) -> Result<()> {
        let join = &self.report["join"];
        ensure!(
            join["calls"] == calls && join["matched"] == calls && join["unmatched_spans"] == 0,
            "not every one of {calls} calls is joined: {join}"
        );
        Ok(())
    }

    /// Whether any finding is about `attribute`.
    fn names(&self, attribute: &str) -> bool {
        self.groups().any(|group| group.to_string().contains(&format!("\"{attribute}\"")))
    }

    fn groups(&self) -> impl Iterator<Item = &Value> {
        self.report["findings"].as_array().into_iter().flatten()
    }
}

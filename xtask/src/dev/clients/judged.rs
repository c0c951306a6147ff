//! The telemetry of clients in other languages, judged by the rules.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use loadgen::external::{Manifest, clients_dir};
use serde_json::Value;

use super::super::matrix;
use super::super::test::succeed;
use super::prepare;

/// The released instrumentation has the faults that it has, and is not blamed for others.
pub(crate) fn genai_bedrock(_root: &Path) -> Result<()> {
    let judged = Judged::run(&["load", "--client", "python/genai-bedrock", "--calls", "200"])?;
    judged.expect_code(1)?;
    // It states the service's input count, without the cached tokens, and names the tokens written
    // to the cache as no released version does.
    judged.expect_found(&["usage/input-tokens", "naming/unknown-attribute"])?;
    judged.expect_found(&["resource/schema-url"])?;
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
    // That it speaks an older version is one finding; the rest is judged by what it speaks.
    newer.expect_found(&["resource/dialect", "naming/span-name", "status/error-type"])?;
    ensure!(!newer.found("deprecation/attribute"), "an older dialect is a cascade of findings");
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

/// The released instrumentation leaves an application as it is, also one that leaves its streams.
pub(crate) fn well_behaved(root: &Path) -> Result<()> {
    let manifest = Manifest::load(&clients_dir()?, "python/genai-bedrock")?;
    let environment = prepare(&manifest.requirements())?;
    let instrument = environment.programs.join("opentelemetry-instrument").display().to_string();
    let python = environment.programs.join("python").display().to_string();
    let example = root.join("clients/python/examples/boto3_chat.py").display().to_string();
    let matrix = root.join("clients/matrix/python/matrix.py").display().to_string();
    for program in [&[&*example][..], &[&*matrix, "closed", "ConverseStream"]] {
        let run = [&COMPARED[..], &[&instrument, &python]].concat();
        Judged::run(&[&run, program].concat())?.expect_same_behaviour()?;
    }
    Ok(())
}

/// How a command is compared with itself.
const COMPARED: [&str; 3] = ["run", "--compare-uninstrumented", "--"];

/// An instrumentation for JavaScript, loaded by an option of the command and by `NODE_OPTIONS`, is
/// left out of the runs that it is compared with, and leaves the application as it is.
pub(crate) fn well_behaved_node(_root: &Path) -> Result<()> {
    let library = matrix::prepared("aws-sdk")?;
    let cell = ["node/matrix.cjs", "plain", "ConverseStream"];
    let preload = "--require ../node/instrument.cjs";
    let by_option: Vec<&str> = ["node"].into_iter().chain(preload.split(' ')).collect();
    let by_variable = [("NODE_OPTIONS", preload)];
    for (node, variables) in [(&by_option[..], &[][..]), (&["node"], &by_variable)] {
        let words = [&COMPARED[..], node, &cell].concat();
        let judged = Judged::with(&words, |command| {
            command.current_dir(&library.folder).envs(library.environment.iter().cloned());
            command.envs(variables.iter().copied());
        })?;
        judged.expect_same_behaviour()?;
        judged.expect_joined(1)?;
    }
    Ok(())
}

/// The same of the agent for Java, loaded by an option of the command and by `JAVA_TOOL_OPTIONS`.
pub(crate) fn well_behaved_java(root: &Path) -> Result<()> {
    let folder = root.join("clients/java/behaviour");
    let mut build = Command::new("mvn");
    build.args(["--batch-mode", "--quiet", "--no-transfer-progress", "-Dstyle.color=never"]);
    build.args(["compile", "dependency:copy-dependencies"]);
    // The agent by a name without a version.
    build.args(["-DoutputDirectory=target/lib", "-Dmdep.stripVersion=true"]);
    succeed(build.current_dir(&folder))?;
    let agent = "-javaagent:target/lib/opentelemetry-javaagent.jar";
    let program = ["-cp", "target/classes:target/lib/*", "spanproof.Chat"];
    let by_variable = [("JAVA_TOOL_OPTIONS", agent)];
    for (java, variables) in [(&["java", agent][..], &[][..]), (&["java"], &by_variable)] {
        let words = [&COMPARED[..], java, &program].concat();
        let judged = Judged::with(&words, |command| {
            command.current_dir(&folder).envs(variables.iter().copied());
        })?;
        judged.expect_same_behaviour()?;
        judged.expect_joined(2)?;
    }
    Ok(())
}

/// A run of this very program, and the report it wrote.
pub(super) struct Judged {
    code: Option<i32>,
    pub(super) report: Value,
}

impl Judged {
    /// Runs the verb and arguments `words`.
    pub(super) fn run(words: &[&str]) -> Result<Judged> {
        Judged::with(words, |_| {})
    }

    /// Runs them where and with what `set` says.
    fn with(words: &[&str], set: impl FnOnce(&mut Command)) -> Result<Judged> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("report.json");
        let (verb, rest) = words.split_first().context("no verb")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(verb).arg(format!("--report=json={}", path.display())).args(rest);
        set(&mut command);
        let status = command.status()?;
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{words:?} wrote no report and ended with {status}"))?;
        Ok(Judged { code: status.code(), report: serde_json::from_str(&text)? })
    }

    fn expect_code(&self, code: i32) -> Result<()> {
        ensure!(self.code == Some(code), "ended with {:?}, not {code}", self.code);
        Ok(())
    }

    /// Every rule about behaviour looked, and found nothing.
    fn expect_same_behaviour(&self) -> Result<()> {
        let rules = self.report["rules"].as_array().into_iter().flatten();
        let own =
            |rule: &&Value| rule["id"].as_str().is_some_and(|id| id.starts_with("behaviour/"));
        let mut looked = 0;
        for rule in rules.filter(own) {
            let is_passed = rule["state"] == "checked" && rule["findings"] == 0;
            ensure!(is_passed, "{} is {}", rule["id"], rule["state"]);
            looked += 1;
        }
        ensure!(looked > 0, "no rule about behaviour is in the report");
        Ok(())
    }

    /// Each of `rules` found something.
    fn expect_found(&self, rules: &[&str]) -> Result<()> {
        for rule in rules {
            ensure!(self.found(rule), "{rule} found nothing");
        }
        Ok(())
    }

    /// Whether `rule` found something.
    fn found(&self, rule: &str) -> bool {
        self.groups().any(|group| group["rule"] == rule)
    }

    /// How often `rule` found something.
    pub(super) fn count(&self, rule: &str) -> u64 {
        let of_rule = self.groups().filter(|group| group["rule"] == rule);
        of_rule.filter_map(|group| group["count"].as_u64()).sum()
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

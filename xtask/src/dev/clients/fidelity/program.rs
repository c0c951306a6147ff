//! The clients' programs, made ready to run.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use loadgen::external::{Language, Requirements};

use super::super::super::test::succeed;
use super::super::prepare as prepare_python;

/// A client's program.
#[derive(Debug)]
pub(super) enum Prepared {
    /// It can run.
    Ready(Command),
    /// What it needs is not on this machine; what that is.
    Missing(String),
}

/// Installs what `client` needs, and gives its program.
///
/// # Errors
///
/// When it cannot be installed although the tools are there, or there is no such client.
pub(super) fn prepare(root: &Path, client: &str) -> Result<Prepared> {
    let tools: &[&str] = match client {
        "boto3" | "anthropic" | "raw" => &["python3"],
        "javascript" => &["node", "npm"],
        "java-sync" | "java-async" => &["java", "mvn"],
        "go" => &["go"],
        other => bail!("clients/fidelity.toml has a client `{other}` that nothing runs"),
    };
    if let Some(missing) = tools.iter().find(|tool| !is_on_path(tool)) {
        return Ok(Prepared::Missing(format!("`{missing}` is not on PATH; install it")));
    }
    let program = match client {
        "boto3" => python(root, "boto3_checks.py")?,
        "anthropic" => python(root, "anthropic_checks.py")?,
        "raw" => python(root, "shapes.py")?,
        "javascript" => javascript(root)?,
        "go" => go(root)?,
        java_client => java(root, java_client.trim_start_matches("java-"))?,
    };
    Ok(Prepared::Ready(program))
}

/// Every tool tells its version, each by its own flag; that it can be started is enough.
fn is_on_path(tool: &str) -> bool {
    let flag = if tool == "go" { "version" } else { "--version" };
    let silent = Command::new(tool).arg(flag).stdout(Stdio::null()).stderr(Stdio::null()).status();
    silent.is_ok_and(|status| status.success())
}

fn python(root: &Path, file: &str) -> Result<Command> {
    let folder = root.join("clients/python/fidelity");
    let environment = prepare_python(&Requirements {
        name: "python/fidelity".to_owned(),
        language: Language::Python,
        lock: folder.join("requirements.lock"),
        minimum_version: "3.10".parse().map_err(anyhow::Error::msg)?,
    })?;
    let mut program = Command::new(environment.programs.join("python"));
    program.arg(folder.join(file)).env("PYTHONPATH", root.join("clients/python"));
    Ok(program)
}

fn javascript(root: &Path) -> Result<Command> {
    let folder = root.join("clients/node/fidelity");
    succeed(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    let mut program = Command::new("node");
    program.arg(folder.join("check.mjs"));
    Ok(program)
}

fn go(root: &Path) -> Result<Command> {
    let folder = root.join("clients/go/fidelity");
    let binary = root.join(".spanproof/go/fidelity");
    // `go.sum` holds the hash of every module; nothing else is taken.
    let mut build = Command::new("go");
    build.args(["build", "-mod=readonly", "-o"]).arg(&binary).arg(".").current_dir(&folder);
    succeed(&mut build)?;
    Ok(Command::new(binary))
}

fn java(root: &Path, kind: &str) -> Result<Command> {
    let folder = root.join("clients/java/fidelity");
    let mut build = Command::new("mvn");
    build.args(["--batch-mode", "--quiet", "--no-transfer-progress", "-Dstyle.color=never"]);
    build.arg("compile");
    build.args(["dependency:copy-dependencies", "-DoutputDirectory=target/lib"]);
    succeed(build.current_dir(&folder))?;
    let mut program = Command::new("java");
    program.arg("-cp").arg("target/classes:target/lib/*").args(["spanproof.Fidelity", kind]);
    program.current_dir(folder);
    Ok(program)
}

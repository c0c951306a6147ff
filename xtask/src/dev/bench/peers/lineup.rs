//! Who is measured, and how each is had: versions are fixed, environments are made on first use
//! below `.spanproof/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dev::process::{Address, Launch, free_port};
use anyhow::{Context as _, Result, bail, ensure};
use loadgen::external::{Environment, Language, Requirements};

/// A server other than ours.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Makes its environment if need be, and tells how to start it.
    pub(super) prepare: fn(&Place) -> Result<Launch>,
}

/// Where environments are made and servers run.
pub(super) struct Place {
    /// Where environments are kept.
    pub(super) home: PathBuf,
    /// A folder of this run alone.
    pub(super) scratch: PathBuf,
}

pub(super) const PEERS: &[Peer] = &[
    Peer { name: "fakecloud-bedrock", version: "0.51.0", prepare: fakecloud },
    Peer { name: "VidaiMock", version: VIDAIMOCK, prepare: vidaimock },
    Peer { name: "aimock", version: "1.43.0", prepare: aimock },
    Peer { name: "MiniStack", version: "1.5.33", prepare: ministack },
    Peer {
        name: "genai-mock-server",
        version: "",
        prepare: |_| bail!("it is in no package registry, only in a repository of sources"),
    },
];

const VIDAIMOCK: &str = "0.3.1";

/// A crate without a server of its own: behind its own dispatcher, in a harness of a few lines
/// that is built apart from this workspace, because it is under the AGPL.
fn fakecloud(place: &Place) -> Result<Launch> {
    let folder = place.home.join("cargo/fakecloud-bedrock");
    fs::create_dir_all(folder.join("src"))?;
    write_if_other(&folder.join("Cargo.toml"), include_str!("fakecloud/manifest.toml"))?;
    write_if_other(&folder.join("src/main.rs"), include_str!("fakecloud/harness.rs"))?;
    let mut build = cargo(&folder);
    build.args(["build", "--release", "--quiet", "--target-dir", "target"]);
    succeed(&mut build)?;
    let command = Command::new(folder.join("target/release/fakecloud-harness"));
    Ok(Launch { command, address: Address::Printed })
}

fn vidaimock(place: &Place) -> Result<Launch> {
    let folder = place.home.join(format!("cargo/vidaimock-{VIDAIMOCK}"));
    let program = folder.join("bin/vidaimock");
    if !program.is_file() {
        fs::create_dir_all(&folder)?;
        let version = format!("={VIDAIMOCK}");
        let mut install = cargo(&folder);
        install.args(["install", "--locked", "--quiet", "vidaimock", "--version", &version]);
        succeed(install.arg("--root").arg(&folder))?;
    }
    let port = free_port()?;
    let mut command = Command::new(program);
    command.current_dir(&place.scratch).args(["--host", "127.0.0.1", "--port"]);
    command.arg(port.to_string()).args(["--mode", "benchmark", "--latency", "0"]);
    Ok(Launch { command, address: Address::Port(port) })
}

fn aimock(place: &Place) -> Result<Launch> {
    let folder = place.home.join("node/bench-aimock");
    fs::create_dir_all(&folder)?;
    write_if_other(&folder.join("fixture.json"), include_str!("aimock/fixture.json"))?;
    let program = folder.join("node_modules/.bin/llmock");
    let lock = include_str!("aimock/package-lock.json");
    let installed = folder.join("installed.json");
    if !program.is_file() || fs::read_to_string(&installed).ok().as_deref() != Some(lock) {
        fs::write(folder.join("package.json"), include_str!("aimock/package.json"))?;
        fs::write(folder.join("package-lock.json"), lock)?;
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder);
        succeed(&mut install)?;
        fs::write(installed, lock)?;
    }
    let port = free_port()?;
    let mut command = Command::new("node");
    command.arg(program).arg("--fixtures").arg(folder.join("fixture.json"));
    command.args(["--log-level", "silent", "--port"]).arg(port.to_string());
    Ok(Launch { command, address: Address::Port(port) })
}

fn ministack(place: &Place) -> Result<Launch> {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/src/dev/bench/peers/ministack");
    let requirements = Requirements {
        name: "bench/ministack".to_owned(),
        language: Language::Python,
        lock: Path::new(lock).join("requirements.lock"),
        minimum_version: "3.10".parse().map_err(anyhow::Error::msg)?,
    };
    let environment = Environment::prepare(&requirements, &place.home, &mut |_| ())?;
    let port = free_port()?;
    let mut command = Command::new(environment.programs.join("ministack"));
    command
        .current_dir(&place.scratch)
        .env("HOME", &place.scratch)
        .env("TMPDIR", &place.scratch)
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("LOG_LEVEL", "ERROR");
    Ok(Launch { command, address: Address::Port(port) })
}

/// Cargo for what is not of this workspace, in `folder`.
fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Another's artifacts have no place among those of the workspace.
    command.current_dir(folder).env_remove("CARGO_TARGET_DIR");
    command
}

/// Runs `command`, and fails with what it said when it does.
fn succeed(command: &mut Command) -> Result<()> {
    let shown = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("cannot run {shown}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let end = lines[lines.len().saturating_sub(5)..].join("; ");
    ensure!(output.status.success(), "{shown} ended with {}: {end}", output.status);
    Ok(())
}

/// Writes a file unless it is so already: a newer file would be built anew.
fn write_if_other(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

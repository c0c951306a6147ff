//! Where the workspace lies, and what it is made of.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The folder of the workspace's `Cargo.toml`.
pub(super) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// A package, as `cargo metadata` tells it.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    /// An SPDX expression.
    pub(super) license: Option<String>,
    /// Where it comes from; none for packages of the workspace.
    pub(super) source: Option<String>,
    pub(super) manifest_path: PathBuf,
}

/// Every package of the dependency graph on this machine's platform.
#[derive(Debug, Deserialize)]
pub(super) struct Packages {
    pub(super) packages: Vec<Package>,
    workspace_members: Vec<String>,
}

impl Packages {
    /// Asks cargo.
    pub(super) fn read(root: &Path) -> Result<Packages> {
        let version = output(Command::new("rustc").arg("-vV"))?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .context("`rustc -vV` does not name its host")?;
        let metadata = output(
            cargo(root)
                .args(["metadata", "--format-version", "1"])
                .args(["--filter-platform", host]),
        )?;
        serde_json::from_str(&metadata).context("cannot understand `cargo metadata`")
    }

    /// The packages of the workspace itself.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }
}

/// Cargo, the one that runs this program if it is one, in the workspace.
pub(super) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// What `command` writes to its standard output, if it ends well.
pub(super) fn output(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("cannot run {shown}"))?;
    ensure!(
        output.status.success(),
        "{shown} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).with_context(|| format!("{shown} wrote no UTF-8"))
}

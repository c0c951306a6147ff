//! The programs of `docs/mock-bedrock.md`, as a reader would run them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use loadgen::external::Requirements;
use tempfile::TempDir;

use super::super::test::succeed;
use super::prepare;

/// The tests of the guide pass under pytest and under Node's test runner, with a `spanproof` on the
/// path.
pub(crate) fn guide(root: &Path) -> Result<()> {
    let installed = Installed::new()?;
    let folder = root.join("clients/python/guide");
    let environment = prepare(&Requirements {
        name: "python/guide".to_owned(),
        lock: folder.join("requirements.lock"),
        minimum_version: "3.10".parse().map_err(anyhow::Error::msg)?,
    })?;
    let mut pytest = installed.command(&environment.programs.join("pytest"))?;
    pytest.args(["--quiet", "-p", "no:cacheprovider"]);
    succeed(pytest.env("PYTHONDONTWRITEBYTECODE", "1").arg(folder.join("test_failing_stream.py")))?;

    let folder = root.join("clients/node/guide");
    succeed(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    let mut node = installed.command(Path::new("node"))?;
    succeed(node.arg("--test").arg(folder.join("failing-stream.test.mjs")))
}

/// A folder for what the programs write, with this very program in it under the name that readers
/// install: both have the same verbs.
struct Installed(TempDir);

impl Installed {
    fn new() -> Result<Installed> {
        let folder = tempfile::tempdir()?;
        let spanproof = folder.path().join("spanproof");
        std::os::unix::fs::symlink(env::current_exe()?, &spanproof)
            .with_context(|| format!("cannot make {}", spanproof.display()))?;
        Ok(Installed(folder))
    }

    /// `program`, to run in the folder, which its path begins with.
    fn command(&self, program: &Path) -> Result<Command> {
        let before = env::var_os("PATH").unwrap_or_default();
        let folders = [self.0.path().to_owned()].into_iter().chain(env::split_paths(&before));
        let mut command = Command::new(program);
        command.env("PATH", env::join_paths(folders.collect::<Vec<PathBuf>>())?);
        command.current_dir(self.0.path());
        Ok(command)
    }
}

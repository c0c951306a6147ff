//! The packages of other ecosystems, as their users install them, and the programs of the guides that
//! use them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use loadgen::external::{Environment, Language, Requirements};

use super::super::test::succeed;
use super::super::workspace::output;
use super::prepare;

/// A wheel with the binary in it, in a new environment: `spanproof` is on its path, and of the tests
/// that use the plugin those pass and fail that should, also side by side under pytest-xdist.
pub(crate) fn python(root: &Path) -> Result<()> {
    let package = root.join("packages/python");
    let locked = prepare(&Requirements {
        name: "python/package".to_owned(),
        language: Language::Python,
        lock: package.join("requirements.lock"),
        minimum_version: "3.10".parse().map_err(anyhow::Error::msg)?,
    })?;
    let folder = tempfile::tempdir()?;
    let python = with_wheel(&package, &locked, folder.path())?;

    let script = python.with_file_name("spanproof");
    says_its_version(Command::new(script).arg("--version"))?;
    says_its_version(Command::new(&python).args(["-m", "spanproof", "--version"]))?;

    let pytest = |tests: &Path, more: &[&str]| {
        let mut pytest = Command::new(&python);
        pytest.args(["-m", "pytest", "-p", "no:cacheprovider"]).args(more).arg(tests);
        Tests::run(pytest.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(folder.path()))
    };
    for more in [&[][..], &["--numprocesses", "2"]] {
        let tests = pytest(&package.join("tests"), more)?;
        tests.expect(1, "1 failed, 2 passed")?;
        tests.expect(1, "::test_cached_tokens_are_input")?;
        tests.expect(1, "violation usage/input-tokens")?;
    }
    pytest(&root.join("clients/python/guide"), &[])?.expect(0, "2 passed")
}

/// The npm package with the binary in it, in a new folder: `npx spanproof` runs, and of the tests
/// those pass and fail that should.
pub(crate) fn node(root: &Path) -> Result<()> {
    let package = root.join("packages/node");
    let folder = tempfile::tempdir()?;
    let mut pack = Command::new("node");
    pack.arg(package.join("pack.mjs")).arg(env::current_exe()?).arg(folder.path());
    let packed = output(&mut pack)?;

    let project = folder.path().join("project");
    let guide = root.join("clients/node/guide/failing-stream.test.mjs");
    with_package(&package.join("tests"), packed.trim(), &project)?;
    fs::copy(&guide, project.join("failing-stream.test.mjs"))?;
    says_its_version(Command::new("npx").args(["spanproof", "--version"]).current_dir(&project))?;

    let node_test = |tests: &str| {
        let mut node = Command::new("node");
        node.args(["--test", "--test-reporter", "tap", tests]);
        Tests::run(node.current_dir(&project))
    };
    let tests = node_test("telemetry.test.mjs")?;
    tests.expect(1, "not ok 3 - a failure has its error type")?;
    tests.expect(1, "violation status/error-type")?;
    tests.expect(1, "# pass 2")?;
    node_test("failing-stream.test.mjs")?.expect(0, "# pass 2")
}

/// Builds the wheel of `package` with this very program in it, which has the same verbs as the one that
/// users install, and installs it into a new environment in `folder`. Gives its interpreter, which
/// also sees the packages of `locked`, so that nothing is fetched again.
fn with_wheel(package: &Path, locked: &Environment, folder: &Path) -> Result<PathBuf> {
    let interpreter = locked.programs.join("python");
    let pip = || {
        let mut pip = Command::new(&interpreter);
        pip.args(["-I", "-m", "pip", "--quiet", "--disable-pip-version-check"]);
        pip
    };
    let wheels = folder.join("wheels");
    let mut build = pip();
    build.args(["wheel", "--no-build-isolation", "--no-deps", "--wheel-dir"]).arg(&wheels);
    succeed(build.arg(package).env("SPANPROOF_BINARY", env::current_exe()?))?;

    let fresh = folder.join("fresh");
    succeed(Command::new(&interpreter).args(["-I", "-m", "venv", "--without-pip"]).arg(&fresh))?;
    let python = fresh.join("bin/python");
    let seen = format!("{}\n", site_packages(&interpreter)?.display());
    fs::write(site_packages(&python)?.join("locked.pth"), seen)?;
    let mut install = pip();
    install.arg("--python").arg(&python).args(["install", "--no-index", "--no-deps"]);
    succeed(install.arg(only_file(&wheels)?))?;
    Ok(python)
}

/// Where `python` looks for packages.
fn site_packages(python: &Path) -> Result<PathBuf> {
    let ask = "import sysconfig; print(sysconfig.get_path('purelib'))";
    Ok(output(Command::new(python).args(["-I", "-c", ask]))?.trim().into())
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(folder)?;
    let file = files.next().with_context(|| format!("{} is empty", folder.display()))??;
    ensure!(files.next().is_none(), "{} has more than one file", folder.display());
    Ok(file.path())
}

/// Copies the tests in `from`, with the lock file of what they need, to `project`, and installs that
/// and the package `packed`.
fn with_package(from: &Path, packed: &str, project: &Path) -> Result<()> {
    fs::create_dir(project)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), project.join(entry.file_name()))?;
        }
    }
    // One call, which keeps to the lock file for all but the package.
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline", packed]);
    succeed(npm.current_dir(project))
}

fn says_its_version(command: &mut Command) -> Result<()> {
    let said = output(command)?;
    ensure!(said.contains(env!("CARGO_PKG_VERSION")), "{command:?} says {said}");
    Ok(())
}

/// What a test runner said.
struct Tests {
    code: Option<i32>,
    said: String,
}

impl Tests {
    fn run(command: &mut Command) -> Result<Tests> {
        let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
        let said = [output.stdout, output.stderr].concat();
        Ok(Tests { code: output.status.code(), said: String::from_utf8_lossy(&said).into_owned() })
    }

    /// It ended with `code`, and said `text`.
    fn expect(&self, code: i32, text: &str) -> Result<()> {
        let Tests { code: ended, said } = self;
        ensure!(*ended == Some(code), "the tests ended with {ended:?}, not {code}:\n{said}");
        ensure!(said.contains(text), "the tests did not say `{text}`:\n{said}");
        Ok(())
    }
}

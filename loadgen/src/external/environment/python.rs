//! Virtual environments of Python, their packages installed by pip.

use std::path::Path;
use std::process::Command;

use super::error::EnvironmentError;
use super::run::run;
use super::tool::{Found, Tool};

/// Found under its usual name first, then under each by its version, newest first.
pub(super) static PYTHON: Tool = Tool {
    name: "Python",
    programs: &["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"],
    ask: &["-I", "-c", "import sys; print(*sys.version_info[:2], sep='.'); print(sys.executable)"],
    remedy: "install one from https://www.python.org/downloads or your system's packages; it may \
             stand beside an older one",
};

/// Makes a virtual environment in `folder` with exactly the packages of `lock`.
pub(super) fn make(
    name: &str,
    lock: &Path,
    python: &Found,
    folder: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(), EnvironmentError> {
    let mut venv = Command::new(&python.program);
    venv.args(["-I", "-m", "venv"]).arg(folder);
    run(venv, &mut |_| ())?.map_err(|said| EnvironmentError::Failed {
        action: "make a Python environment for",
        name: name.to_owned(),
        remedy: "on Debian and Ubuntu, install python3-venv",
        program: "python -m venv",
        said,
    })?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-I", "-m", "pip", "install", "--require-hashes", "--no-input"])
        .args(["--disable-pip-version-check", "--progress-bar", "off", "--requirement"])
        .arg(lock);
    run(pip, &mut |line| {
        if let Some(package) = collected(line) {
            progress(&format!("installing {package}"));
        }
    })?
    .map_err(|said| EnvironmentError::Failed {
        action: "install the packages of",
        name: name.to_owned(),
        remedy: "check the network, or point pip at a mirror with PIP_INDEX_URL, and run again",
        program: "pip",
        said,
    })
}

/// The package in pip's `Collecting boto3==1.44.5 (from -r …)`, the one line of each package.
fn collected(line: &str) -> Option<&str> {
    line.strip_prefix("Collecting ")?.split_whitespace().next()
}

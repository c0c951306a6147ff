//! Packages of Node.js, installed by npm.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::error::EnvironmentError;
use super::run::run;
use super::tool::Tool;
use crate::external::version::Version;

pub(super) static NODE: Tool = Tool {
    name: "Node.js",
    programs: &["node"],
    ask: &["--version"],
    remedy: "install one from https://nodejs.org or your system's packages",
};

static NPM: Tool = Tool {
    name: "npm",
    programs: &["npm"],
    ask: &["--version"],
    remedy: "install Node.js with its package manager from https://nodejs.org, or your system's \
             package npm",
};

/// The first npm that reads lock files of today's format.
const NPM_MINIMUM: Version = Version { major: 7, minor: 0 };

/// The file that says which packages the lock file is for; the two stand side by side.
pub(super) const PACKAGES: &str = "package.json";

/// Makes a folder `node_modules` in `folder` with exactly the packages of `lock`.
///
/// Packages run no programs of theirs as they are installed.
pub(super) fn make(
    name: &str,
    lock: &Path,
    folder: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(), EnvironmentError> {
    NPM.find(NPM_MINIMUM, name)?;
    fs::create_dir_all(folder).map_err(EnvironmentError::file("make", folder))?;
    let files = [lock.with_file_name(PACKAGES), lock.to_owned()];
    for (file, copy) in files.iter().zip([PACKAGES, "package-lock.json"]) {
        fs::copy(file, folder.join(copy)).map_err(EnvironmentError::file("copy", file))?;
    }
    progress(&format!("installing the packages of {name}"));
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]);
    npm.current_dir(folder);
    run(npm, &mut |_| ())?.map_err(|said| EnvironmentError::Failed {
        action: "install the packages of",
        name: name.to_owned(),
        remedy: "check the network, or point npm at a mirror with npm_config_registry, and run \
                 again",
        program: "npm ci",
        said,
    })
}

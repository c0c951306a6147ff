//! Programs in Go, built by its own tool.

use std::path::Path;
use std::process::Command;

use super::error::EnvironmentError;
use super::run::run;
use super::tool::Tool;

pub(super) static GO: Tool = Tool {
    name: "Go",
    programs: &["go"],
    ask: &["version"],
    remedy: "install one from https://go.dev/dl or your system's package golang",
};

/// Builds the programs of the module in `source` into the folder `bin` of `folder`. `go.sum` holds
/// the hash of every module; nothing else is taken.
pub(super) fn make(
    name: &str,
    source: &Path,
    folder: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(), EnvironmentError> {
    progress(&format!("building {name} with Go"));
    let mut go = Command::new("go");
    go.args(["build", "-mod=readonly", "-trimpath", "-o"]).arg(folder.join("bin/"));
    // The version was looked at; another is never fetched.
    go.arg("./...").current_dir(source).env("GOTOOLCHAIN", "local");
    run(go, &mut |_| ())?.map_err(|said| EnvironmentError::Failed {
        action: "build",
        name: name.to_owned(),
        remedy: "check the network, or point Go at a mirror with GOPROXY, and run again",
        program: "go build",
        said,
    })
}

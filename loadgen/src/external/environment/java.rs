//! Programs in Java, built by Maven with what they depend on.

use std::path::Path;
use std::process::Command;

use super::error::EnvironmentError;
use super::run::run;
use super::tool::Tool;
use crate::external::version::Version;

pub(super) static JDK: Tool = Tool {
    name: "a Java development kit",
    programs: &["javac"],
    ask: &["-version"],
    remedy: "install one from https://adoptium.net or your system's package default-jdk",
};

static MAVEN: Tool = Tool {
    name: "Maven",
    programs: &["mvn"],
    ask: &["--version"],
    remedy: "install one from https://maven.apache.org or your system's package maven",
};

/// What the plugins of the programs run on.
const MAVEN_MINIMUM: Version = Version { major: 3, minor: 6 };

/// Builds the project of `pom`, which puts what it makes below its property
/// `spanproof.environment`.
pub(super) fn make(
    name: &str,
    pom: &Path,
    folder: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(), EnvironmentError> {
    MAVEN.find(MAVEN_MINIMUM, name)?;
    progress(&format!("building {name} with Maven"));
    let mut place = std::ffi::OsString::from("-Dspanproof.environment=");
    place.push(folder);
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "--no-transfer-progress", "-Dstyle.color=never"]);
    maven.arg(place).arg("--file").arg(pom).arg("compile");
    run(maven, &mut |_| ())?.map_err(|said| EnvironmentError::Failed {
        action: "build",
        name: name.to_owned(),
        remedy: "check the network, or name a mirror in ~/.m2/settings.xml, and run again",
        program: "mvn compile",
        said,
    })
}

//! The libraries, and how their environments are made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use loadgen::external::{Requirements, clients_dir, home_dir};
use serde::Deserialize;

use super::super::clients;
use super::super::test::succeed;

/// `clients/matrix/libraries.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Libraries {
    pub(super) library: Vec<Library>,
}

/// An instrumentation in one released version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Library {
    pub(super) name: String,
    pub(super) package: String,
    pub(super) version: String,
    pub(super) language: Language,
    /// The program that runs ours, with what comes before it on the command line.
    entry: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Language {
    Python,
    Node,
}

impl Language {
    /// The name that people use.
    pub(super) fn name(self) -> &'static str {
        match self {
            Language::Python => "Python",
            Language::Node => "JavaScript",
        }
    }
}

/// A library whose packages are installed.
pub(in super::super) struct Prepared {
    pub(in super::super) name: String,
    /// The whole command but for the cell's own arguments.
    pub(in super::super) command: Vec<String>,
    /// Where it runs.
    pub(in super::super) folder: PathBuf,
    pub(in super::super) environment: BTreeMap<String, String>,
}

impl Libraries {
    pub(super) fn read(folder: &Path) -> Result<Libraries> {
        let path = folder.join("libraries.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no list of libraries", path.display()))
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.library.iter().map(|library| library.name.as_str()).collect()
    }
}

impl Library {
    /// Installs the library where it is not, in the versions of its lock file.
    pub(super) fn prepare(&self, folder: &Path) -> Result<Prepared> {
        match self.language {
            Language::Python => self.prepare_python(&folder.join("python")),
            Language::Node => self.prepare_node(&folder.join("node")),
        }
    }

    fn prepare_python(&self, folder: &Path) -> Result<Prepared> {
        let environment = clients::prepare(&Requirements {
            name: format!("matrix/{}", self.name),
            lock: folder.join(&self.name).join("requirements.lock"),
            minimum_version: "3.10".parse().map_err(anyhow::Error::msg)?,
        })?;
        let program = |name: &String| environment.programs.join(name).display().to_string();
        let mut command: Vec<String> = self.entry.iter().map(program).collect();
        command.push(folder.join("matrix.py").display().to_string());
        Ok(self.prepared(command, folder.to_owned()))
    }

    /// `node_modules` stands beside the programs that look for it.
    fn prepare_node(&self, folder: &Path) -> Result<Prepared> {
        let place = home_dir(&clients_dir()?).join("node/matrix").join(&self.name);
        fs::create_dir_all(&place)?;
        for (file, from) in [
            ("package.json", folder.join(&self.name)),
            ("package-lock.json", folder.join(&self.name)),
            ("matrix.cjs", folder.to_owned()),
            ("instrument.cjs", folder.to_owned()),
        ] {
            let from = from.join(file);
            fs::copy(&from, place.join(file))
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&place);
        succeed(&mut install)?;
        let mut command = self.entry.clone();
        command.push("matrix.cjs".to_owned());
        Ok(self.prepared(command, place))
    }

    fn prepared(&self, command: Vec<String>, folder: PathBuf) -> Prepared {
        let environment = self.environment.clone();
        Prepared { name: self.name.clone(), command, folder, environment }
    }
}

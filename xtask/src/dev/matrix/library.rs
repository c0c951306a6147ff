//! The libraries, and how their programs are started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use loadgen::external::{Manifest, clients_dir};
use serde::de::{Deserialize, Deserializer, Error as _};

use super::super::clients;

/// `clients/matrix/libraries.toml`
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Libraries {
    pub(super) library: Vec<Library>,
}

/// An instrumentation in one released version.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Library {
    pub(super) name: String,
    pub(super) package: String,
    pub(super) version: String,
    /// The client in whose environment it is, by its name.
    #[serde(deserialize_with = "named")]
    pub(super) client: Manifest,
    /// Program and arguments, started in `clients/matrix`; `{environment}` stands for the
    /// environment's folder.
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

/// A library whose packages are installed.
pub(in super::super) struct Prepared {
    pub(in super::super) name: String,
    /// The whole command but for the cell's own arguments.
    pub(in super::super) command: Vec<String>,
    /// Where it runs.
    pub(in super::super) folder: PathBuf,
    pub(in super::super) environment: Vec<(String, OsString)>,
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
    /// Makes the environment of its client where there is none.
    pub(super) fn prepare(&self, folder: &Path) -> Result<Prepared> {
        let made = clients::prepare(&self.client.requirements())?;
        let of_language = made.variables(&clients_dir()?);
        let mut environment = vec![("PATH".to_owned(), made.path())];
        environment.extend(of_language.into_iter().map(|(name, value)| (name.to_owned(), value)));
        environment
            .extend(self.environment.iter().map(|(name, value)| (name.clone(), value.into())));
        Ok(Prepared {
            name: self.name.clone(),
            command: made.command(&self.command),
            folder: folder.to_owned(),
            environment,
        })
    }
}

fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Manifest, D::Error> {
    let name = String::deserialize(deserializer)?;
    clients_dir().and_then(|clients| Manifest::load(&clients, &name)).map_err(D::Error::custom)
}

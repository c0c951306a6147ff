//! What a client program says of itself, in its `client.yaml`.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use spanproof_schemas::content_policy::ContentPolicy;

use super::environment::Requirements;
use super::language::Language;
use super::version::Version;
use crate::capabilities::Capabilities;

/// A client program: `schemas/client.schema.json` in words of this crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The folder's place below `clients/`, such as `python/article`.
    pub name: String,
    /// One line for lists.
    pub summary: String,
    /// What it is written in.
    pub language: Language,
    /// The oldest version of the language that the locked packages run on.
    pub minimum_version: Version,
    /// The file in its folder that names every package with its exact version.
    pub lock: String,
    /// Program and arguments, started in its folder. `{environment}` stands for the folder of its
    /// [`Environment`](super::Environment).
    pub command: Vec<String>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Variables always set for it.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Variables set when prompts and completions are to be captured.
    #[serde(default)]
    pub content_environment: BTreeMap<String, String>,
    /// Variables set when they are to be captured in events alone; none where it cannot.
    #[serde(default)]
    pub content_events_environment: BTreeMap<String, String>,
    /// Its folder; not in the file.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// A client that cannot be found or read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// There is no folder of clients.
    #[error(
        "no client programs in {}: set SPANPROOF_CLIENTS_DIR to the `clients` folder of spanproof's repository",
        .0.display()
    )]
    NoClients(PathBuf),
    /// No client has the name.
    #[error("there is no client `{name}`: choose one of {}", .known.join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A file or folder could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a manifest.
    #[error("{} is not a client manifest: {source}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        source: serde_norway::Error,
    },
    /// The file is in the folder of another client.
    #[error("{} names its client `{found}`, its folder says `{expected}`", .path.display())]
    Misplaced {
        /// The file.
        path: PathBuf,
        /// The name in the file.
        found: String,
        /// The name that the folder gives.
        expected: String,
    },
    /// The command has no program.
    #[error("{} has an empty `command`: name the program to start", .0.display())]
    NoCommand(PathBuf),
}

impl Manifest {
    /// The variables that make it capture as much of prompts and completions as `policy` says; `None`
    /// where it has no switch for that.
    #[must_use]
    pub fn content_variables(&self, policy: ContentPolicy) -> Option<&BTreeMap<String, String>> {
        const NOTHING: &BTreeMap<String, String> = &BTreeMap::new();
        match policy {
            ContentPolicy::None => Some(NOTHING),
            ContentPolicy::Full => Some(&self.content_environment),
            ContentPolicy::Events => {
                Some(&self.content_events_environment).filter(|variables| !variables.is_empty())
            }
            ContentPolicy::Hash | ContentPolicy::Cut { .. } | ContentPolicy::Reference => None,
        }
    }

    /// Reads the manifest of the client `name` below the folder `clients`.
    ///
    /// # Errors
    ///
    /// When there is no such client, or its file is not a manifest.
    pub fn load(clients: &Path, name: &str) -> Result<Manifest, ManifestError> {
        // Only listed names are opened, so that a name cannot lead out of the folder.
        let known = Manifest::names(clients)?;
        if !known.iter().any(|known| known == name) {
            return Err(ManifestError::Unknown { name: name.to_owned(), known });
        }
        let folder = clients.join(name);
        let path = folder.join("client.yaml");
        let text = fs::read_to_string(&path)
            .map_err(|source| ManifestError::Read { path: path.clone(), source })?;
        let mut manifest: Manifest = serde_norway::from_str(&text)
            .map_err(|source| ManifestError::Parse { path: path.clone(), source })?;
        if manifest.name != name {
            let (found, expected) = (manifest.name, name.to_owned());
            return Err(ManifestError::Misplaced { path, found, expected });
        }
        if manifest.command.is_empty() {
            return Err(ManifestError::NoCommand(path));
        }
        manifest.folder = folder;
        Ok(manifest)
    }

    /// The names of the clients below the folder `clients`, sorted.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn names(clients: &Path) -> Result<Vec<String>, ManifestError> {
        let mut names = Vec::new();
        for language in folders(clients)? {
            for client in folders(&clients.join(&language))? {
                let name = format!("{language}/{client}");
                if clients.join(&name).join("client.yaml").is_file() {
                    names.push(name);
                }
            }
        }
        names.sort();
        Ok(names)
    }

    /// What its environment must hold.
    #[must_use]
    pub fn requirements(&self) -> Requirements {
        Requirements {
            name: self.name.clone(),
            language: self.language,
            lock: self.folder.join(&self.lock),
            minimum_version: self.minimum_version,
        }
    }
}

/// The folder of client programs: `SPANPROOF_CLIENTS_DIR`, else `clients` in the workspace that
/// this program was built from.
///
/// # Errors
///
/// When there is no such folder.
pub fn clients_dir() -> Result<PathBuf, ManifestError> {
    let built_from = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients");
    let folder =
        env::var_os("SPANPROOF_CLIENTS_DIR").map_or_else(|| built_from.into(), PathBuf::from);
    // Workers start in their own folder, where a relative path would lead nowhere.
    folder.canonicalize().map_err(|_| ManifestError::NoClients(folder))
}

/// Where environments are kept: `.spanproof` beside the folder of clients.
#[must_use]
pub fn home_dir(clients: &Path) -> PathBuf {
    clients.parent().unwrap_or(clients).join(".spanproof")
}

fn folders(parent: &Path) -> Result<Vec<String>, ManifestError> {
    let read = |source| ManifestError::Read { path: parent.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(parent).map_err(read)? {
        let entry = entry.map_err(read)?;
        if entry.path().is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

//! What a person saw who looked at the raw telemetry behind a finding.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::results::Results;

/// `clients/matrix/confirmed.toml`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmed {
    #[serde(default)]
    confirmed: Vec<Entry>,
}

/// One finding that was looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    library: String,
    rule: String,
    /// Of the finding; what it begins with, where the rest differs from run to run.
    message: String,
    /// In the telemetry and the ledger.
    saw: String,
}

impl Confirmed {
    pub(super) fn read(folder: &Path) -> Result<Confirmed> {
        let path = folder.join("confirmed.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text)
            .with_context(|| format!("{} is no list of confirmations", path.display()))
    }

    /// What was seen behind a finding.
    pub(super) fn saw(&self, library: &str, rule: &str, message: &str) -> Option<&str> {
        self.confirmed
            .iter()
            .find(|entry| entry.matches(library, rule, message))
            .map(|entry| entry.saw.as_str())
    }

    /// Findings that nobody has looked at, and notes of findings that are no more.
    pub(super) fn problems(&self, results: &Results<'_>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut used = vec![false; self.confirmed.len()];
        for results in &results.libraries {
            let library = &results.library.name;
            for found in results.found() {
                let (rule, message) = (&found.group.rule, &found.group.message);
                let at = self.confirmed.iter().position(|it| it.matches(library, rule, message));
                match at {
                    Some(at) => used[at] = true,
                    None => problems.push(format!(
                        "{library}: nobody has confirmed {rule}, \"{message}\" (first in {})",
                        found.cells[0]
                    )),
                }
            }
        }
        for (entry, _) in self.confirmed.iter().zip(used).filter(|(_, used)| !used) {
            let Entry { library, rule, message, .. } = entry;
            problems.push(format!(
                "{library}: {rule}, \"{message}\" was confirmed and is found no more; take it out \
                 of clients/matrix/confirmed.toml"
            ));
        }
        problems
    }
}

impl Entry {
    fn matches(&self, library: &str, rule: &str, message: &str) -> bool {
        self.library == library && self.rule == rule && message.starts_with(&self.message)
    }
}

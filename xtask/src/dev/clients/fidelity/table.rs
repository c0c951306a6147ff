//! Which client runs which of the twenty tests: `clients/fidelity.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::evidence::Line;

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// The clients, in the order in which they are shown.
    clients: Vec<String>,
    tests: Vec<Test>,
}

/// One of the twenty tests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    number: u32,
    states: String,
    /// The clients that do not run it, and why.
    #[serde(default)]
    without: BTreeMap<String, String>,
}

impl Table {
    /// Reads the table of the workspace at `root`.
    ///
    /// # Errors
    ///
    /// When it is not there, or is no such table.
    pub(super) fn read(root: &Path) -> Result<Table> {
        let path = root.join("clients/fidelity.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).context("cannot understand clients/fidelity.toml")
    }

    /// The tests that `client` must run and did not, and those that it ran and must not.
    pub(super) fn problems(&self, client: &str, lines: &[Line]) -> Vec<String> {
        if !self.clients.iter().any(|known| known == client) {
            return vec![format!("clients/fidelity.toml has no client `{client}`")];
        }
        let ran = |number: u32| lines.iter().any(|line| line.test == number);
        let tests = self.tests.iter().filter_map(|test| match test.without.get(client) {
            None if !ran(test.number) => {
                Some(format!("test {} was not run: {}", test.number, test.states))
            }
            Some(reason) if ran(test.number) => Some(format!(
                "test {} was run, and clients/fidelity.toml says why it is not: {reason}",
                test.number
            )),
            _ => None,
        });
        let unknown = lines.iter().filter(|line| !self.tests.iter().any(|t| t.number == line.test));
        tests.chain(unknown.map(|line| format!("there is no test {}", line.test))).collect()
    }

    /// The table as `clients/README.md` shows it, with the reasons below.
    #[cfg(test)]
    fn page(&self) -> String {
        use std::fmt::Write as _;

        let mut page = format!("| test | {} |\n", self.clients.join(" | "));
        let _ = writeln!(page, "| --- |{}", " --- |".repeat(self.clients.len()));
        let mut reasons: Vec<&str> = Vec::new();
        for test in &self.tests {
            let _ = write!(page, "| {}. {} |", test.number, test.states);
            for client in &self.clients {
                let Some(reason) = test.without.get(client) else {
                    page.push_str(" yes |");
                    continue;
                };
                let at = reasons.iter().position(|known| known == reason).unwrap_or_else(|| {
                    reasons.push(reason);
                    reasons.len() - 1
                });
                let _ = write!(page, " {} |", letter(at));
            }
            page.push('\n');
        }
        page.push('\n');
        for (at, reason) in reasons.iter().enumerate() {
            let _ = writeln!(page, "- {}: {reason}", letter(at));
        }
        page
    }
}

#[cfg(test)]
fn letter(at: usize) -> char {
    char::from(b'a' + u8::try_from(at).expect("fewer reasons than letters"))
}

#[cfg(test)]
mod tests {
    use super::super::evidence;
    use super::*;
    use crate::dev::workspace;

    fn table() -> Table {
        Table::read(&workspace::root()).unwrap()
    }

    #[test]
    fn all_tests_are_in_it_and_every_client_is_known() {
        let table = table();
        assert!(table.tests.iter().map(|test| test.number).eq(1..=21));
        for test in &table.tests {
            for client in test.without.keys() {
                assert!(table.clients.contains(client), "test {}: {client}", test.number);
            }
            assert!(
                table.clients.iter().any(|client| !test.without.contains_key(client)),
                "nobody runs test {}",
                test.number
            );
        }
    }

    #[test]
    fn the_guide_shows_the_table() {
        let guide = fs::read_to_string(workspace::root().join("clients/README.md")).unwrap();
        let page = table().page();
        assert!(guide.contains(&page), "clients/README.md must hold:\n{page}");
    }

    /// The SDK for Rust is tested by the crate itself, in tests named by their number.
    #[test]
    fn the_rust_tests_are_there() {
        let folder = workspace::root().join("mock-bedrock/tests/rust_sdk");
        let sources: String = fs::read_dir(folder)
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        for test in table().tests {
            let is_there = sources.contains(&format!("fn test_{:02}_", test.number));
            let is_due = !test.without.contains_key("rust");
            assert_eq!(is_there, is_due, "test {}", test.number);
        }
    }

    /// Nova Sonic has no whole answers; the SDK for JavaScript talks with it.
    #[test]
    fn every_family_has_a_case() {
        let root = workspace::root();
        let cases = fs::read_to_string(root.join("clients/python/fidelity/cases.py")).unwrap();
        for entry in fs::read_dir(root.join("mock-bedrock/src/families")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let is_there = cases.contains(&format!("    \"{name}\": Family("));
            assert!(is_there || ["mod", "nova_sonic"].contains(&name), "{name} has no case");
        }
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_are_problems() {
        let table: Table = toml::from_str(
            "clients = ['a']\n[[tests]]\nnumber = 1\nstates = 's'\n[[tests]]\nnumber = 2\nstates = 's'\nwithout = { a = 'it cannot' }\n",
        )
        .unwrap();
        let problems = |printed: &str| table.problems("a", &evidence::read(printed).unwrap());
        assert_eq!(problems(""), ["test 1 was not run: s"]);
        let lines = "{\"test\":1,\"name\":\"\",\"passed\":true}\n{\"test\":2,\"name\":\"\",\"passed\":true}\n{\"test\":3,\"name\":\"\",\"passed\":true}";
        assert_eq!(
            problems(lines),
            [
                "test 2 was run, and clients/fidelity.toml says why it is not: it cannot",
                "there is no test 3"
            ]
        );
    }
}

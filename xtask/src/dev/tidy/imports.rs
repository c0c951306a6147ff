//! Who may import whom. The mock that writes the truth and the rules that judge must share nothing
//! but the schemas, so that one bug cannot cancel the other; the rest keeps builds small.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::dev::workspace::{self, Packages};

/// What a crate may import, directly or by way of others.
struct Layer {
    name: &'static str,
    /// The crates of ours that it may import, at run time or in a build script. For tests it may
    /// import what it likes.
    may: &'static [&'static str],
    /// The crates of others that it must not import; a `*` at the end stands for anything.
    never: &'static [&'static str],
}

/// One row for each crate of the workspace.
///
/// Nobody may import `spanproof-fixtures`, which is for tests, but `xtask`, which writes a page from
/// it and is never shipped; nobody may import `xtask`.
const LAYERS: &[Layer] = &[
    Layer { name: "spanproof-schemas", may: &[], never: &["tokio*", "tonic*", "opentelemetry*"] },
    Layer {
        name: "spanproof-fixtures",
        may: &["spanproof-schemas"],
        never: &["tokio*", "tonic*", "hyper*"],
    },
    Layer { name: "mock-bedrock", may: &["spanproof-schemas"], never: &["opentelemetry*"] },
    Layer {
        name: "conformance-core",
        may: &["spanproof-schemas"],
        never: &["tokio*", "tonic*", "hyper*", "clap*"],
    },
    Layer {
        name: "conformance",
        may: &["spanproof-schemas", "conformance-core"],
        never: &["aws-*", "clap*"],
    },
    Layer { name: "loadgen", may: &["spanproof-schemas"], never: &["clap*"] },
    Layer { name: "sizing", may: &["spanproof-schemas"], never: &["tonic", "hyper*", "clap*"] },
    Layer {
        name: "spanproof",
        may: &[
            "spanproof-schemas",
            "mock-bedrock",
            "conformance-core",
            "conformance",
            "loadgen",
            "sizing",
        ],
        never: &[],
    },
    Layer {
        name: "xtask",
        may: &[
            "spanproof-schemas",
            "mock-bedrock",
            "conformance-core",
            "conformance",
            "loadgen",
            "sizing",
            "spanproof",
            "spanproof-fixtures",
        ],
        never: &[],
    },
];

/// A line for each import that the table forbids, and for each crate that is not in it.
pub(super) fn problems(root: &Path, packages: &Packages) -> Result<Vec<String>> {
    let members: BTreeSet<&str> = packages.members().map(|member| member.name.as_str()).collect();
    let mut problems = Vec::new();
    for member in &members {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == *member) else {
            problems.push(format!(
                "crate `{member}` is in no layer: add a row for it to xtask/src/dev/tidy/imports.rs"
            ));
            continue;
        };
        // One listing for a crate instead of `-i` for each pair: `cargo tree -i` fails alike when
        // the import is absent and when it is there in two versions.
        let tree = workspace::output(workspace::cargo(root).args([
            "tree",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--package",
            member,
        ]))?;
        let imports: BTreeSet<&str> =
            tree.lines().filter_map(|line| line.split(' ').next()).collect();
        problems.extend(violations(layer, &members, &imports));
    }
    for layer in LAYERS.iter().filter(|layer| !members.contains(layer.name)) {
        problems.push(format!(
            "layer `{}` is no crate of the workspace: remove its row from xtask/src/dev/tidy/imports.rs",
            layer.name
        ));
    }
    Ok(problems)
}

/// What is wrong with a crate of `layer` that imports `imports`.
fn violations(layer: &Layer, members: &BTreeSet<&str>, imports: &BTreeSet<&str>) -> Vec<String> {
    let Layer { name, may, never } = layer;
    imports
        .iter()
        .filter(|import| *import != name)
        .filter(|import| {
            let foreign = never.iter().any(|pattern| matches(pattern, import));
            foreign || (members.contains(**import) && !may.contains(import))
        })
        .map(|import| {
            format!(
                "crate `{name}` must not import `{import}`: see why with `cargo tree -e normal,build -p {name} -i {import}`, and cut the edge"
            )
        })
        .collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_imports_are_named() {
        let layer = Layer { name: "core", may: &["schemas"], never: &["tokio*", "tonic"] };
        let members = BTreeSet::from(["core", "schemas", "mock"]);
        let imports =
            BTreeSet::from(["core", "schemas", "mock", "tokio-util", "tonic-build", "serde"]);
        let named = violations(&layer, &members, &imports);
        insta::assert_snapshot!(named.join("\n"), @r"
        crate `core` must not import `mock`: see why with `cargo tree -e normal,build -p core -i mock`, and cut the edge
        crate `core` must not import `tokio-util`: see why with `cargo tree -e normal,build -p core -i tokio-util`, and cut the edge
        ");
    }

    #[test]
    fn the_mock_and_the_judge_share_the_schemas_and_nothing_else() {
        let may = |name: &str| {
            LAYERS.iter().find(|layer| layer.name == name).map(|layer| layer.may).unwrap()
        };
        assert_eq!(may("mock-bedrock"), ["spanproof-schemas"]);
        assert_eq!(may("conformance-core"), ["spanproof-schemas"]);
        assert!(!may("conformance").contains(&"mock-bedrock"));
        let importing = LAYERS.iter().filter(|layer| layer.may.contains(&"spanproof-fixtures"));
        assert!(importing.map(|layer| layer.name).eq(["xtask"]));
    }
}

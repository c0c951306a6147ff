//! The files under `schemas/semconv/`: a registry per version, and the list that compiles them in.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use spanproof_schemas::semconv::Registry;

use super::number;

/// The list of registries as Rust source, so that a new version needs no line by hand.
const LIST: &str = "files.rs";

/// How much of the folder an import is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Every registry: what has no source goes.
    All,
    /// One registry: the others stay as they are.
    One,
}

/// What the folder should hold: text by file name.
pub(super) fn render(
    registries: &[Registry],
    extent: Extent,
    folder: &Path,
) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut versions: Vec<String> = registries.iter().map(|it| it.version.clone()).collect();
    if extent == Extent::One {
        let present = read(folder)?.into_keys();
        versions.extend(present.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())));
    }
    // Releases by number, then what is in development.
    versions.sort_by_key(|version| (number(version).is_none(), number(version), version.clone()));
    versions.dedup();
    let mut list = String::from(
        "//! Every registry beside this file, as `cargo xtask dev semconv import` wrote them.\n\n\
         /// `(version, registry file)`, oldest first.\n\
         pub(super) const FILES: &[(&str, &str)] = &[\n",
    );
    for registry in registries {
        let mut text = serde_json::to_string_pretty(registry)?;
        text.push('\n');
        files.insert(format!("{}.json", registry.version), text);
    }
    for version in versions {
        writeln!(list, "    (\"{version}\", include_str!(\"{version}.json\")),")?;
    }
    list.push_str("];\n");
    files.insert(LIST.to_owned(), list);
    Ok(files)
}

/// A line for each file of `folder` that is not what `wanted` says.
pub(super) fn differences(
    folder: &Path,
    wanted: &BTreeMap<String, String>,
    extent: Extent,
) -> Result<Vec<String>> {
    let mut present = read(folder)?;
    let mut differences = Vec::new();
    for (name, text) in wanted {
        match present.remove(name) {
            None => differences.push(format!("schemas/semconv/{name} is missing")),
            Some(found) if found != *text => {
                differences.push(format!(
                    "schemas/semconv/{name} differs from its source at line {}",
                    first_difference(&found, text)
                ));
            }
            Some(_) => {}
        }
    }
    if extent == Extent::All {
        let without = present.keys().map(|name| format!("schemas/semconv/{name} has no source"));
        differences.extend(without);
    }
    Ok(differences)
}

/// Makes `folder` hold `wanted`, and no other registry where those are all.
pub(super) fn write(
    folder: &Path,
    wanted: &BTreeMap<String, String>,
    extent: Extent,
) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    let is_stale = |name: &&String| extent == Extent::All && !wanted.contains_key(*name);
    for name in read(folder)?.keys().filter(is_stale) {
        let path = folder.join(name);
        fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
    }
    for (name, text) in wanted {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

/// The registries and the list in `folder`, by file name.
fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let entries = fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name == LIST || path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            files.insert(name.to_owned(), text);
        }
    }
    Ok(files)
}

/// The number of the first line, from 1, in which two texts differ.
fn first_difference(one: &str, other: &str) -> usize {
    1 + one.lines().zip(other.lines()).take_while(|(one, other)| one == other).count()
}

//! The pages under `docs/rules/`, from the rules themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Page;

/// Where the pages are.
const PAGES: &str = "docs/rules";

/// Every page, and those of rules that are gone.
pub(super) fn pages(root: &Path) -> Result<Vec<Page>> {
    let folder = root.join(PAGES);
    let mut pages: BTreeMap<PathBuf, Option<String>> = conformance_core::docs::pages()
        .into_iter()
        .map(|(path, text)| (folder.join(path), Some(text)))
        .collect();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        if !folder.exists() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                pages.entry(path).or_insert(None);
            }
        }
    }
    Ok(pages.into_iter().collect())
}

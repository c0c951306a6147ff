//! `cargo xtask dev docs`: the pages under `docs/rules/`, from the rules themselves.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Outcome, workspace};

/// Where the pages are.
const PAGES: &str = "docs/rules";

/// Whether to write or to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail when a page is not current
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let root = workspace::root();
    if args.check {
        return Ok(Outcome::problems(problems(&root)?, "the pages are current"));
    }
    write(&root)?;
    Ok(Outcome::in_order("the pages are written"))
}

/// Writes every page, and removes those of rules that are gone.
fn write(root: &Path) -> Result<()> {
    for page in stale(root)? {
        fs::remove_file(&page).with_context(|| format!("cannot remove {}", page.display()))?;
    }
    for (path, text) in conformance_core::docs::pages() {
        let path = root.join(PAGES).join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The committed pages that differ from what the rules say.
fn problems(root: &Path) -> Result<Vec<String>> {
    let mut outdated = stale(root)?;
    for (path, text) in conformance_core::docs::pages() {
        let path = root.join(PAGES).join(path);
        if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            outdated.push(path);
        }
    }
    let problem =
        |path: &PathBuf| format!("{} is not current: run `cargo xtask dev docs`", path.display());
    Ok(outdated.iter().map(problem).collect())
}

/// Committed pages that no rule has.
fn stale(root: &Path) -> Result<Vec<PathBuf>> {
    let current: BTreeSet<PathBuf> = conformance_core::docs::pages()
        .into_iter()
        .map(|(path, _)| root.join(PAGES).join(path))
        .collect();
    let mut stale = Vec::new();
    let mut folders = vec![root.join(PAGES)];
    while let Some(folder) = folders.pop() {
        if !folder.exists() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !current.contains(&path) {
                stale.push(path);
            }
        }
    }
    stale.sort();
    Ok(stale)
}

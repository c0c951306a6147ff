//! `cargo xtask dev docs`: what is generated under `docs/`, and the rules that are in `deploy/stack/`.

mod mutations;
mod prices;
mod programs;
mod rules;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Outcome, workspace};

/// Whether to write or to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail when a page is not current
    #[arg(long)]
    check: bool,
}

/// A file as it should be: its text, or nothing if it should not be there.
type Page = (PathBuf, Option<String>);

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let root = workspace::root();
    let mut outdated = rules::pages(&root)?;
    outdated.extend(programs::pages(&root)?);
    outdated.push(mutations::page(&root));
    outdated.push(prices::page(&root));
    outdated.retain(|(path, text)| fs::read_to_string(path).ok() != *text);
    if args.check {
        let problem = |(path, _): &Page| {
            format!("{} is not current: run `cargo xtask dev docs`", path.display())
        };
        return Ok(Outcome::problems(
            outdated.iter().map(problem).collect(),
            "the pages are current",
        ));
    }
    for (path, text) in &outdated {
        write(path, text.as_deref()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Outcome::in_order("the pages are written"))
}

fn write(path: &std::path::Path, text: Option<&str>) -> std::io::Result<()> {
    let Some(text) = text else { return fs::remove_file(path) };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

//! `cargo xtask dev tidy`: what the compiler does not check, a line per problem with what to do.

mod documents;
mod imports;
mod licenses;
mod manifests;
mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::Outcome;
use super::workspace::{self, Packages};

pub(super) fn run() -> Result<Outcome> {
    let root = workspace::root();
    let packages = Packages::read(&root)?;
    let files = files(&root)?;
    let mut problems = imports::problems(&root, &packages)?;
    problems.extend(manifests::problems(&packages)?);
    problems.extend(licenses::problems(&root, &packages)?);
    problems.extend(sources::problems(&root, &files)?);
    problems.extend(documents::problems(&root)?);
    problems.dedup();
    Ok(Outcome::problems(problems, "tidy"))
}

/// The files of the repository, those not yet added included, relative to `root`.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let listed = workspace::output(Command::new("git").current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut files: Vec<PathBuf> = listed
        .split_terminator('\0')
        .map(PathBuf::from)
        // A file that was removed and whose removal is not yet added is listed, too.
        .filter(|path| root.join(path).is_file())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

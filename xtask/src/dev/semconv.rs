//! `cargo xtask dev semconv`: registries of the semantic conventions, resolved from their sources.
//!
//! The sources are the `model/` folders of <https://github.com/open-telemetry/semantic-conventions>,
//! one per released version. What is kept are facts; their prose stays where it is.

mod files;
mod prose;
mod requirement;
mod resolve;
mod source;
mod supplement;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use spanproof_schemas::semconv::Registry;

use super::{Outcome, workspace};

/// What to do with the registries.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Resolve the sources of every version and write `schemas/semconv/`.
    Import(Import),
}

#[derive(Args)]
pub(crate) struct Import {
    /// The folder with one folder per version, each with the `model/` of that release.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Write nothing; exit 1 and name the files that an import would change.
    #[arg(long)]
    check: bool,
}

pub(super) fn run(command: &Command) -> Result<Outcome> {
    let Command::Import(Import { from, check }) = command;
    let registries = import(from)?;
    let folder = workspace::root().join("schemas/semconv");
    let wanted = files::render(&registries)?;
    if *check {
        let problems = files::differences(&folder, &wanted)?
            .into_iter()
            .map(|difference| {
                format!(
                    "{difference}; run `cargo xtask dev semconv import --from {}`",
                    from.display()
                )
            })
            .collect();
        Ok(Outcome::problems(problems, format_args!("{} registries agree", registries.len())))
    } else {
        files::write(&folder, &wanted)?;
        Ok(Outcome::in_order(format_args!(
            "wrote {} registries to {}",
            registries.len(),
            folder.display()
        )))
    }
}

/// The registry of every version under `from`, oldest first.
fn import(from: &Path) -> Result<Vec<Registry>> {
    let entries = fs::read_dir(from).with_context(|| {
        format!(
            "cannot read the folder of sources `{}`: --from wants a folder with one folder per version",
            from.display()
        )
    })?;
    let mut versions = Vec::new();
    for entry in entries {
        let path = entry?.path();
        // The sources of the GenAI repository, which has no release yet, come in another shape.
        let Some(version) = path.file_name().and_then(|name| name.to_str()).and_then(number) else {
            continue;
        };
        versions.push((version, path.join("model")));
    }
    versions.sort();
    if versions.is_empty() {
        bail!("no folder in `{}` is named like a version, such as `1.41.1`", from.display());
    }
    versions
        .into_iter()
        .map(|([major, minor, patch], model)| {
            let version = format!("{major}.{minor}.{patch}");
            ensure!(model.is_dir(), "`{}` is not a folder", model.display());
            let groups = source::read(&model)?;
            resolve::registry(&version, groups)
                .with_context(|| format!("cannot resolve version {version}"))
        })
        .collect()
}

/// The three numbers of a version.
fn number(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(str::parse);
    let number = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    parts.next().is_none().then_some(number)
}

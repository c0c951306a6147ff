//! `cargo xtask dev semconv`: registries of the semantic conventions, resolved from their sources.
//!
//! The sources are the `model/` folders of <https://github.com/open-telemetry/semantic-conventions>,
//! one per released version, a checkout of it or of the GenAI conventions, and for the latter a file
//! of facts. What is kept are facts; their prose stays where it is.

mod definition;
mod facts;
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
use spanproof_schemas::semconv::{Registry, Version};

use super::{Outcome, workspace};
use files::Extent;

/// What to do with the registries.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Resolve sources and write `schemas/semconv/`.
    Import(Import),
}

#[derive(Args)]
pub(crate) struct Import {
    /// The sources: a folder with one folder per version, each with the `model/` of that release or
    /// a `facts.yaml`, or one checkout with its `model/`, whose version is written or replaced
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// What the version of a checkout is called, where its `model/manifest.yaml` does not say or
    /// should not count, such as `1.44.0`
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Write nothing; exit 1 and name the files that an import would change
    #[arg(long)]
    check: bool,
}

pub(super) fn run(command: &Command) -> Result<Outcome> {
    let Command::Import(Import { from, version, check }) = command;
    let folder = workspace::root().join("schemas/semconv");
    let (registries, extent) = import(from, version.as_deref())?;
    let wanted = files::render(&registries, extent, &folder)?;
    if *check {
        let problems = files::differences(&folder, &wanted, extent)?
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
        files::write(&folder, &wanted, extent)?;
        Ok(Outcome::in_order(format_args!(
            "wrote {} to {}",
            registries.iter().map(|it| it.version.as_str()).collect::<Vec<_>>().join(", "),
            folder.display()
        )))
    }
}

/// The registries that the sources in `from` come to, oldest first, and whether they are all.
fn import(from: &Path, version: Option<&str>) -> Result<(Vec<Registry>, Extent)> {
    if from.join("model").is_dir() {
        return Ok((vec![checkout(from, version)?], Extent::One));
    }
    ensure!(
        version.is_none(),
        "--version is for a checkout, and `{}` has no folder `model`",
        from.display()
    );
    Ok((folders(from)?, Extent::All))
}

/// The registry of every version under `from`, oldest first.
fn folders(from: &Path) -> Result<Vec<Registry>> {
    let entries = fs::read_dir(from).with_context(|| {
        format!(
            "cannot read the folder of sources `{}`: --from wants a folder with one folder per \
             version, or a checkout with its folder `model`",
            from.display()
        )
    })?;
    let mut releases = Vec::new();
    let mut facts = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if let Some(version) = number(name) {
            releases.push((version, path.join("model")));
        } else if path.join("facts.yaml").is_file() {
            facts.push((name.to_owned(), path.join("facts.yaml")));
        }
    }
    releases.sort();
    facts.sort();
    if releases.is_empty() {
        bail!("no folder in `{}` is named like a version, such as `1.41.1`", from.display());
    }
    let mut registries = Vec::new();
    for ([major, minor, patch], model) in releases {
        let version = format!("{major}.{minor}.{patch}");
        ensure!(model.is_dir(), "`{}` is not a folder", model.display());
        registries.push(release(&version, &model)?);
    }
    for (version, path) in facts {
        registries.push(facts::read(&version, &path)?);
    }
    Ok(registries)
}

fn release(version: &str, model: &Path) -> Result<Registry> {
    resolve::registry(version, source::read(model)?, None)
        .with_context(|| format!("cannot resolve version {version}"))
}

/// The registry of a checkout: of the conventions at large, or of those for GenAI, which build on
/// the newest release that is known.
fn checkout(from: &Path, version: Option<&str>) -> Result<Registry> {
    let model = from.join("model");
    let manifest = source::manifest(&model)?;
    let stated = manifest.map(|manifest| manifest.schema_url);
    if let Some(url) = stated.as_deref().filter(|url| url.contains("/gen-ai")) {
        let newest = Version::LATEST.registry();
        let version = version.unwrap_or(Version::GENAI_DEV.as_str());
        let mut registry = resolve::registry(version, source::read(&model)?, Some(&newest))
            .with_context(|| format!("cannot resolve version {version}"))?;
        supplement::carry_over(&mut registry, &newest);
        url.clone_into(&mut registry.schema_url);
        return Ok(registry);
    }
    let stated = stated.as_deref().and_then(|url| url.rsplit('/').next());
    let version = version.or(stated).with_context(|| {
        format!("`{}` does not say which version it is: name it by --version", from.display())
    })?;
    ensure!(
        number(version).is_some(),
        "`{version}` is not a version such as `1.44.0`: name it by --version"
    );
    release(version, &model)
}

/// The three numbers of a version.
fn number(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(str::parse);
    let number = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    parts.next().is_none().then_some(number)
}

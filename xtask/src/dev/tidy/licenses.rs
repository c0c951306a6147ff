//! Dependencies come from crates.io, under licences that `deny.toml` allows.

use std::fs;
use std::iter::Peekable;
use std::path::Path;
use std::str::SplitWhitespace;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::dev::workspace::Packages;

/// The parts of `deny.toml` that are read here.
#[derive(Deserialize)]
struct Policy {
    licenses: Licenses,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

/// A line for each package that the policy does not allow.
pub(super) fn problems(root: &Path, packages: &Packages) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join("deny.toml")).context("cannot read `deny.toml`")?;
    let policy: Policy = toml::from_str(&text).context("cannot understand `deny.toml`")?;
    let mut problems = Vec::new();
    for package in &packages.packages {
        let (name, version) = (&package.name, &package.version);
        match &package.license {
            Some(license) if allows(&policy.licenses.allow, license) => {}
            Some(license) => problems.push(format!(
                "`{name}` {version} is under `{license}`: do without it, or allow the licence in deny.toml"
            )),
            None => problems.push(format!("`{name}` {version} states no licence: do without it")),
        }
        let Some(source) = &package.source else { continue };
        let registry = source.strip_prefix("registry+").unwrap_or(source);
        if !policy.sources.allow_registry.iter().any(|allowed| allowed == registry) {
            problems
                .push(format!("`{name}` {version} comes from `{source}`: take it from crates.io"));
        }
    }
    Ok(problems)
}

/// Whether the licences of `allowed` are enough for the SPDX `expression`. The old way to write
/// "or", a slash, is understood; an expression that is not understood is not allowed.
fn allows(allowed: &[String], expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let verdict = any(allowed, &mut words);
    verdict == Some(true) && words.next().is_none()
}

type Words<'text> = Peekable<SplitWhitespace<'text>>;

/// Terms with `OR` between them; none when the words are no expression.
fn any(allowed: &[String], words: &mut Words) -> Option<bool> {
    let mut verdict = all(allowed, words)?;
    while words.next_if_eq(&"OR").is_some() {
        verdict |= all(allowed, words)?;
    }
    Some(verdict)
}

/// Licences with `AND` between them.
fn all(allowed: &[String], words: &mut Words) -> Option<bool> {
    let mut verdict = one(allowed, words)?;
    while words.next_if_eq(&"AND").is_some() {
        verdict &= one(allowed, words)?;
    }
    Some(verdict)
}

/// A licence, with its exception if it has one, or an expression in parentheses.
fn one(allowed: &[String], words: &mut Words) -> Option<bool> {
    if words.next_if_eq(&"(").is_some() {
        let verdict = any(allowed, words)?;
        return words.next_if_eq(&")").map(|_| verdict);
    }
    let mut license = words.next()?.to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        license = format!("{license} WITH {}", words.next()?);
    }
    Some(allowed.contains(&license))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_allowed_when_a_choice_of_it_is() {
        let allowed = ["MIT", "Zlib", "Unicode-3.0"].map(str::to_owned);
        for (expression, verdict) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("Apache-2.0 OR MIT", true),
            ("Apache-2.0/MIT", true),
            ("Apache-2.0 / MIT", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND GPL-3.0", false),
            ("MIT AND GPL-3.0 OR Zlib", true),
            ("Apache-2.0 WITH LLVM-exception", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
            ("MIT OR", false),
            ("(MIT", false),
            ("MIT Zlib", false),
            ("", false),
        ] {
            assert_eq!(allows(&allowed, expression), verdict, "{expression}");
        }
    }
}

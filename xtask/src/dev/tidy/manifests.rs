//! What every manifest of the workspace says.

use std::fs;

use anyhow::{Context, Result};

use crate::dev::workspace::Packages;

/// A line for each crate that does not take the workspace's lints.
pub(super) fn problems(packages: &Packages) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for member in packages.members() {
        let path = &member.manifest_path;
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        let manifest: toml::Table =
            toml::from_str(&text).with_context(|| format!("in `{}`", path.display()))?;
        if !takes_lints(&manifest) {
            problems.push(format!(
                "crate `{}` goes without the lints of the workspace: put `[lints]` and `workspace = true` into its Cargo.toml",
                member.name
            ));
        }
    }
    Ok(problems)
}

fn takes_lints(manifest: &toml::Table) -> bool {
    manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"))
        .and_then(toml::Value::as_bool)
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_are_the_workspaces_or_missing() {
        for (text, takes) in [
            ("[lints]\nworkspace = true", true),
            ("lints.workspace = true", true),
            ("[lints]\nworkspace = false", false),
            ("[lints.rust]\nunsafe_code = \"forbid\"", false),
            ("[package]\nname = \"x\"", false),
        ] {
            assert_eq!(takes_lints(&toml::from_str(text).unwrap()), takes, "{text}");
        }
    }
}

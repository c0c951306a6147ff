//! Paths that the documents name exist.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The documents whose paths are checked.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Folders that a build or a run makes.
const GENERATED: &[&str] = &["target", ".spanproof"];

/// A line for each path that is not there.
pub(super) fn problems(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document))
            .with_context(|| format!("cannot read `{document}`"))?;
        for (number, path) in paths(&text) {
            let first = path.split('/').next().unwrap_or_default();
            // A path that begins nowhere in the repository is one of the reader's, or no path.
            let is_ours = !GENERATED.contains(&first) && root.join(first).exists();
            if is_ours && !root.join(path).exists() {
                problems.push(format!(
                    "{document}:{number} names `{path}`, which is not there: correct it"
                ));
            }
        }
    }
    Ok(problems)
}

/// What looks like a path between backticks or as the target of a link, with its line's number. Of
/// a path with a placeholder, such as `rules/<group>/<name>.rs`, the folders before it.
fn paths(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (line, number) in text.lines().zip(1..) {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        if in_block {
            continue;
        }
        let code = line.split('`').skip(1).step_by(2);
        let links = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for candidate in code.chain(links) {
            let path = match candidate.find(['<', '*', '{']) {
                Some(end) => candidate[..end].rfind('/').map_or("", |slash| &candidate[..slash]),
                None => candidate,
            };
            let is_path = path.contains(['/', '.'])
                && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if is_path {
                found.push((number, path));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_other_code() {
        let text = "\
See `schemas/src/lib.rs`, `docs/` and [the map](ARCHITECTURE.md#map).
A rule lives in `core/src/rules/<group>/<name>.rs`; run `cargo test --workspace`.
```
`in/a/block.rs`
```
Send `POST /model/{modelId}/converse` with `application/json`; `--speed max`.";
        assert_eq!(
            paths(text),
            [
                (1, "schemas/src/lib.rs"),
                (1, "docs/"),
                (1, "ARCHITECTURE.md"),
                (2, "core/src/rules"),
                (6, "application/json"),
            ]
        );
    }
}

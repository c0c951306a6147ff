//! What no file of the repository may hold, and how long a Rust file may grow.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Lines of a Rust file. Most have a third of it; past it a file holds more than one concept.
const LONGEST_FILE_LINES: usize = 600;

/// What must not be in Rust files, and what to do about it. The words are put together here, so
/// that this file does not hold them.
const UNFINISHED: &[(&str, &str)] = &[
    (concat!("to", "do!"), "write what is missing"),
    (concat!("unimple", "mented!"), "write what is missing"),
    (concat!("#[ig", "nore"), "make the test pass everywhere, or remove it"),
];

/// The crate that judges: the same telemetry and ledger give the same findings, whenever and
/// wherever.
const PURE: &str = "conformance/core/src";

/// What would let the world into it. That it imports no runtime, [`super::imports`] checks.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "Instant::now",
    "SystemTime::now",
];

/// Where files lie on somebody's machine.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk"),
    concat!("/t", "mp"),
    concat!("/ho", "me"),
    concat!("/ro", "ot"),
    concat!("/Us", "ers"),
    concat!("../sha", "red"),
];

/// Files that are written by others, or by tools.
const FOREIGN: &[&str] = &["LICENSE", "Cargo.lock", "package-lock.json"];

/// A line for each problem in `files`, which are relative to `root`.
pub(super) fn problems(root: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if FOREIGN.contains(&name) {
            continue;
        }
        let bytes = fs::read(root.join(path))
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        // What is not text holds captured bytes.
        if let Ok(text) = str::from_utf8(&bytes) {
            problems.extend(problems_in(path, text));
        }
    }
    Ok(problems)
}

fn problems_in(path: &Path, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let shown = path.display();
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    let lines = text.lines().count();
    if is_rust && lines > LONGEST_FILE_LINES {
        problems.push(format!(
            "{shown} has {lines} lines, more than {LONGEST_FILE_LINES}: split it by concept"
        ));
    }
    for (line, number) in text.lines().zip(1..) {
        if is_rust {
            problems.extend(
                UNFINISHED
                    .iter()
                    .filter(|(word, _)| line.contains(word))
                    .map(|(word, remedy)| format!("{shown}:{number} has `{word}`: {remedy}")),
            );
        }
        // Tests may read fixtures; what is judged may not.
        if is_rust && path.starts_with(PURE) && !path.ends_with("tests.rs") {
            problems.extend(IMPURE.iter().filter(|word| line.contains(*word)).map(|word| {
                format!("{shown}:{number} has `{word}`: let the caller hand in what it gives")
            }));
        }
        problems.extend(MACHINE_PATHS.iter().filter(|start| names(line, start)).map(|start| {
            format!(
                "{shown}:{number} names a path under `{start}`: tests and texts must not depend on a machine"
            )
        }));
    }
    problems
}

/// Whether `line` has the path `start`, or one under it: `start` is not the end of a longer path or
/// URL, nor the beginning of a longer name.
fn names(line: &str, start: &str) -> bool {
    let continues = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    line.match_indices(start).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + start.len()..].chars().next();
        !before.is_some_and(|c| continues(c) || matches!(c, '}' | '>' | '/'))
            && !after.is_some_and(continues)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_named_with_their_line() {
        let text = format!(
            "fn f() {{\n    {}()\n}}\nconst P: &str = \"{}/x\";\n",
            UNFINISHED[0].0, MACHINE_PATHS[1]
        );
        let found = problems_in(Path::new("a/b.rs"), &text)
            .join("\n")
            .replace(UNFINISHED[0].0, "WORD")
            .replace(MACHINE_PATHS[1], "PATH");
        insta::assert_snapshot!(found, @r"
        a/b.rs:2 has `WORD`: write what is missing
        a/b.rs:4 names a path under `PATH`: tests and texts must not depend on a machine
        ");
        assert!(problems_in(Path::new("a/b.py"), "raise NotImplementedError").is_empty());
    }

    #[test]
    fn the_core_stays_pure() {
        let text = "let now = std::time::Instant::now();\n";
        assert_eq!(problems_in(Path::new("conformance/core/src/join/time.rs"), text).len(), 1);
        assert!(problems_in(Path::new("loadgen/src/pacing.rs"), text).is_empty());
    }

    #[test]
    fn a_rust_file_may_grow_to_the_limit() {
        let text = "\n".repeat(LONGEST_FILE_LINES);
        assert!(problems_in(Path::new("b.rs"), &text).is_empty());
        assert_eq!(problems_in(Path::new("b.rs"), &(text.clone() + "\n")).len(), 1);
        assert!(problems_in(Path::new("b.json"), &(text + "\n")).is_empty());
    }

    #[test]
    fn a_path_is_told_from_what_looks_like_one() {
        let start = MACHINE_PATHS[0];
        for (line, named) in [
            (format!("see {start}/main"), true),
            (format!("`{start}`"), true),
            (format!("https://example.com{start}/main"), false),
            (format!("{start}flow/x"), false),
            (format!("{{id}}{start}/x"), false),
        ] {
            assert_eq!(names(&line, start), named, "{line}");
        }
    }
}

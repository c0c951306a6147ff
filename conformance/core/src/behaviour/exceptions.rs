//! Exceptions as programs report them on standard error.

/// The beginning of a report in Python.
const TRACEBACK: &str = "Traceback (most recent call last):";

/// The beginning of a report in Java.
const IN_THREAD: &str = "Exception in thread ";

/// The types of the exceptions that `stderr` reports, in their order: Python's tracebacks, and the
/// stacks that JavaScript and the JVM print below the name of an error.
///
/// ```
/// use conformance_core::behaviour::exceptions;
///
/// let stderr = "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no\n";
/// assert_eq!(exceptions(stderr), ["ValueError"]);
/// ```
#[must_use]
pub fn exceptions(stderr: &str) -> Vec<String> {
    let lines: Vec<&str> = stderr.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let after = lines.get(at + 1).copied().unwrap_or_default();
        let reported = if line.trim_start() == TRACEBACK {
            let indent = line.len() - line.trim_start().len();
            lines[at + 1..].iter().find_map(|line| outside(line, indent))
        } else if is_frame(after) && !is_frame(line) {
            let name = line.strip_prefix(IN_THREAD).and_then(|rest| rest.split_once("\" "));
            Some(name.map_or(*line, |(_, name)| name))
        } else {
            None
        };
        found.extend(reported.and_then(name).map(ToOwned::to_owned));
    }
    found
}

/// What follows the frames of a traceback that is indented so far.
fn outside(line: &str, indent: usize) -> Option<&str> {
    let text = line.get(indent..)?;
    (!text.is_empty() && !text.starts_with([' ', '\t'])).then_some(text)
}

fn is_frame(line: &str) -> bool {
    line.trim_start().starts_with("at ") && line.starts_with([' ', '\t'])
}

/// The name of a type at the beginning of a line.
fn name(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("Uncaught ");
    let end = line.find([':', ' ', '{', '[']).unwrap_or(line.len());
    let name = &line[..end];
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || "._$".contains(c));
    is_name.then_some(name)
}

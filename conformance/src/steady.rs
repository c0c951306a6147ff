//! Text without what differs from run to run: times, ports, ids, addresses of memory.
//!
//! What is taken out leaves its name, so that a line with a time differs from one without.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// A pattern, and what stands in the place of what it matches.
type Replacement = (Regex, &'static str);

/// What differs in any text: values of telemetry, and what programs print.
static ANYWHERE: LazyLock<Vec<Replacement>> = LazyLock::new(|| {
    compiled(&[
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "<uuid>"),
        // The header of AWS X-Ray.
        (r"\b1-[0-9a-f]{8}-[0-9a-f]{24}\b", "<trace id>"),
        (
            r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z\b|[+-]\d{2}:?\d{2}\b)?",
            "<time>",
        ),
        // Seconds since 1970, from 2020 to 2033, or parts of seconds.
        (r"\b1[6-9]\d{8}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?\b", "<time>"),
        (r"(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}\b", "${1}:<port>"),
        (r"\b0x[0-9a-fA-F]{6,16}\b", "<address>"),
        (r"(?:/private)?/(?:tmp|var/folders)/[^\s'\x22:;,)]+", "<temporary file>"),
    ])
});

/// What differs in what programs print beside that.
static PRINTED: LazyLock<Vec<Replacement>> = LazyLock::new(|| {
    compiled(&[
        (r"\b\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b", "<time>"),
        (r"\b\d+(?:\.\d+)?(?: ?(?:ns|us|µs|ms|s|sec|secs|seconds?|minutes?)| m)\b", "<duration>"),
        (r"\b(pid|PID)([ =:]+)\d+\b", "${1}${2}<pid>"),
        // Lines that programs draw as wide as what stands in them lets them.
        (r"={4,}", "===="),
        (r"-{4,}", "----"),
        (r"\*{4,}", "****"),
        (r"\x1b\[[0-9;]*[A-Za-z]", ""),
    ])
});

fn compiled(patterns: &[(&str, &'static str)]) -> Vec<Replacement> {
    patterns
        .iter()
        .map(|(pattern, with)| (Regex::new(pattern).expect("a pattern of ours"), *with))
        .collect()
}

/// `text`, a value of telemetry, without what differs from run to run.
///
/// ```
/// let steady = conformance::steady::value("http://127.0.0.1:43123 at 2026-11-26T20:42:00Z");
/// assert_eq!(steady, "http://127.0.0.1:<port> at <time>");
/// ```
#[must_use]
pub fn value(text: &str) -> Cow<'_, str> {
    replaced(text, &ANYWHERE)
}

/// A line that a program printed, without what differs from run to run: also durations, clock
/// times, colours, and the width of drawn lines.
///
/// ```
/// let steady = conformance::steady::printed("======== 3 passed in 0.12s ========");
/// assert_eq!(steady, "==== 3 passed in <duration> ====");
/// ```
#[must_use]
pub fn printed(line: &str) -> String {
    let line = replaced(line, &ANYWHERE);
    replaced(&line, &PRINTED).into_owned()
}

fn replaced<'a>(text: &'a str, replacements: &[Replacement]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for (pattern, with) in replacements {
        if let Cow::Owned(changed) = pattern.replace_all(&text, *with) {
            text = Cow::Owned(changed);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_taken_out_and_nothing_else() {
        for (text, steady) in [
            ("a 5b8efff7-9803-8103-d269-b633813fc60c b", "a <uuid> b"),
            ("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", "Root=<trace id>;Sampled=1"),
            ("2026-11-26 20:42:00,123", "<time>"),
            ("created 1764189720.5", "created <time>"),
            ("http://[::1]:8080/model", "http://[::1]:<port>/model"),
            ("<object at 0x7f2b1c0d3e50>", "<object at <address>>"),
            ("File \"/var/folders/a1/app.py\", line 3", "File \"<temporary file>\", line 3"),
            (
                "anthropic.claude-3-7-sonnet-20250219-v1:0",
                "anthropic.claude-3-7-sonnet-20250219-v1:0",
            ),
            ("example.com:443", "example.com:443"),
            ("42 rivers, 1024 tokens", "42 rivers, 1024 tokens"),
        ] {
            assert_eq!(value(text), steady);
        }
        for (text, steady) in [
            ("\u{1b}[32mok\u{1b}[0m in 1.5 s", "ok in <duration>"),
            ("12:00:01 worker pid 4711 ready", "<time> worker pid <pid> ready"),
            ("took 250ms", "took <duration>"),
            ("5 s", "<duration>"),
            ("5 spans", "5 spans"),
        ] {
            assert_eq!(printed(text), steady);
        }
    }
}

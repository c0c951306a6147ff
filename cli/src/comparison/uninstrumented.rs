//! The command without what instruments it.

use std::env::{join_paths, split_paths};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::command::Invocation;

/// Set for a command that is to leave out its own instrumentation.
pub(crate) const VARIABLE: &str = "SPANPROOF_UNINSTRUMENTED";

/// Programs that run another with instrumentation.
const WRAPPERS: &[&str] = &["opentelemetry-instrument", "ddtrace-run"];

/// Programs that take options which load a module first.
const NODE: &[&str] = &["node", "nodejs", "nodemon", "ts-node", "tsx"];

/// These options.
const PRELOADING: &[&str] = &["--require", "-r", "--import", "--loader", "--experimental-loader"];

/// An option of the JVM that loads an agent.
const JAVA_AGENT: &str = "-javaagent:";

/// What the name of a module or an agent that instruments has in it.
const INSTRUMENTING: &[&str] = &[
    "dd-java-agent",
    "dd-trace",
    "elastic-apm",
    "instrument",
    "newrelic",
    "openinference",
    "openllmetry",
    "otel",
    "sentry",
    "telemetry",
    "traceloop",
    "tracing",
];

/// A folder with this in its path loads instrumentation when Python starts.
const AUTO_INSTRUMENTATION: &str = "opentelemetry/instrumentation/auto_instrumentation";

/// A command without instrumentation, and what was left out of it, in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) invocation: Invocation,
    pub(super) left_out: Vec<String>,
}

/// Leaves out of `words`, and of the variables that `variable` tells, what is known to instrument.
pub(super) fn plain(words: &[OsString], variable: impl Fn(&str) -> Option<OsString>) -> Plain {
    let mut left_out = Vec::new();
    let mut rest = words.to_vec();
    without_wrapper(&mut rest, &mut left_out);
    let runs_node = rest.iter().any(|word| is_named(word, NODE));
    without_preloads(&mut rest, runs_node, &mut left_out);
    let mut environment = vec![(OsString::from(VARIABLE), Some(OsString::from("1")))];
    for (name, is_node) in [
        ("NODE_OPTIONS", true),
        ("JAVA_TOOL_OPTIONS", false),
        ("JDK_JAVA_OPTIONS", false),
        ("_JAVA_OPTIONS", false),
    ] {
        let Some(value) = variable(name) else { continue };
        let Some(text) = value.to_str() else { continue };
        let mut options: Vec<OsString> = text.split_whitespace().map(OsString::from).collect();
        let before = left_out.len();
        without_preloads(&mut options, is_node, &mut left_out);
        if left_out.len() > before {
            for said in &mut left_out[before..] {
                *said = format!("{said} of {name}");
            }
            environment.push((name.into(), Some(options.join(OsStr::new(" ")))));
        }
    }
    if let Some(path) = variable("PYTHONPATH") {
        let (loading, others): (Vec<_>, Vec<_>) =
            split_paths(&path).partition(|folder| is_auto_instrumentation(folder));
        if let (false, Ok(others)) = (loading.is_empty(), join_paths(others)) {
            left_out.push("auto_instrumentation of PYTHONPATH".to_owned());
            environment.push(("PYTHONPATH".into(), Some(others)));
        }
    }
    Plain { invocation: Invocation { words: rest, environment }, left_out }
}

/// Leaves out a program that runs the rest of the command, with its options.
fn without_wrapper(words: &mut Vec<OsString>, left_out: &mut Vec<String>) {
    let Some(at) = words.iter().position(|word| is_named(word, WRAPPERS)) else { return };
    let mut end = at + 1;
    while let Some(option) = words.get(end).and_then(|word| word.to_str())
        && option.starts_with('-')
    {
        // A long option that does not hold its value is followed by it.
        let has_value_after = option.starts_with("--") && option != "--" && !option.contains('=');
        end += if has_value_after { 2 } else { 1 };
    }
    let gone: Vec<OsString> = words.drain(at..end.min(words.len())).collect();
    left_out.push(gone.join(OsStr::new(" ")).to_string_lossy().into_owned());
}

/// Leaves out options that load what instruments.
fn without_preloads(words: &mut Vec<OsString>, runs_node: bool, left_out: &mut Vec<String>) {
    let mut at = 0;
    while let Some(word) = words.get(at).and_then(|word| word.to_str()) {
        let (option, value) = word.split_once('=').unwrap_or((word, ""));
        let is_preload = runs_node && PRELOADING.contains(&option);
        let following = words.get(at + 1).and_then(|word| word.to_str()).unwrap_or_default();
        let length = match word.strip_prefix(JAVA_AGENT) {
            Some(agent) if instruments(agent) => 1,
            None if is_preload && instruments(value) => 1,
            None if is_preload && value.is_empty() && instruments(following) => 2,
            None | Some(_) => 0,
        };
        if length == 0 {
            at += 1;
            continue;
        }
        let gone: Vec<OsString> = words.drain(at..at + length).collect();
        left_out.push(gone.join(OsStr::new(" ")).to_string_lossy().into_owned());
    }
}

fn instruments(module: &str) -> bool {
    let module = module.to_ascii_lowercase();
    INSTRUMENTING.iter().any(|part| module.contains(part))
}

fn is_named(word: &OsStr, names: &[&str]) -> bool {
    let stem = Path::new(word).file_stem();
    stem.and_then(OsStr::to_str).is_some_and(|stem| names.contains(&stem))
}

fn is_auto_instrumentation(folder: &Path) -> bool {
    folder.to_string_lossy().replace('\\', "/").contains(AUTO_INSTRUMENTATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that are left of a command, and what was left out.
    fn left(command: &str, variables: &[(&str, &str)]) -> (String, Vec<String>, Vec<String>) {
        let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let Plain { invocation, left_out } = plain(&words, variable);
        let words = invocation.words.join(OsStr::new(" ")).into_string().unwrap();
        let set = invocation.environment.into_iter().map(|(name, value)| {
            format!("{}={}", name.display(), value.unwrap_or_default().display())
        });
        (words, left_out, set.skip(1).collect())
    }

    #[test]
    fn what_instruments_is_left_out_and_nothing_else() {
        for (command, rest) in [
            ("opentelemetry-instrument python a.py --x", "python a.py --x"),
            (
                ".venv/bin/opentelemetry-instrument --service_name s --y=1 python a.py",
                "python a.py",
            ),
            ("uv run opentelemetry-instrument pytest -r a", "uv run pytest -r a"),
            ("ddtrace-run -d python a.py", "python a.py"),
            ("node --require ./otel.cjs --import tsx app.js", "node --import tsx app.js"),
            (
                "node -r dotenv/config --import=@opentelemetry/auto app.js",
                "node -r dotenv/config app.js",
            ),
            (
                "java -javaagent:opentelemetry-javaagent.jar -javaagent:jacoco.jar A",
                "java -javaagent:jacoco.jar A",
            ),
            ("pip install -r otel.txt", "pip install -r otel.txt"),
            ("opentelemetry-instrument", ""),
        ] {
            let (words, left_out, _) = left(command, &[]);
            assert_eq!(words, rest);
            assert_eq!(left_out.is_empty(), command == rest, "{command}");
        }
    }

    #[test]
    fn variables_that_instrument_are_changed() {
        let (_, left_out, set) = left(
            "node app.js",
            &[
                ("NODE_OPTIONS", "--max-old-space-size=100 --require ./instrument.cjs"),
                ("JAVA_TOOL_OPTIONS", "-Xmx1g"),
                ("PYTHONPATH", "/a:/s/opentelemetry/instrumentation/auto_instrumentation"),
            ],
        );
        assert_eq!(set, ["NODE_OPTIONS=--max-old-space-size=100", "PYTHONPATH=/a"]);
        assert_eq!(left_out[0], "--require ./instrument.cjs of NODE_OPTIONS");
    }
}

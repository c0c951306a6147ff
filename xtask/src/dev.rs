//! The developers' verbs: what keeps the workspace itself in order.

mod bench;
mod children;
mod clients;
mod docs;
mod event_stream_client;
mod fuzz;
mod matrix;
mod process;
mod semconv;
mod soak;
mod stack;
mod test;
mod threads;
mod tidy;
mod workspace;

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Subcommand;

/// A developers' verb.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// The semantic-convention registries under `schemas/semconv/`.
    #[command(subcommand)]
    Semconv(semconv::Command),
    /// Check what the compiler does not: layering, file lengths, paths in documents, licences.
    Tidy,
    /// Write what is generated of pages and of the stack's rules, or check that it is current.
    Docs(docs::Args),
    /// Run everything that a change must pass.
    Test(test::Args),
    /// Measure speed beside the bare ceiling.
    Bench(bench::Args),
    /// Hold many streams open for a long time, with faults, and check what is left of it.
    Soak(soak::Args),
    /// Run Collector and Prometheus as `deploy/stack/` has them, and compare what they count with
    /// what was sent.
    Stack(stack::Args),
    /// Run the fuzz targets; needs a nightly compiler and cargo-fuzz.
    Fuzz(fuzz::Args),
    /// Run released instrumentations in every situation, and write what was found of each.
    Matrix(matrix::Args),
    /// The ceiling of `bench mock --peers`, which starts it.
    #[command(hide = true)]
    BareServer(bench::BareServer),
}

/// Runs `command` and says on standard output what came of it: 0 when all is in order, 1 when
/// something has to be done, 2 when the command could not do its work.
pub(crate) fn main(command: &Command) -> ExitCode {
    let outcome = match command {
        Command::Semconv(command) => semconv::run(command),
        Command::Tidy => tidy::run(),
        Command::Docs(args) => docs::run(args),
        Command::Test(args) => test::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Soak(args) => soak::run(args),
        Command::Stack(args) => stack::run(args),
        Command::Fuzz(args) => fuzz::run(args),
        Command::Matrix(args) => matrix::run(args),
        Command::BareServer(args) => bench::serve_bare(args),
    };
    match outcome {
        Ok(Outcome { lines, in_order }) => {
            say(&mut io::stdout().lock(), &lines);
            if in_order { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(error) => {
            // What fails because its processes were ended is not worth telling.
            let error = children::ensure_not_interrupted().err().unwrap_or(error);
            say(&mut io::stderr().lock(), &[format!("error: {error:#}")]);
            ExitCode::from(2)
        }
    }
}

/// What a developers' verb found.
#[derive(Debug)]
struct Outcome {
    /// What to tell, a line each.
    lines: Vec<String>,
    /// Whether nothing is left to do.
    in_order: bool,
}

impl Outcome {
    /// All is well.
    fn in_order(line: impl fmt::Display) -> Outcome {
        Outcome { lines: vec![line.to_string()], in_order: true }
    }

    /// `problems`, or `otherwise` when there are none.
    fn problems(problems: Vec<String>, otherwise: impl fmt::Display) -> Outcome {
        if problems.is_empty() {
            Outcome::in_order(otherwise)
        } else {
            Outcome { lines: problems, in_order: false }
        }
    }
}

/// Writes `lines` to `out`. A reader who has gone away has read enough.
fn say(out: &mut impl Write, lines: &[String]) {
    for line in lines {
        if writeln!(out, "{line}").is_err() {
            return;
        }
    }
}

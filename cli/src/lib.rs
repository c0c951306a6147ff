//! The command line of spanproof: arguments and wiring, one file per verb.
//!
//! What the verbs do stands in the crates they wire together; what they print and how they end
//! stands here. `cargo xtask VERB` runs the same [`run`].

mod args;
mod clients;
mod command;
mod comparison;
mod configuration;
mod cost;
mod environment;
mod exit;
mod expected;
mod gates;
mod interrupt;
pub mod judging;
mod output;
mod progress;
mod scenario;
mod servers;
mod serving;
mod snapshot;
mod verbs;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

pub use crate::configuration::check_configuration;

/// Runs one command line, program name first, and says how it ended.
///
/// Exit codes: 0 conforms; 1 findings at or above `--fail-on`; 2 usage or configuration error;
/// 3 could not judge; 4 nothing was captured. Where several apply, the first in the order
/// 2, 3, 4, 1.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match args::Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            // A closed pipe is the reader's choice.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match verbs::dispatch(args) {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            output::complain(&format!("error: {failure}"));
            failure.code()
        }
    }
}

//! `cargo xtask`: the verbs of spanproof for this workspace, and its developers' own under `dev`.

mod dev;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// As in the `spanproof` binary, so that both run alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The verbs of spanproof for this workspace, and its developers' own.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    version,
    after_help = "Every other verb is spanproof's own: run, check, load, mock, receive, rules, explain."
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// For those who work on spanproof itself: tests, benches, imports and checks of the workspace.
    #[command(subcommand)]
    Dev(dev::Command),
    #[command(external_subcommand)]
    Spanproof(Vec<OsString>),
}

fn main() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Dev(command) => dev::main(&command),
        Verb::Spanproof(arguments) => {
            spanproof::run(std::iter::once("cargo xtask".into()).chain(arguments))
        }
    }
}

//! `cargo xtask`: the verbs of spanproof for this workspace, and its developers' own under `dev`.

mod dev;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The verbs of spanproof for this workspace, and its developers' own.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// For those who work on spanproof itself: imports and checks of the workspace.
    #[command(subcommand)]
    Dev(dev::Command),
}

fn main() -> ExitCode {
    let Arguments { verb: Verb::Dev(command) } = Arguments::parse();
    dev::main(&command)
}

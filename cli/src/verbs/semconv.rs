//! `spanproof semconv`: the versions of the conventions that are known, and what changed between
//! two of them.

mod diff;
mod list;

use spanproof_schemas::semconv::Version;

use crate::exit::{Failure, Outcome};

/// Arguments of `semconv`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, clap::Subcommand)]
enum Question {
    /// List the known versions, with how much each defines
    List(ListArgs),
    /// Show what changed from one version to another: the table of a migration
    Diff(DiffArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// How to write it: human or json
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    report: Form,
}

#[derive(Debug, clap::Args)]
struct DiffArgs {
    /// The version before, such as `1.36.0`
    #[arg(value_name = "A")]
    from: Version,
    /// The version after, such as `1.41.1` or `genai-dev`
    #[arg(value_name = "B")]
    to: Version,
    /// How to write it: human, or json by `semconv-diff.schema.json`
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    report: Form,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    Human,
    Json,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.question {
        Question::List(args) => list::run(args.report),
        Question::Diff(args) => diff::run(args.from, args.to, args.report),
    }
}

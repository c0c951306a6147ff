//! The verbs and their arguments.

use crate::verbs;

/// Proves GenAI telemetry on AWS Bedrock.
///
/// Serves the model calls itself, so it knows what every span should say; captures the telemetry
/// of real clients, and judges it against the semantic conventions and against the truth.
#[derive(Debug, clap::Parser)]
#[command(name = "spanproof", version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Run a command against a mock Bedrock and an OTLP receiver, and judge what it emitted
    Run(verbs::run::Args),
    /// Judge captured telemetry
    Check(verbs::check::Args),
    /// Drive an instrumented client at a rate, and judge what it emitted
    Load(Box<verbs::load::Args>),
    /// List the clients that `load` can drive
    Clients,
    /// Make one report of what the shards of a load wrote, and look at its gates
    Merge(verbs::merge::Args),
    /// Serve only the mock Bedrock
    Mock(verbs::mock::Args),
    /// Serve only the OTLP receiver, into a capture file
    Receive(verbs::receive::Args),
    /// What a load, or captured telemetry, takes in Grafana Tempo
    Size(verbs::size::Args),
    /// List the rules
    Rules,
    /// Explain one rule: what it checks, why, an example, how to mend
    Explain(verbs::explain::Args),
    /// The known versions of the semantic conventions, and what changed between two
    Semconv(verbs::semconv::Args),
}

#[cfg(test)]
mod tests;

//! `spanproof explain RULE`

use anyhow::anyhow;

use crate::exit::{Failure, OrFail as _, Outcome};
use crate::output;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The rule's id, such as `usage/input-tokens`
    rule: String,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let rule = conformance_core::rules::find(&args.rule)
        .ok_or_else(|| anyhow!("unknown rule `{}`; `spanproof rules` lists them", args.rule))
        .or_usage()?;
    output::show(conformance_core::docs::page(rule))?;
    Ok(Outcome::Conforms)
}

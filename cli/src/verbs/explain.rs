//! `spanproof explain RULE`

use anyhow::anyhow;
use conformance::report::terminal;

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
    let page = conformance_core::docs::page(rule);
    // What stands before is for those who would edit the file.
    let text = page.split_once("-->\n\n").map_or(page.as_str(), |(_, text)| text);
    output::show(terminal(text, output::style()))?;
    Ok(Outcome::Conforms)
}

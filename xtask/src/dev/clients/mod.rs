//! The clients in other languages, end to end: their SDKs against the mock, their telemetry
//! against the rules.

mod fidelity;
mod judged;
pub(crate) mod packages;
mod pipelines;
mod reports;
mod smoke;

use std::{env, io};

use anyhow::Result;
use loadgen::external::{Environment, Requirements, clients_dir, home_dir};

use super::say;

pub(crate) use fidelity::check as fidelity;
pub(crate) use judged::{
    article, genai_bedrock, unchanged_program, well_behaved, well_behaved_java, well_behaved_node,
};
pub(crate) use pipelines::{action, lints};
pub(crate) use reports::public_schemas;
pub(crate) use smoke::{Spans, smoke};

/// The Python environment of `requirements`, made on first use.
pub(super) fn prepare(requirements: &Requirements) -> Result<Environment> {
    let home = home_dir(&clients_dir()?);
    Ok(Environment::prepare(requirements, &home, &mut |line| {
        say(&mut io::stdout(), &[line.to_owned()]);
    })?)
}

/// Whether a client whose tools are not on this machine is left out: everywhere but in CI.
pub(super) fn skips_missing_tools() -> bool {
    env::var("CI").map_or(true, |ci| ci != "true")
}

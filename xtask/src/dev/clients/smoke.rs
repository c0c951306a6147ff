//! Each client program under load, with faults.

use std::io;

use anyhow::{Result, bail, ensure};
use loadgen::external::{Environment, Manifest, clients_dir, home_dir};

use super::super::say;
use super::judged::Judged;
use super::skips_missing_tools;

/// How many calls each makes; half of them meet a fault.
const CALLS: u64 = 20;

/// How many of the calls the instrumentation of a client gives a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spans {
    /// Each.
    All,
    /// Not those of some calls that fail, of streams above all.
    NotOfSomeFailures,
    /// None: it knows nothing of GenAI.
    None,
}

/// The client makes every call that is asked of it, its spans are joined with the ledger, and a call
/// without a span is a finding.
///
/// When a tool that it needs is not on this machine, says so and passes; under `CI=true` that is a
/// failure.
pub(crate) fn smoke(client: &str, spans: Spans) -> Result<()> {
    let clients = clients_dir()?;
    let requirements = Manifest::load(&clients, client)?.requirements();
    let mut progress = |line: &str| say(&mut io::stdout(), &[line.to_owned()]);
    match Environment::prepare(&requirements, &home_dir(&clients), &mut progress) {
        Err(error) if error.is_missing_tool() && skips_missing_tools() => {
            progress(&format!("{client} is skipped: {error}"));
            return Ok(());
        }
        Err(error) => bail!(error),
        Ok(_) => {}
    }
    let calls = CALLS.to_string();
    let load = ["load", "--client", client, "--calls", &calls, "--speed", "max"];
    let judged = Judged::run(&[&load[..], &["--scenario", "failure-storm"]].concat())?;
    let made = &judged.report["load"]["completed"];
    ensure!(*made == CALLS, "the client made {made} of {CALLS} calls");
    let join = &judged.report["join"];
    let missing = judged.count("truth/missing-span");
    ensure!(
        join["calls"] == CALLS
            && join["unmatched_spans"] == 0
            && join["unmatched_calls"] == missing,
        "the ledger and the telemetry are not the same {CALLS} calls, of which {missing} are found \
         to lack a span: {join}"
    );
    let (least, most) = match spans {
        Spans::All => (0, 0),
        Spans::NotOfSomeFailures => (0, CALLS / 2),
        Spans::None => (CALLS, CALLS),
    };
    ensure!((least..=most).contains(&missing), "{missing} of {CALLS} calls have no span: {join}");
    Ok(())
}

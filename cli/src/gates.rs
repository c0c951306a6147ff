//! What a load must reach, for the verbs that run and merge loads.

use std::time::Duration;

use anyhow::anyhow;
use loadgen::{Gates, Share};
use spanproof_schemas::report::{Gate, Load};

use crate::exit::{Failure, OrFail as _};

const HEADING: &str = "Gates";

/// What a load must reach; a load that does not is not the one that was asked for, and ends with
/// exit code 3.
#[derive(Debug, clap::Args)]
pub(crate) struct GateArgs {
    /// Fail unless so much of the planned rate was achieved, such as 99%
    #[arg(long, value_name = "SHARE", help_heading = HEADING)]
    min_achieved: Option<Share>,
    /// Fail if the 99th percentile of schedule lag is above this, such as 2ms
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration,
          help_heading = HEADING)]
    max_lag_p99: Option<Duration>,
    /// How many calls and spans together may be lost: failed, skipped, dropped, not made, not
    /// exported
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = HEADING)]
    max_lost: u64,
}

impl GateArgs {
    /// Whether there is a gate for the rate of calls or their lag.
    pub(crate) fn is_of_rate(&self) -> bool {
        self.min_achieved.is_some() || self.max_lag_p99.is_some()
    }

    /// What `load` reached of it.
    pub(crate) fn of(&self, load: &Load) -> Vec<Gate> {
        let GateArgs { min_achieved, max_lag_p99, max_lost } = *self;
        Gates { min_achieved, max_lag_p99, max_lost }.of(load)
    }
}

/// Fails where a gate of `load` is missed, or its books do not fit together.
pub(crate) fn check(load: &Load) -> Result<(), Failure> {
    let missed = load.gates.iter().filter(|gate| !gate.is_met).map(|gate| {
        let advice = gate.advice.as_deref().unwrap_or("see the report");
        format!("{} is missed: asked for {}, seen {}; {advice}", gate.name, gate.asked, gate.seen)
    });
    let books = load.telemetry.iter().flat_map(|telemetry| &telemetry.mismatches);
    let books = books.map(|mismatch| format!("the books of spans do not fit together: {mismatch}"));
    let told: Vec<String> = missed.chain(books).collect();
    if told.is_empty() { Ok(()) } else { Err(anyhow!(told.join("\n"))).or_could_not_judge() }
}

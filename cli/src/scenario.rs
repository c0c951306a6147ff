//! The scenario that an argument names.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use loadgen::Scenario;

use crate::exit::{Failure, OrFail as _};

/// One of ours by its name, or one of the user's by its path, which has an extension.
pub(crate) fn named(scenario: &str) -> Result<Scenario, Failure> {
    let path = Path::new(scenario);
    if path.extension().is_none() {
        return Scenario::named(scenario).or_usage();
    }
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the scenario {}", path.display()))
        .or_could_not_judge()?;
    Scenario::read(&text).with_context(|| path.display().to_string()).or_usage()
}

//! `spanproof rules`

use conformance::report::listed;

use crate::exit::{Failure, Outcome};
use crate::output;

pub(crate) fn run() -> Result<Outcome, Failure> {
    let rules = conformance_core::rules::RULES.iter();
    let items = rules.map(|rule| [rule.id, rule.level.as_str(), rule.summary]);
    output::show(listed(items, output::style()))?;
    Ok(Outcome::Conforms)
}

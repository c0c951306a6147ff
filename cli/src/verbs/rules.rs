//! `spanproof rules`

use std::fmt::Write as _;

use crate::exit::{Failure, Outcome};
use crate::output;

pub(crate) fn run() -> Result<Outcome, Failure> {
    let rules = conformance_core::rules::RULES;
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut list = String::new();
    for rule in rules {
        // Writing to a string cannot fail.
        let _ = writeln!(list, "{:width$}  {:11}  {}", rule.id, rule.level.as_str(), rule.summary);
    }
    output::show(&list)?;
    Ok(Outcome::Conforms)
}

//! `spanproof mock faults`

use std::fmt::Write as _;

use mock_bedrock::KnownFault;
use spanproof_schemas::ledger::Operation;

use crate::exit::{Failure, Outcome};
use crate::output;

pub(super) fn run() -> Result<Outcome, Failure> {
    let faults = mock_bedrock::faults();
    let width = faults.iter().map(|fault| fault.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for fault in &faults {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:width$}  {}", fault.name, strikes(fault));
    }
    text.push_str(
        "\nWith @2 after it a fault strikes the second attempt of a call only, with @1-2 the first \
         two.\n",
    );
    output::show(text)?;
    Ok(Outcome::Conforms)
}

/// What a fault can strike, in the fewest words.
fn strikes(fault: &KnownFault) -> String {
    let named = |wanted: bool| -> Vec<&str> {
        let operations = Operation::ALL.iter();
        operations
            .filter(|it| fault.operations.contains(it) == wanted)
            .map(|it| it.name())
            .collect()
    };
    let (struck, spared) = (named(true), named(false));
    if spared.is_empty() {
        "every operation".to_owned()
    } else if spared.len() < struck.len() {
        format!("all but {}", spared.join(", "))
    } else {
        struck.join(", ")
    }
}

//! Every fault, for people to look up.

use spanproof_schemas::ledger::Operation;

use super::named;

/// A fault that a request or a plan can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFault {
    /// How one asks for it, such as `stream:throttlingException`, or `stall=5s` for any span.
    pub name: String,
    /// The operations that it can strike. Which of their requests depends on the request: a stop
    /// reason, for one, needs a model that writes text.
    pub operations: Vec<Operation>,
}

/// Every fault: exceptions first, then what is done to an answer on its way, then reasons to end.
#[must_use]
pub fn faults() -> Vec<KnownFault> {
    named::all()
        .into_iter()
        .map(|name| KnownFault { operations: named::operations(&name), name })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::quirk::Quirk;

    #[test]
    fn every_fault_is_listed_once_can_strike_something_and_is_accepted_as_listed() {
        let faults = faults();
        let names: BTreeSet<&str> = faults.iter().map(|fault| &*fault.name).collect();
        assert_eq!(names.len(), faults.len());
        for fault in &faults {
            assert!(!fault.operations.is_empty(), "{}", fault.name);
            assert_eq!(named::check(&fault.name), Ok(()));
        }
    }

    #[test]
    fn the_reference_has_every_fault_and_every_quirk() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mock-bedrock-reference.md");
        let page = fs::read_to_string(page).unwrap();
        let quirks = Quirk::ALL.iter().map(|quirk| quirk.name().to_owned());
        for name in faults().into_iter().map(|fault| fault.name).chain(quirks) {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}

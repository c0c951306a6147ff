//! Where the ledger goes.

mod gathered;
mod in_memory;
mod json_lines;

use spanproof_schemas::ledger::Record;

pub use in_memory::InMemory;
pub use json_lines::{JsonLines, LedgerError};

/// Takes the records of a run: one [`Record::Run`] first, then an exchange when each has ended, in
/// the order of their ends.
pub trait LedgerSink: Send + Sync + 'static {
    /// Takes one record. Called on the request path, so it should be quick and wait for nothing.
    fn record(&self, record: Record);

    /// Returns when everything taken so far is where it belongs. May block.
    ///
    /// # Errors
    ///
    /// When something taken could not be kept.
    fn flush(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}

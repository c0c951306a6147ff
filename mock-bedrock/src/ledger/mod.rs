//! Where the ledger goes.

mod discard;
mod gathered;
mod in_memory;
mod json_lines;

use std::time::Instant;

use spanproof_schemas::ledger::Record;

pub use discard::Discard;
pub use in_memory::InMemory;
pub use json_lines::{JsonLines, LedgerError};

/// A frame of a stream that was handed to its connection.
#[derive(Clone, Copy, Debug)]
pub struct HandedFrame<'a> {
    /// The `x-amzn-RequestId` of the answer.
    pub request_id: &'a str,
    /// Its place in the stream, from 0.
    pub number: usize,
    /// When it was to be handed over.
    pub planned: Instant,
    /// When it was.
    pub handed: Instant,
}

/// Takes the records of a run: one [`Record::Run`] first, then an exchange when each has ended, in
/// the order of their ends.
pub trait LedgerSink: Send + Sync + 'static {
    /// Takes one record. Called on the request path, so it should be quick and wait for nothing.
    fn record(&self, record: &Record);

    /// Sees a frame of a stream when it is handed to the connection: for those who measure how
    /// well streams keep to their plan. Not called at [`Speed::Max`] for streams that no fault holds
    /// up, which have no plan. Does nothing unless a sink says otherwise.
    ///
    /// [`Speed::Max`]: spanproof_schemas::speed::Speed::Max
    fn frame(&self, frame: &HandedFrame<'_>) {
        let _ = frame;
    }

    /// Returns when everything taken so far is where it belongs. May block.
    ///
    /// # Errors
    ///
    /// When something taken could not be kept.
    fn flush(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}

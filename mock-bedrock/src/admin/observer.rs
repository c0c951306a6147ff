//! Looks at every record on its way into the ledger.

use std::sync::Arc;

use spanproof_schemas::ledger::Record;

use super::kept::Kept;
use super::metrics::Metrics;
use crate::ledger::{HandedFrame, LedgerError, LedgerSink};

/// Counts records, hands them to the ledger, and keeps them if the admin endpoint is to show them.
pub(crate) struct Observer {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) kept: Option<Arc<Kept>>,
    pub(crate) ledger: Box<dyn LedgerSink>,
}

impl Observer {
    /// Takes one record. The ledger only looks at it, so that it need not be copied to be kept.
    pub(crate) fn record(&self, record: Record) {
        self.ledger.record(&record);
        if let Record::Exchange(exchange) = &record {
            self.metrics.count(exchange);
        }
        if let Some(kept) = &self.kept {
            match record {
                Record::Run(run) => kept.begin(run),
                Record::Exchange(exchange) => kept.push(*exchange),
            }
        }
    }

    /// Sees a frame that was handed to the connection.
    pub(crate) fn frame(&self, frame: &HandedFrame<'_>) {
        self.metrics.lateness.count(frame.handed.saturating_duration_since(frame.planned));
        self.ledger.frame(frame);
    }

    /// Returns when the ledger is where it belongs. May block.
    pub(crate) fn flush(&self) -> Result<(), LedgerError> {
        self.ledger.flush()
    }
}

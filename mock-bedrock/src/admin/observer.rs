//! Looks at every record on its way into the ledger.

use std::sync::Arc;

use spanproof_schemas::ledger::Record;

use super::kept::Kept;
use super::metrics::Metrics;
use crate::ledger::{HandedFrame, LedgerError, LedgerSink};

/// Counts records, keeps a copy if the admin endpoint is to show them, and hands them on.
pub(crate) struct Observer {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) kept: Option<Arc<Kept>>,
    pub(crate) ledger: Arc<dyn LedgerSink>,
}

impl LedgerSink for Observer {
    fn record(&self, record: Record) {
        match &record {
            Record::Run(run) => {
                if let Some(kept) = &self.kept {
                    kept.begin(run.clone());
                }
            }
            Record::Exchange(exchange) => {
                self.metrics.count(exchange);
                if let Some(kept) = &self.kept {
                    kept.push((**exchange).clone());
                }
            }
        }
        self.ledger.record(record);
    }

    fn frame(&self, frame: &HandedFrame<'_>) {
        self.metrics.lateness.count(frame.handed.saturating_duration_since(frame.planned));
        self.ledger.frame(frame);
    }

    fn flush(&self) -> Result<(), LedgerError> {
        self.ledger.flush()
    }
}

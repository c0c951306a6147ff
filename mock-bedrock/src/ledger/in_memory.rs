//! A ledger in memory.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use spanproof_schemas::ledger::{Exchange, Record};

use super::LedgerSink;

/// Keeps records in memory; clones share them. For tests, and for runs small enough.
#[derive(Clone, Debug, Default)]
pub struct InMemory {
    records: Arc<Mutex<Vec<Record>>>,
}

impl InMemory {
    /// Every record so far.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every exchange so far, in the order of arrival.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        let mut exchanges: Vec<Exchange> = self
            .records()
            .into_iter()
            .filter_map(|record| match record {
                Record::Exchange(exchange) => Some(*exchange),
                Record::Run(_) => None,
            })
            .collect();
        exchanges.sort_by_key(|exchange| exchange.sequence);
        exchanges
    }

    /// Takes the records out.
    #[must_use]
    pub fn take(&self) -> Vec<Record> {
        mem::take(&mut *self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LedgerSink for InMemory {
    fn record(&self, record: &Record) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
    }
}

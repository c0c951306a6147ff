//! What a receiver has taken, readable while it runs.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::capture::Items;

/// How much a receiver has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests put into the capture.
    pub requests: u64,
    /// Their protobuf bytes, unzipped.
    pub bytes: u64,
    /// Spans in them.
    pub spans: u64,
    /// Metric data points in them.
    pub metric_points: u64,
    /// Log records in them.
    pub log_records: u64,
    /// Spans left out for an invalid trace or span id.
    pub rejected_spans: u64,
    /// Requests answered with an error.
    pub refused_requests: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    bytes: AtomicU64,
    spans: AtomicU64,
    metric_points: AtomicU64,
    log_records: AtomicU64,
    rejected_spans: AtomicU64,
    refused_requests: AtomicU64,
}

impl Counters {
    pub(super) fn accepted(&self, bytes: usize, items: Items, rejected_spans: u64) {
        add(&self.requests, 1);
        add(&self.bytes, bytes as u64);
        add(&self.spans, items.spans);
        add(&self.metric_points, items.metric_points);
        add(&self.log_records, items.log_records);
        add(&self.rejected_spans, rejected_spans);
    }

    pub(super) fn refused(&self) {
        add(&self.refused_requests, 1);
    }

    pub(super) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            requests: read(&self.requests),
            bytes: read(&self.bytes),
            spans: read(&self.spans),
            metric_points: read(&self.metric_points),
            log_records: read(&self.log_records),
            rejected_spans: read(&self.rejected_spans),
            refused_requests: read(&self.refused_requests),
        }
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    if amount > 0 {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}

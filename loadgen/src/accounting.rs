//! The books of a client: what became of the telemetry it made.

use std::sync::atomic::{AtomicU64, Ordering};

pub use spanproof_schemas::accounting::{Accounting, Mismatch};

use crate::delivery::Delivery;

/// Books that several threads keep.
#[derive(Debug, Default)]
pub struct Books {
    created: AtomicU64,
    exported: AtomicU64,
    rejected: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    retried: AtomicU64,
    unanswered: AtomicU64,
}

impl Books {
    /// Enters `items` that have ended, and so are to be exported.
    pub fn created(&self, items: u64) {
        add(&self.created, items);
    }

    /// Enters `items` that are left out without an attempt to send them.
    pub fn dropped(&self, items: u64) {
        add(&self.dropped, items);
    }

    /// Enters what became of a batch.
    pub fn delivered(&self, delivery: &Delivery) {
        add(&self.exported, delivery.exported);
        add(&self.rejected, delivery.rejected);
        add(&self.dropped, delivery.dropped);
        add(&self.failed, delivery.failed);
        add(&self.retried, delivery.retried);
        add(&self.unanswered, delivery.unanswered);
    }

    /// The books as they are now. While exports are under way, they do not balance yet.
    #[must_use]
    pub fn read(&self) -> Accounting {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Accounting {
            created: read(&self.created),
            exported: read(&self.exported),
            rejected: read(&self.rejected),
            dropped: read(&self.dropped),
            failed: read(&self.failed),
            retried: read(&self.retried),
            unanswered: read(&self.unanswered),
        }
    }
}

/// What of the spans in `books` could not be exported, if anything, and the first of `errors`, which
/// say why.
pub(crate) fn lost_spans(books: &Accounting, errors: &[String]) -> Option<String> {
    let Accounting { created, exported, rejected, dropped, failed, .. } = books;
    let missing = created.saturating_sub(*exported);
    let why = errors.first().map_or("unknown", String::as_str);
    (missing > 0).then(|| {
        format!(
            "{missing} of {created} spans could not be exported ({rejected} rejected, {dropped} dropped, {failed} failed): {why}"
        )
    })
}

fn add(counter: &AtomicU64, items: u64) {
    if items > 0 {
        counter.fetch_add(items, Ordering::Relaxed);
    }
}

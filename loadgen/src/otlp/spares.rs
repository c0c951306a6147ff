//! Memory of requests that have been sent, for those that come.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The most buffers that wait. There are no more requests on their way at once than that, unless
/// there are many connections.
const MOST: usize = 8;

/// Buffers that are used again. A request takes hundreds of kilobytes, which an allocator gives back
/// to the system, and the system clears before it gives them again.
#[derive(Clone, Debug, Default)]
pub(super) struct Spares(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spares {
    /// An empty buffer with room for `length` bytes.
    pub(super) fn take(&self, length: usize) -> Vec<u8> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = spare.unwrap_or_default();
        buffer.clear();
        buffer.reserve(length);
        buffer
    }

    /// Takes back the memory of `body`, if nobody else has it.
    pub(super) fn give(&self, body: Bytes) {
        if !body.is_unique() {
            return;
        }
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < MOST {
            // Of a vector that nobody else has this is the vector.
            spares.push(body.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_unless_somebody_still_reads_it() {
        let spares = Spares::default();
        let body = Bytes::from(spares.take(100_000));
        let at = body.as_ptr();
        let reader = body.clone();
        spares.give(body);
        assert_eq!(spares.take(0).capacity(), 0);
        spares.give(reader);
        let again = spares.take(100_000);
        assert!(again.is_empty() && again.as_ptr() == at);
    }
}

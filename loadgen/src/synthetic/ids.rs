//! Ids: random, so that they compress as little as real ones do, and the same for the same seed.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::random_text::{base58, uuid};
use crate::streams::{Purpose, stream};

pub(super) type TraceId = [u8; 16];
pub(super) type SpanId = [u8; 8];

/// The ids of one trace.
pub(super) struct Ids {
    random: ChaCha8Rng,
    pub(super) trace: TraceId,
}

impl Ids {
    /// Those of the trace of call `k`.
    pub(super) fn new(seed: u64, k: u64) -> Ids {
        let mut random = stream(seed, Purpose::Ids, k);
        let mut trace = [0; 16];
        random.fill_bytes(&mut trace);
        // An id of zeros is none.
        trace[15] |= u8::from(trace == [0; 16]);
        Ids { random, trace }
    }

    pub(super) fn span(&mut self) -> SpanId {
        // An id of zeros is none; 0 and 1 are as likely as any other two.
        self.random.next_u64().max(1).to_be_bytes()
    }

    pub(super) fn uuid(&mut self) -> String {
        uuid(&mut self.random)
    }

    /// So many characters of the alphabet that Claude's ids are made of.
    pub(super) fn base58(&mut self, length: usize) -> String {
        base58(length, &mut self.random)
    }
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

//! Everything that is drawn: a portable hash of what was asked, and generators keyed by it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest as _, Sha256};

/// A 64-bit fold of bytes that gives the same value on every platform and in every release, which
/// the hashers of the standard library do not promise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fold(u64);

impl Fold {
    pub(crate) fn new(seed: u64) -> Self {
        Fold(mix(seed))
    }

    /// Folds in `bytes`, and their length, so that neighbouring texts do not run together.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            self.word(u64::from_le_bytes(eight));
        }
        let rest = words.remainder();
        let mut eight = [0; 8];
        eight[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(eight));
        self.word(bytes.len() as u64);
    }

    /// Folds in one number: a multiplication whose two halves are joined, as in wyhash.
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the product are wanted")]
    pub(crate) fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0xa076_1d64_78bd_642f;
        let halves = (product as u64) ^ ((product >> 64) as u64);
        self.0 = halves.wrapping_add(0x2545_f491_4f6c_dd1d).rotate_left(23) ^ word;
    }

    pub(crate) fn finish(self) -> u64 {
        mix(self.0)
    }
}

/// A generator for one purpose, keyed by what it is drawn for.
pub(crate) fn generator(key: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&key.to_le_bytes());
    seed[8] = purpose as u8;
    ChaCha8Rng::from_seed(seed)
}

/// What a generator is for, so that two purposes never share a stream of draws. New ones go last:
/// their place is part of the seed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Answer,
    Deltas,
    Identifiers,
    Padding,
    Timing,
    ToolInput,
    Vector,
    Reasoning,
    ServerTool,
    Guardrail,
    Gaps,
    Latency,
    Passages,
    Agent,
    Fault,
}

/// A UUID for one seed and number, in the version-4 shape the service uses.
pub(crate) fn uuid(seed: u64, number: u64) -> String {
    let mut fold = Fold::new(seed);
    fold.word(number);
    let high = fold.finish();
    let low = mix(high);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    bytes[6] = 0x40 | bytes[6] & 0x0f;
    bytes[8] = 0x80 | bytes[8] & 0x3f;
    let digits: [u8; 32] = hex_digits(&bytes);
    let mut text = [b'-'; 36];
    let (mut from, mut to) = (0, 0);
    for group in [8, 4, 4, 4, 12] {
        text[to..to + group].copy_from_slice(&digits[from..from + group]);
        from += group;
        to += group + 1;
    }
    ascii(&text)
}

/// The SHA-256 of `text` as lower-case hex.
pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text).into())
}

/// A digest as lower-case hex.
pub(crate) fn hex(digest: &[u8; 32]) -> String {
    ascii(&hex_digits::<32, 64>(digest))
}

/// `bytes` as lower-case hex, twice as many. The formatting machinery costs several times as much,
/// and this runs for every request.
fn hex_digits<const N: usize, const TWICE: usize>(bytes: &[u8; N]) -> [u8; TWICE] {
    let mut digits = [0; TWICE];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = HEX[usize::from(*byte)];
    }
    digits
}

/// The two digits of every byte.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 0x0f]];
        byte += 1;
    }
    pairs
};

fn ascii(text: &[u8]) -> String {
    std::str::from_utf8(text).expect("digits and hyphens are ASCII").to_owned()
}

/// `number` in digits and upper-case letters.
pub(crate) fn base36(mut number: u64) -> String {
    let mut digits = [0; 13];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(number % 36) as usize];
        number /= 36;
        if number == 0 {
            return ascii(&digits[first..]);
        }
    }
}

/// The finalizer of `SplitMix64`.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

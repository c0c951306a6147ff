//! Snappy with a match finder that looks for long matches first.
//!
//! Which matches a compressor finds decides the size, not the format: the stock compressor is 15 to
//! 21 % larger on prompts, and several times larger on text that comes again more than 64 KiB later.
//! So this makes the same choices as the compressor behind the files that are to be sized: the
//! "better" mode for Snappy of `github.com/klauspost/compress` (its tables, hashes and steps, by
//! length of the input). `NOTICE` names it; the code is our own.

/// What the finder remembers and how fast it gives up, by length of the input.
struct Plan {
    long_bits: u32,
    short_bits: u32,
    /// How many bytes the hash of the long table is of.
    long_bytes: u32,
    /// After `1 << patience` bytes without a match, every second byte is skipped, and so on.
    patience: u32,
    /// The longest step, for inputs long enough that it matters.
    max_step: usize,
    /// What a literal may take beside its bytes.
    literal_slack: usize,
}

impl Plan {
    fn of(length: usize) -> Plan {
        let (long_bits, short_bits, long_bytes, patience) = match length {
            0..512 => (10, 8, 6, 4),
            512..4_096 => (12, 10, 6, 5),
            4_096..16_384 => (14, 12, 6, 6),
            16_384..=65_536 => (16, 13, 7, 7),
            _ => (17, 14, 7, 7),
        };
        let is_long = length > NEAR;
        Plan {
            long_bits,
            short_bits,
            long_bytes,
            patience,
            max_step: if is_long { 100 } else { usize::MAX },
            literal_slack: if is_long { 5 } else { 3 },
        }
    }

    fn long_hash(&self, eight: u64) -> usize {
        let prime = if self.long_bytes == 6 { 0xcf1b_bcdc_bf9b } else { 0x00cf_1bbc_dcbf_a563 };
        hash(eight, 8 * self.long_bytes, prime, self.long_bits)
    }

    fn short_hash(&self, eight: u64) -> usize {
        hash(eight, 32, 0x9e37_79b1, self.short_bits)
    }
}

/// Copies from further back take five bytes instead of two or three.
const NEAR: usize = 65_536;
/// Where to stop looking for matches, before the end.
const MARGIN_BYTES: usize = 8;
/// What is shorter is not looked at.
const MIN_BYTES: usize = 32;

/// `input` as one Snappy block.
///
/// # Panics
///
/// On inputs of 4 GiB and more, which the format cannot say the length of.
#[must_use]
pub(super) fn compress(input: &[u8]) -> Vec<u8> {
    assert!(u32::try_from(input.len()).is_ok(), "a Snappy block holds less than 4 GiB");
    let mut output = Vec::with_capacity(input.len() / 2 + 16);
    let mut length = input.len();
    while length >= 0x80 {
        output.push(low_byte(length) | 0x80);
        length >>= 7;
    }
    output.push(low_byte(length));
    if input.is_empty() {
        return output;
    }
    let head = output.len();
    if input.len() < MIN_BYTES || !Finder::new(input, &mut output).run() {
        // No gain: the block is one literal.
        output.truncate(head);
        put_literal(&mut output, input);
    }
    output
}

struct Finder<'a> {
    plan: Plan,
    long: Vec<u32>,
    short: Vec<u32>,
    input: &'a [u8],
    output: &'a mut Vec<u8>,
    /// With as much output, compression is given up.
    limit: usize,
    /// What comes before this is in the output.
    emitted: usize,
}

/// A place in the input, an earlier one that begins alike, and where to look next if this is of no
/// use.
struct Candidate {
    at: usize,
    from: usize,
    next: usize,
}

impl<'a> Finder<'a> {
    fn new(input: &'a [u8], output: &'a mut Vec<u8>) -> Self {
        let plan = Plan::of(input.len());
        let limit = (output.len() + input.len()).saturating_sub(9 + input.len() / 32);
        Finder {
            long: vec![0; 1 << plan.long_bits],
            short: vec![0; 1 << plan.short_bits],
            plan,
            input,
            output,
            limit,
            emitted: 0,
        }
    }

    /// Whether the output is smaller than the input.
    fn run(mut self) -> bool {
        let end = self.input.len() - MARGIN_BYTES;
        // The first byte cannot be a copy.
        let mut at = 1;
        while let Some(candidate) = self.find(at, end) {
            let (base, from) = self.extended_back(candidate.at, candidate.from);
            if self.output.len() + base - self.emitted + self.plan.literal_slack >= self.limit {
                return false;
            }
            let length = 4 + common_prefix(&self.input[base + 4..], &self.input[from + 4..]);
            let distance = base - from;
            if distance >= NEAR && length <= 5 {
                at = candidate.next + 1;
                continue;
            }
            put_literal(self.output, &self.input[self.emitted..base]);
            put_copy(self.output, distance, length);
            at = base + length;
            self.emitted = at;
            if at >= end {
                break;
            }
            if self.output.len() >= self.limit {
                return false;
            }
            self.remember(base, at);
        }
        let rest = &self.input[self.emitted..];
        if self.output.len() + rest.len() + self.plan.literal_slack >= self.limit {
            return false;
        }
        put_literal(self.output, rest);
        true
    }

    /// The next match from `at` on, if there is one before `end`.
    fn find(&mut self, mut at: usize, end: usize) -> Option<Candidate> {
        loop {
            let step = ((at - self.emitted) >> self.plan.patience) + 1;
            let next = at + step.min(self.plan.max_step);
            if next >= end {
                return None;
            }
            let here = eight(self.input, at);
            let place = to_u32(at);
            let long = &mut self.long[self.plan.long_hash(here)];
            let from_long = std::mem::replace(long, place) as usize;
            let short = &mut self.short[self.plan.short_hash(here)];
            let from_short = std::mem::replace(short, place) as usize;
            let at_long = eight(self.input, from_long);
            let at_short = eight(self.input, from_short);
            if at_long == here {
                return Some(Candidate { at, from: from_long, next });
            }
            if at_short == here {
                return Some(Candidate { at, from: from_short, next });
            }
            if is_four(at_long, here) {
                return Some(Candidate { at, from: from_long, next });
            }
            if is_four(at_short, here) {
                // A long match one byte later is better.
                let later = here >> 8;
                let long = &mut self.long[self.plan.long_hash(later)];
                let from_later = std::mem::replace(long, to_u32(at + 1)) as usize;
                if is_four(eight(self.input, from_later), later) {
                    return Some(Candidate { at: at + 1, from: from_later, next });
                }
                return Some(Candidate { at, from: from_short, next });
            }
            at = next;
        }
    }

    /// A match at `at` with `from`, from its first byte on.
    fn extended_back(&self, mut at: usize, mut from: usize) -> (usize, usize) {
        while from > 0 && at > self.emitted && self.input[from - 1] == self.input[at - 1] {
            at -= 1;
            from -= 1;
        }
        (at, from)
    }

    /// Enters places within a match from `base` to `end`: the outer ones in both tables, every other
    /// one in the long table.
    fn remember(&mut self, base: usize, end: usize) {
        let (mut first, mut last) = (base + 1, end - 2);
        for at in [first, last] {
            let here = eight(self.input, at);
            self.long[self.plan.long_hash(here)] = to_u32(at);
        }
        for at in [first + 1, last + 1] {
            self.short[self.plan.short_hash(eight(self.input, at))] = to_u32(at);
        }
        let mut middle = (first + last).div_ceil(2);
        first += 1;
        last -= 1;
        while middle < last {
            for at in [first, middle] {
                self.long[self.plan.long_hash(eight(self.input, at))] = to_u32(at);
            }
            first += 2;
            middle += 2;
        }
    }
}

fn hash(eight: u64, bits: u32, prime: u64, to_bits: u32) -> usize {
    let hashed = (eight << (64 - bits)).wrapping_mul(prime) >> (64 - to_bits);
    // At most seventeen bits.
    usize::try_from(hashed).unwrap_or_default()
}

fn eight(input: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&input[at..at + 8]);
    u64::from_le_bytes(bytes)
}

/// Whether the first four bytes are the same.
fn is_four(left: u64, right: u64) -> bool {
    (left ^ right) << 32 == 0
}

fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let mut length = 0;
    while left.len() - length >= 8 && right.len() - length >= 8 {
        let different = eight(left, length) ^ eight(right, length);
        if different != 0 {
            return length + different.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    length + left[length..].iter().zip(&right[length..]).take_while(|(l, r)| l == r).count()
}

fn put_literal(output: &mut Vec<u8>, literal: &[u8]) {
    let Some(last) = literal.len().checked_sub(1) else { return };
    let bytes = last.to_le_bytes();
    match last {
        0..60 => output.push(bytes[0] << 2),
        60..0x100 => output.extend([60 << 2, bytes[0]]),
        0x100..0x1_0000 => output.extend([61 << 2, bytes[0], bytes[1]]),
        0x1_0000..0x100_0000 => output.extend([62 << 2, bytes[0], bytes[1], bytes[2]]),
        _ => output.extend([63 << 2, bytes[0], bytes[1], bytes[2], bytes[3]]),
    }
    output.extend_from_slice(literal);
}

fn put_copy(output: &mut Vec<u8>, distance: usize, mut length: usize) {
    let [low, high, far @ ..] = distance.to_le_bytes();
    let tag = |length: usize, kind: u8| (low_byte(length - 1) << 2) | kind;
    if distance >= NEAR {
        while length > 0 {
            let part = length.min(64);
            output.extend([tag(part, 3), low, high, far[0], far[1]]);
            length -= part;
        }
        return;
    }
    while length > 64 {
        // Not 64, which could leave less than a copy can say.
        output.extend([tag(60, 2), low, high]);
        length -= 60;
    }
    if length < 12 && distance < 2_048 {
        output.extend([(high << 5) | (low_byte(length - 4) << 2) | 1, low]);
    } else {
        output.extend([tag(length, 2), low, high]);
    }
}

fn low_byte(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

fn to_u32(place: usize) -> u32 {
    // `compress` takes no input that is too long for it.
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decompressed(compressed: &[u8]) -> Vec<u8> {
        snap::raw::Decoder::new().decompress_vec(compressed).unwrap()
    }

    /// Bytes with repetitions near and far, of which lengths around each limit come up.
    fn any_input() -> impl Strategy<Value = Vec<u8>> {
        let piece = (0..5_u8, 1..3_000_usize, any::<bool>());
        proptest::collection::vec(piece, 0..60).prop_map(|pieces| {
            let mut input = Vec::new();
            let mut state = 1_u32;
            for (seed, length, is_again) in pieces {
                if is_again && input.len() > length {
                    let from = (input.len() / (usize::from(seed) + 2)).min(input.len() - length);
                    input.extend_from_within(from..from + length);
                } else {
                    input.extend((0..length).map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (state >> 24) as u8 & (0xff >> seed)
                    }));
                }
            }
            input
        })
    }

    proptest! {
        #[test]
        fn what_is_compressed_reads_back(input in any_input()) {
            prop_assert_eq!(decompressed(&compress(&input)), input);
        }
    }

    #[test]
    fn lengths_around_each_limit_read_back() {
        for length in
            [0, 1, 31, 32, 511, 512, 4_095, 4_096, 16_383, 16_384, 65_536, 65_537, 200_000]
        {
            let input: Vec<u8> = (0..=250).map(|byte| byte / 3).cycle().take(length).collect();
            assert_eq!(decompressed(&compress(&input)), input, "{length}");
        }
    }

    #[test]
    fn what_was_said_long_before_is_not_said_again() {
        let mut state = 1_u32;
        let mut input: Vec<u8> = (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        input.extend_from_within(..);
        // Copies of 64 bytes take five each.
        let copies = 200_000 / 64 * 5;
        let compressed = compress(&input).len();
        assert!(compressed.abs_diff(200_000 + copies) < 500, "{compressed}");
        // The stock compressor looks 64 KiB back, and finds nothing.
        assert!(snap::raw::Encoder::new().compress_vec(&input).unwrap().len() > 390_000);
    }
}

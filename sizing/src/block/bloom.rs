//! The bloom filter over trace ids, in shards of a fixed size.

/// The bits of a shard.
const SHARD_BITS: u64 = 100 * 1024 * 8;
/// What stands before the bits: how many there are, how many hashes, and how many again.
const HEAD_BYTES: u64 = 24;
/// A shard as a file.
pub(super) const SHARD_BYTES: u64 = HEAD_BYTES + SHARD_BITS / 8;
/// How many bits of a shard stand for a trace.
const HASHES: usize = 7;
/// Bits for each trace, in thousandths, so that one of a hundred that is not there seems to be.
const MILLIBITS_PER_TRACE: u64 = 9_585;

/// How many shards there are for as many traces.
pub(super) fn shards(traces: u64) -> u64 {
    let bits = traces.saturating_mul(MILLIBITS_PER_TRACE).div_ceil(1_000);
    bits.div_ceil(SHARD_BITS).max(1)
}

/// All shards for `traces`, which need not be whole, in bytes.
#[expect(clippy::cast_precision_loss, reason = "these are small numbers")]
pub(super) fn bytes(traces: f64) -> f64 {
    let shards = (traces * MILLIBITS_PER_TRACE as f64 / 1e3 / SHARD_BITS as f64).ceil();
    shards.max(1.0) * SHARD_BYTES as f64
}

/// The shards with `ids` in them.
pub(super) fn filters(ids: &[[u8; 16]]) -> Vec<Vec<u8>> {
    let shards = shards(ids.len() as u64);
    let mut filters: Vec<Filter> = (0..shards).map(|_| Filter::new()).collect();
    for id in ids {
        let shard = u64::from(fnv1(id)) % shards;
        if let Some(filter) = usize::try_from(shard).ok().and_then(|shard| filters.get_mut(shard)) {
            filter.insert(id);
        }
    }
    filters.into_iter().map(|filter| filter.bytes).collect()
}

struct Filter {
    bytes: Vec<u8>,
}

impl Filter {
    fn new() -> Self {
        let mut bytes = Vec::new();
        for number in [SHARD_BITS, HASHES as u64, SHARD_BITS] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.resize(bytes.len() + 100 * 1024, 0);
        Filter { bytes }
    }

    fn insert(&mut self, id: &[u8; 16]) {
        let hashes = murmur::hashes(id);
        for number in 0..HASHES {
            let first = hashes[number % 2];
            let step = hashes[2 + (number + number % 2) % 4 / 2];
            let bit = first.wrapping_add((number as u64).wrapping_mul(step)) % SHARD_BITS;
            // Words of 64 bits, the most significant byte first.
            let (word, of_word) = (bit / 64, bit % 64);
            let byte = HEAD_BYTES + word * 8 + (7 - of_word / 8);
            if let Some(byte) = usize::try_from(byte).ok().and_then(|byte| self.bytes.get_mut(byte))
            {
                *byte |= 1 << (of_word % 8);
            }
        }
    }
}

/// FNV-1 of 32 bits, by which ids are spread over shards.
fn fnv1(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0x811c_9dc5, |hash: u32, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte))
}

/// `MurmurHash3` of 128 bits for 64-bit machines, of inputs of one block.
mod murmur {
    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;

    /// The hash of `id`, and that of `id` with a byte of one behind it.
    pub(super) fn hashes(id: &[u8; 16]) -> [u64; 4] {
        let [a, b] = hash(id, false);
        let [c, d] = hash(id, true);
        [a, b, c, d]
    }

    fn hash(id: &[u8; 16], has_tail: bool) -> [u64; 2] {
        let (halves, _) = id.as_chunks::<8>();
        let [low, high] = [halves[0], halves[1]].map(u64::from_le_bytes);
        let mut h1 = mixed(low, C1, 31, C2);
        h1 = h1.rotate_left(27).wrapping_mul(5).wrapping_add(0x52dc_e729);
        let mut h2 = mixed(high, C2, 33, C1);
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
        let mut length = 16;
        if has_tail {
            h1 ^= mixed(1, C1, 31, C2);
            length += 1;
        }
        h1 ^= length;
        h2 ^= length;
        h1 = h1.wrapping_add(h2);
        h2 = h2.wrapping_add(h1);
        h1 = finished(h1);
        h2 = finished(h2);
        h1 = h1.wrapping_add(h2);
        h2 = h2.wrapping_add(h1);
        [h1, h2]
    }

    fn mixed(part: u64, first: u64, rotation: u32, second: u64) -> u64 {
        part.wrapping_mul(first).rotate_left(rotation).wrapping_mul(second)
    }

    fn finished(mut hash: u64) -> u64 {
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

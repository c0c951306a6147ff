//! Values and levels as bytes, in the ways of the writer whose files are to be sized.
//!
//! The format leaves a writer room: which runs it packs, how it cuts blocks, what it pads with. The
//! `parquet` crate's encoders choose otherwise than parquet-go, which Tempo writes with: on columns
//! that are mostly levels by a tenth. These are parquet-go's choices, so that sizes agree to the
//! byte; `NOTICE` names it.

mod delta;
mod runs;

pub(crate) use delta::{delta_i32, delta_i64, delta_lengths};
pub(crate) use runs::{indexes, levels};

/// Flags, eight to a byte.
pub(crate) fn flags(flags: &[bool]) -> Vec<u8> {
    let mut output = Vec::with_capacity(flags.len().div_ceil(8));
    pack(&mut output, flags.iter().map(|flag| u64::from(*flag)), 1);
    output
}

/// A count as the format has counts.
pub(crate) fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A number in groups of seven bits, the least significant first.
pub(crate) fn put_varint(output: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        output.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    output.push(number.to_le_bytes()[0]);
}

/// A signed number, so that small ones are short whatever their sign.
pub(crate) fn put_zigzag(output: &mut Vec<u8>, number: i64) {
    put_varint(output, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Packs `values` one after the other, `width` bits each, the least significant first.
fn pack(output: &mut Vec<u8>, values: impl Iterator<Item = u64>, width: u32) {
    let (mut held, mut bits) = (0_u128, 0);
    for value in values {
        held |= u128::from(value) << bits;
        bits += width;
        while bits >= 8 {
            output.push(held.to_le_bytes()[0]);
            held >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        output.push(held.to_le_bytes()[0]);
    }
}

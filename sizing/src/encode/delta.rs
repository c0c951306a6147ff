//! Differences, packed in blocks of 128 with a width for each quarter of them.

use super::{pack, put_varint, put_zigzag};

const BLOCK: usize = 128;
const QUARTER: usize = 32;

/// `DELTA_BINARY_PACKED`.
pub(crate) fn delta_i64(values: &[i64]) -> Vec<u8> {
    let mut output = Vec::new();
    let Some((first, rest)) = put_head(&mut output, values) else { return output };
    let mut before = first;
    for values in rest.chunks(BLOCK) {
        let mut block = [0; BLOCK];
        block[..values.len()].copy_from_slice(values);
        // What pads the last block takes part in the least difference; it costs a few bytes, and
        // for times many.
        for value in &mut block {
            (*value, before) = (value.wrapping_sub(before), *value);
        }
        let least = block.iter().copied().min().unwrap_or(0);
        let above = block.map(|difference| difference.wrapping_sub(least).cast_unsigned());
        put_block(&mut output, least, above, values.len());
    }
    output
}

/// `DELTA_BINARY_PACKED` of the narrower type, whose differences wrap earlier.
pub(crate) fn delta_i32(values: &[i32]) -> Vec<u8> {
    let mut output = Vec::new();
    let Some((first, rest)) = put_head(&mut output, values) else { return output };
    let mut before = first;
    for values in rest.chunks(BLOCK) {
        let mut block = [0; BLOCK];
        block[..values.len()].copy_from_slice(values);
        for value in &mut block {
            (*value, before) = (value.wrapping_sub(before), *value);
        }
        let least = block.iter().copied().min().unwrap_or(0);
        let above =
            block.map(|difference| u64::from(difference.wrapping_sub(least).cast_unsigned()));
        put_block(&mut output, i64::from(least), above, values.len());
    }
    output
}

/// `DELTA_LENGTH_BYTE_ARRAY`: the differences of lengths, then all bytes.
pub(crate) fn delta_lengths<'a>(values: impl Iterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let lengths: Vec<i32> =
        values.clone().map(|value| i32::try_from(value.len()).unwrap_or(i32::MAX)).collect();
    let mut output = delta_i32(&lengths);
    for value in values {
        output.extend_from_slice(value);
    }
    output
}

/// Sizes, count and first value; then that value and the rest, if there is one.
fn put_head<'a, T: Copy + Into<i64>>(
    output: &mut Vec<u8>,
    values: &'a [T],
) -> Option<(T, &'a [T])> {
    for number in [BLOCK, BLOCK / QUARTER, values.len()] {
        put_varint(output, number as u64);
    }
    put_zigzag(output, values.first().map_or(0, |first| (*first).into()));
    values.split_first().map(|(first, rest)| (*first, rest))
}

/// A block of which `count` differences, given above the least of them, are of values.
fn put_block(output: &mut Vec<u8>, least: i64, mut above: [u64; BLOCK], count: usize) {
    above[count..].fill(0);
    put_zigzag(output, least);
    let (quarters, _) = above.as_chunks::<QUARTER>();
    let width = |quarter: &[u64; QUARTER]| {
        u64::BITS - quarter.iter().fold(0, |all, each| all | each).leading_zeros()
    };
    output.extend(quarters.iter().map(|quarter| width(quarter).to_le_bytes()[0]));
    for quarter in quarters {
        if width(quarter) > 0 {
            pack(output, quarter.iter().copied(), width(quarter));
        }
    }
}

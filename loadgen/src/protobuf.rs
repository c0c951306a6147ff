//! Protocol buffers, written field by field into memory that is used again.
//!
//! What does not change from span to span is written once and copied; the rest is written anew each
//! time, without the tree of small allocations that the generated types need. Encoding is canonical,
//! so that the generated types write the same bytes.

/// Wire types.
pub(crate) const FIXED64: u8 = 1;
pub(crate) const LENGTH_DELIMITED: u8 = 2;
const FIXED32: u8 = 5;

pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// How many bytes `value` takes as a varint.
pub(crate) fn varint_length(value: u64) -> usize {
    // A byte for each seven bits that are not leading zeros, and one for zero.
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// How many bytes a field below 16 with `length` bytes takes.
pub(crate) fn field_length(length: usize) -> usize {
    1 + varint_length(length as u64) + length
}

/// A field of bytes or text.
pub(crate) fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    length_delimited(out, field, value.len());
    out.extend(value);
}

/// What comes before the `length` bytes of a field.
pub(crate) fn length_delimited(out: &mut Vec<u8>, field: u8, length: usize) {
    out.push(field << 3 | LENGTH_DELIMITED);
    varint(out, length as u64);
}

/// A field of a whole number or an enumeration.
pub(crate) fn number(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3);
    varint(out, value);
}

/// A field of type `fixed64`.
pub(crate) fn fixed64(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3 | FIXED64);
    out.extend(value.to_le_bytes());
}

/// A field of type `fixed32` whose number is from 16 to 31.
pub(crate) fn fixed32_above_15(out: &mut Vec<u8>, field: u8, value: u32) {
    varint(out, u64::from(field) << 3 | u64::from(FIXED32));
    out.extend(value.to_le_bytes());
}

/// A field that is a message, which `write` writes. Its length is known only afterwards, so what
/// was written moves by as much as the length takes.
pub(crate) fn nested(out: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(field << 3 | LENGTH_DELIMITED);
    let start = out.len();
    // Most messages are shorter than this takes a second byte for.
    out.push(0);
    write(out);
    let length = out.len() - start - 1;
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        out[start] = short;
        return;
    }
    let more = varint_length(length as u64) - 1;
    out.resize(out.len() + more, 0);
    out.copy_within(start + 1..start + 1 + length, start + 1 + more);
    let mut prefix = Vec::with_capacity(more + 1);
    varint(&mut prefix, length as u64);
    out[start..=start + more].copy_from_slice(&prefix);
}

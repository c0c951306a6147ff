//! Protocol buffers, written field by field into memory that is used again.
//!
//! What does not change from span to span is written once and copied; the rest is written anew each
//! time, without the tree of small allocations that the generated types need. Encoding is canonical,
//! so that the generated types write the same bytes.

/// Fields that carry attributes, each in its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// `Resource.attributes`
    Resource = 1,
    /// `Span.Event.attributes`
    Event = 3,
    /// `Span.attributes`
    Span = 9,
}

/// The name of an attribute, written once. One that a version lacks writes nothing.
#[derive(Clone, Debug)]
pub(super) struct Key {
    tag: u8,
    /// The field `key` of a `KeyValue`; empty where nothing is to be written.
    name: Vec<u8>,
}

impl Key {
    pub(super) fn new(of: Of, name: &str) -> Key {
        let mut encoded = Vec::with_capacity(name.len() + 2);
        bytes(&mut encoded, 1, name.as_bytes());
        Key { tag: (of as u8) << 3 | LENGTH_DELIMITED, name: encoded }
    }

    /// The key where it `is_known`, else one that writes nothing.
    pub(super) fn known(of: Of, name: &str, is_known: bool) -> Key {
        if is_known { Key::new(of, name) } else { Key { tag: 0, name: Vec::new() } }
    }

    pub(super) fn is_known(&self) -> bool {
        !self.name.is_empty()
    }

    pub(super) fn text(&self, out: &mut Vec<u8>, value: &str) {
        self.short(out, 1 + varint_length(value.len() as u64) + value.len(), |out| {
            bytes(out, 1, value.as_bytes());
        });
    }

    pub(super) fn flag(&self, out: &mut Vec<u8>, value: bool) {
        self.short(out, 2, |out| out.extend([2 << 3, u8::from(value)]));
    }

    pub(super) fn int(&self, out: &mut Vec<u8>, value: i64) {
        let value = value.cast_unsigned();
        self.short(out, 1 + varint_length(value), |out| {
            out.push(3 << 3);
            varint(out, value);
        });
    }

    /// A count, which is far below where signs begin.
    pub(super) fn count(&self, out: &mut Vec<u8>, value: u64) {
        self.int(out, i64::try_from(value).unwrap_or(i64::MAX));
    }

    pub(super) fn double(&self, out: &mut Vec<u8>, value: f64) {
        self.short(out, 9, |out| {
            out.push(4 << 3 | FIXED64);
            out.extend(value.to_le_bytes());
        });
    }

    pub(super) fn texts<'a>(&self, out: &mut Vec<u8>, values: impl IntoIterator<Item = &'a str>) {
        self.value(out, |out| {
            nested(out, 5, |out| {
                for value in values {
                    nested(out, 1, |out| bytes(out, 1, value.as_bytes()));
                }
            });
        });
    }

    /// An attribute whose `AnyValue` is what `write` writes.
    pub(super) fn value(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_known() {
            nested(out, self.tag >> 3, |out| {
                out.extend(&self.name);
                nested(out, 2, write);
            });
        }
    }

    /// An attribute whose `AnyValue` takes `length` bytes.
    fn short(&self, out: &mut Vec<u8>, length: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_known() {
            out.push(self.tag);
            let value = varint_length(length as u64) + length;
            varint(out, (self.name.len() + 1 + value) as u64);
            out.extend(&self.name);
            out.push(2 << 3 | LENGTH_DELIMITED);
            varint(out, length as u64);
            write(out);
        }
    }
}

const FIXED64: u8 = 1;
const LENGTH_DELIMITED: u8 = 2;
const FIXED32: u8 = 5;

pub(super) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// How many bytes `value` takes as a varint.
pub(super) fn varint_length(value: u64) -> usize {
    // A byte for each seven bits that are not leading zeros, and one for zero.
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// How many bytes a field below 16 with `length` bytes takes.
pub(super) fn field_length(length: usize) -> usize {
    1 + varint_length(length as u64) + length
}

/// A field of bytes or text.
pub(super) fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    length_delimited(out, field, value.len());
    out.extend(value);
}

/// What comes before the `length` bytes of a field.
pub(super) fn length_delimited(out: &mut Vec<u8>, field: u8, length: usize) {
    out.push(field << 3 | LENGTH_DELIMITED);
    varint(out, length as u64);
}

/// A field of a whole number or an enumeration.
pub(super) fn number(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3);
    varint(out, value);
}

/// A field of type `fixed64`.
pub(super) fn fixed64(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3 | FIXED64);
    out.extend(value.to_le_bytes());
}

/// A field of type `fixed32` whose number is from 16 to 31.
pub(super) fn fixed32_above_15(out: &mut Vec<u8>, field: u8, value: u32) {
    varint(out, u64::from(field) << 3 | u64::from(FIXED32));
    out.extend(value.to_le_bytes());
}

/// A field that is a message, which `write` writes. Its length is known only afterwards, so what
/// was written moves by as much as the length takes.
pub(super) fn nested(out: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
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

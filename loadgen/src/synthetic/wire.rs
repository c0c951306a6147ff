//! Attributes, whose names are written once.

use crate::protobuf::{FIXED64, LENGTH_DELIMITED, bytes, nested, varint, varint_length};

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

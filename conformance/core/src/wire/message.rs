//! Protobuf's wire format.

/// The fields of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    rest: &'a [u8],
}

/// What stands in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// A field whose key, and the number after it, take a byte each: the key, as many bytes as the number
/// says, and what comes then.
#[inline]
fn short(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [key @ 8..0x80, length @ ..0x80, rest @ ..] = bytes else { return None };
    let (own, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((*key, own, rest))
}

/// The key and the value of an attribute in the form that exporters write: one of each, short.
#[inline]
pub(super) fn attribute(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (KEY, key, rest) = short(bytes)? else { return None };
    let (VALUE, value, []) = short(rest)? else { return None };
    Some((key, value))
}

const KEY: u8 = 1 << 3 | 2;
const VALUE: u8 = 2 << 3 | 2;

/// A value of a simple type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Text(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
}

/// The value of a simple type that a message is, if it is that and nothing else.
#[inline]
pub(super) fn scalar(bytes: &[u8]) -> Option<Scalar<'_>> {
    const TEXT: u8 = 1 << 3 | 2;
    const BOOL: u8 = 2 << 3;
    const INT: u8 = 3 << 3;
    const DOUBLE: u8 = 4 << 3 | 1;
    match bytes {
        [TEXT, length @ ..0x80, text @ ..] if text.len() == usize::from(*length) => {
            Some(Scalar::Text(text))
        }
        [BOOL, value @ ..0x80] => Some(Scalar::Bool(*value != 0)),
        [INT, low @ ..0x80] => Some(Scalar::Int(i64::from(*low))),
        [INT, low, high @ ..0x80] => {
            Some(Scalar::Int(i64::from(*low & 0x7f) | i64::from(*high) << 7))
        }
        [DOUBLE, bits @ ..] => {
            Some(Scalar::Double(f64::from_bits(u64::from_le_bytes(bits.try_into().ok()?))))
        }
        _ => None,
    }
}

impl<'a> Message<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Message<'a> {
        Message { rest: bytes }
    }

    /// Whether every field has been read.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field, its number first; nothing for what is no field, and for groups, which OTLP
    /// does not have.
    #[inline]
    pub(super) fn field(&mut self) -> Option<(u32, Content<'a>)> {
        // Most fields are short strings and messages, with a key and a length of one byte each.
        if let Some((key, bytes, rest)) = short(self.rest)
            && key & 7 == 2
        {
            self.rest = rest;
            return Some((u32::from(key >> 3), Content::Bytes(bytes)));
        }
        self.other_field()
    }

    fn other_field(&mut self) -> Option<(u32, Content<'a>)> {
        let key = u32::try_from(self.varint()?).ok()?;
        let content = match key & 7 {
            0 => Content::Varint(self.varint()?),
            1 => Content::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Content::Bytes(bytes)
            }
            5 => Content::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return None,
        };
        let number = key >> 3;
        (number != 0).then_some((number, content))
    }

    #[inline]
    fn varint(&mut self) -> Option<u64> {
        let (&first, rest) = self.rest.split_first()?;
        if first < 0x80 {
            self.rest = rest;
            return Some(u64::from(first));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for (at, &byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                // The tenth byte has room for one bit.
                return (at < 9 || byte < 2).then_some(value);
            }
        }
        None
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Message, Scalar, attribute, scalar};

    fn read(bytes: &[u8]) -> Option<(u32, Content<'_>)> {
        Message::new(bytes).field()
    }

    #[test]
    fn varints_end_where_they_say() {
        assert_eq!(read(&[0x08, 0x96, 0x01]), Some((1, Content::Varint(150))));
        let largest = [&[0x08][..], &[0xff; 9], &[0x01]].concat();
        assert_eq!(read(&largest), Some((1, Content::Varint(u64::MAX))));
        let beyond = [&[0x08][..], &[0xff; 9], &[0x02]].concat();
        assert_eq!(read(&beyond), None);
        assert_eq!(read(&[0x08, 0x80]), None);
    }

    #[test]
    fn the_common_form_of_an_attribute_is_read_at_once() {
        let bytes = [0x0a, 1, b'k', 0x12, 3, 0x0a, 1, b'v'];
        assert_eq!(attribute(&bytes), Some((&b"k"[..], &[0x0a, 1, b'v'][..])));
        for other in [&bytes[..7], &bytes[..3], &bytes[3..], &[&bytes[..], &[0x18, 1]].concat()] {
            assert_eq!(attribute(other), None, "{other:?}");
        }
    }

    #[test]
    fn scalars_are_read_at_once_and_nothing_else_is() {
        let half = [&[0x21][..], &0.5_f64.to_le_bytes()].concat();
        for (bytes, value) in [
            (&[0x0a, 2, b'o', b'k'][..], Scalar::Text(b"ok")),
            (&[0x10, 1], Scalar::Bool(true)),
            (&[0x18, 0x7f], Scalar::Int(127)),
            (&[0x18, 0x80, 0x08], Scalar::Int(1024)),
            (&half, Scalar::Double(0.5)),
        ] {
            assert_eq!(scalar(bytes), Some(value));
            assert_eq!(scalar(&[bytes, &[0x10, 1]].concat()), None, "of two the last counts");
        }
        for other in [&[][..], &[0x0a, 3, b'o'], &[0x10, 0x81, 1], &[0x18, 0x80], &[0x21, 0, 0]] {
            assert_eq!(scalar(other), None, "{other:?}");
        }
    }

    #[test]
    fn lengths_beyond_the_end_are_no_fields() {
        assert_eq!(read(&[0x0a, 2, b'a']), None);
        assert_eq!(read(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), None);
        assert_eq!(read(&[0x09, 0, 0, 0]), None);
        assert_eq!(read(&[0x00, 0]), None);
    }
}

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
        if let [key @ 8..0x80, length @ ..0x80, rest @ ..] = self.rest
            && key & 7 == 2
        {
            let (bytes, rest) = rest.split_at_checked(usize::from(*length))?;
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
    use super::{Content, Message};

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
    fn lengths_beyond_the_end_are_no_fields() {
        assert_eq!(read(&[0x0a, 2, b'a']), None);
        assert_eq!(read(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), None);
        assert_eq!(read(&[0x09, 0, 0, 0]), None);
        assert_eq!(read(&[0x00, 0]), None);
    }
}

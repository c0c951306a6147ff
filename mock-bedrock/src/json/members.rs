//! Objects and arrays. Each part ends with a comma; closing turns the last one into the bracket.

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};
use serde_json::Error;

use super::{Writer, write};

/// An object in the making, or text that is JSON already.
pub(super) struct Members<'a> {
    out: &'a mut Vec<u8>,
    is_raw: bool,
}

/// An array in the making.
pub(super) struct Elements<'a> {
    out: &'a mut Vec<u8>,
}

/// The value of `{"variant":…}`.
pub(super) struct Variant<T>(pub(super) T);

impl<'a> Members<'a> {
    #[inline]
    pub(super) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Members { out, is_raw: false }
    }

    pub(super) fn raw(out: &'a mut Vec<u8>) -> Self {
        Members { out, is_raw: true }
    }

    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Writer::new(self.out))?;
        self.out.push(b',');
        Ok(())
    }
}

impl<'a> Elements<'a> {
    #[inline]
    pub(super) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'[');
        Elements { out }
    }

    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        write(self.out, value)?;
        self.out.push(b',');
        Ok(())
    }
}

/// Ends what began with a bracket: no value ends with a comma, so one at the end parts members.
#[inline]
fn close(out: &mut Vec<u8>, bracket: u8) {
    match out.last_mut() {
        Some(last @ b',') => *last = bracket,
        _ => out.push(bracket),
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Error;

    #[expect(
        clippy::inline_always,
        reason = "keys are constants only where this is inlined, and then cost a store or two"
    )]
    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if self.is_raw {
            return value.serialize(Writer { out: self.out, is_raw: true });
        }
        // Names come from fields and their `rename`s: none of ours needs escaping.
        debug_assert!(!key.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\'));
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.value(value)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        if !self.is_raw {
            close(self.out, b'}');
        }
        Ok(())
    }
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let start = self.out.len();
        write(self.out, key)?;
        match self.out.get(start) {
            Some(b'"') => {}
            // Numbers and truth values are keys in quotes.
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                self.out.insert(start, b'"');
                self.out.push(b'"');
            }
            _ => return Err(Error::custom("key must be a string")),
        }
        self.out.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        SerializeStruct::end(self)
    }
}

impl SerializeSeq for Elements<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.add(value)
    }

    fn end(self) -> Result<(), Error> {
        close(self.out, b']');
        Ok(())
    }
}

impl SerializeTuple for Elements<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.add(value)
    }

    fn end(self) -> Result<(), Error> {
        SerializeSeq::end(self)
    }
}

impl SerializeTupleStruct for Elements<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.add(value)
    }

    fn end(self) -> Result<(), Error> {
        SerializeSeq::end(self)
    }
}

impl SerializeTupleVariant for Variant<Elements<'_>> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.add(value)
    }

    fn end(self) -> Result<(), Error> {
        close(self.0.out, b']');
        self.0.out.push(b'}');
        Ok(())
    }
}

impl SerializeStructVariant for Variant<Members<'_>> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        SerializeStruct::serialize_field(&mut self.0, key, value)
    }

    fn end(self) -> Result<(), Error> {
        close(self.0.out, b'}');
        self.0.out.push(b'}');
        Ok(())
    }
}

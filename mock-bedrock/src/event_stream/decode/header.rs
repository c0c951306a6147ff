//! The headers of a frame: `name length u8 | name | type u8 | value`, one after the other.

use bytes::{Buf as _, Bytes};

use super::DecodeError;

/// A header of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name; those of the format itself start with a colon.
    pub name: String,
    /// The value.
    pub value: HeaderValue,
}

/// A value of a header, of one of the types of the event stream format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// Types 0 and 1.
    Bool(bool),
    /// Type 2.
    Byte(i8),
    /// Type 3.
    Int16(i16),
    /// Type 4.
    Int32(i32),
    /// Type 5.
    Int64(i64),
    /// Type 6.
    Bytes(Bytes),
    /// Type 7, UTF-8.
    Text(String),
    /// Type 8: milliseconds since 1970.
    Timestamp(i64),
    /// Type 9.
    Uuid([u8; 16]),
}

impl HeaderValue {
    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            HeaderValue::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Its name or value goes on past the end of the headers.
    #[error("goes on past the end of the frame's headers")]
    CutShort,
    /// Its name is not UTF-8.
    #[error("has a name that is not UTF-8")]
    Name,
    /// Its value says that it is text, and is not UTF-8.
    #[error("has a text value that is not UTF-8")]
    Text,
    /// Its value is of a type that the format does not have.
    #[error("has a value of type {0}, and the types are 0 to 9")]
    Type(u8),
}

/// All headers in `bytes`, which start at byte `offset` of the stream.
pub(super) fn read_all(mut bytes: Bytes, offset: u64) -> Result<Vec<Header>, DecodeError> {
    let whole = bytes.len();
    let mut headers = Vec::new();
    while !bytes.is_empty() {
        let offset = offset + (whole - bytes.len()) as u64;
        headers.push(read(&mut bytes).map_err(|fault| DecodeError::Header { offset, fault })?);
    }
    Ok(headers)
}

fn read(bytes: &mut Bytes) -> Result<Header, HeaderFault> {
    let name_length = bytes.try_get_u8().map_err(cut_short)?;
    let name = text(bytes, name_length.into(), HeaderFault::Name)?;
    Ok(Header { name, value: read_value(bytes)? })
}

fn read_value(bytes: &mut Bytes) -> Result<HeaderValue, HeaderFault> {
    Ok(match bytes.try_get_u8().map_err(cut_short)? {
        0 => HeaderValue::Bool(true),
        1 => HeaderValue::Bool(false),
        2 => HeaderValue::Byte(bytes.try_get_i8().map_err(cut_short)?),
        3 => HeaderValue::Int16(bytes.try_get_i16().map_err(cut_short)?),
        4 => HeaderValue::Int32(bytes.try_get_i32().map_err(cut_short)?),
        5 => HeaderValue::Int64(bytes.try_get_i64().map_err(cut_short)?),
        6 => {
            let length = bytes.try_get_u16().map_err(cut_short)?;
            HeaderValue::Bytes(split(bytes, length.into())?)
        }
        7 => {
            let length = bytes.try_get_u16().map_err(cut_short)?;
            HeaderValue::Text(text(bytes, length.into(), HeaderFault::Text)?)
        }
        8 => HeaderValue::Timestamp(bytes.try_get_i64().map_err(cut_short)?),
        9 => HeaderValue::Uuid(bytes.try_get_u128().map_err(cut_short)?.to_be_bytes()),
        other => return Err(HeaderFault::Type(other)),
    })
}

fn split(bytes: &mut Bytes, length: usize) -> Result<Bytes, HeaderFault> {
    if bytes.len() < length {
        return Err(HeaderFault::CutShort);
    }
    Ok(bytes.split_to(length))
}

fn text(bytes: &mut Bytes, length: usize, fault: HeaderFault) -> Result<String, HeaderFault> {
    let bytes = split(bytes, length)?;
    std::str::from_utf8(&bytes).map(str::to_owned).map_err(|_| fault)
}

fn cut_short(_: bytes::TryGetError) -> HeaderFault {
    HeaderFault::CutShort
}

//! Reading messages that each have their length before them, in the ways that are in use: the
//! Collector's file exporter (four bytes, big-endian), others little-endian, and protobuf's own
//! delimited streams (a number of variable length).
//!
//! Nothing in such a file names its signal. A record can be zstd on its own: that is how the file
//! exporter compresses, unless it is told to compress the file as a whole.

use std::io::{self, BufRead, Read};

use super::bare::{self, Varint, begins_message, varint};
use super::error::{Place, RecordError};
use super::export::{Export, Signal};
use super::limits::MAX_RECORD_BYTES;
use crate::compressed::{begins_zstd, zstd_frame};
use crate::json;

/// How much of some bytes is records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// All.
    Whole,
    /// All but the last record, which goes on.
    Cut,
}

/// How the length of a record is written before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Four bytes, the most significant first.
    BigEndian,
    /// Four bytes, the least significant first.
    LittleEndian,
    /// Seven bits a byte, the least significant first.
    Varint,
}

impl Prefix {
    const ALL: [Prefix; 3] = [Prefix::BigEndian, Prefix::LittleEndian, Prefix::Varint];

    /// The way in which all of `input` is records, if there is one.
    pub(super) fn of_whole(input: &[u8]) -> Option<Prefix> {
        Prefix::ALL.into_iter().find(|prefix| prefix.fits(input) == Some(Fit::Whole))
    }

    /// The way in which `start` is the beginning of records, if there is one. A length and the
    /// lengths within its message agree by chance only once in many thousands of times; but a long
    /// first message shows one of the latter alone, and a length that is read the wrong way round
    /// is far beyond it. So the least length is the likeliest.
    pub(super) fn of_start(start: &[u8]) -> Option<Prefix> {
        let fitting = Prefix::ALL.into_iter().filter(|prefix| prefix.fits(start).is_some());
        fitting.min_by_key(|prefix| prefix.first_length(start))
    }

    /// The length of the first record that is not empty.
    fn first_length(self, start: &[u8]) -> Option<u64> {
        let mut rest = start;
        loop {
            match self.length(rest)? {
                (0, bytes) => rest = &rest[bytes..],
                (length, _) => return Some(length),
            }
        }
    }

    fn fits(self, start: &[u8]) -> Option<Fit> {
        let mut rest = start;
        let mut holds_something = false;
        while !rest.is_empty() {
            let Some((length, bytes)) = self.length(rest) else {
                return holds_something.then_some(Fit::Cut);
            };
            let body = &rest[bytes..];
            if length == 0 {
                // Four bytes of a length can look like three empty records and a short one.
                if self == Prefix::Varint && !holds_something {
                    return None;
                }
            } else if body.is_empty() {
                return holds_something.then_some(Fit::Cut);
            } else if length > MAX_RECORD_BYTES || !self.is_record(body, length) {
                // Damage behind good records is told where it is.
                return (holds_something && self != Prefix::Varint).then_some(Fit::Cut);
            } else {
                holds_something = true;
            }
            match usize::try_from(length).ok().and_then(|length| body.get(length..)) {
                Some(next) => rest = next,
                None => return Some(Fit::Cut),
            }
        }
        holds_something.then_some(Fit::Whole)
    }

    fn is_record(self, body: &[u8], length: u64) -> bool {
        let is_of_the_file_exporter =
            self == Prefix::BigEndian && (begins_zstd(body) || body.starts_with(b"{\"resource"));
        is_of_the_file_exporter || begins_message(body, Some(length))
    }

    /// The length at the beginning of `bytes`, and how many bytes it takes.
    fn length(self, bytes: &[u8]) -> Option<(u64, usize)> {
        let four = bytes.first_chunk::<4>();
        match self {
            Prefix::BigEndian => four.map(|four| (u32::from_be_bytes(*four).into(), 4)),
            Prefix::LittleEndian => four.map(|four| (u32::from_le_bytes(*four).into(), 4)),
            Prefix::Varint => match varint(bytes) {
                Varint::Whole { value, bytes } => Some((value, bytes)),
                Varint::Cut | Varint::Invalid => None,
            },
        }
    }

    fn longest(self) -> usize {
        match self {
            Prefix::BigEndian | Prefix::LittleEndian => 4,
            Prefix::Varint => 5,
        }
    }
}

/// Records, one at a time.
pub(super) struct Prefixed<R> {
    input: R,
    prefix: Prefix,
    offset: u64,
    /// What the last record was: most files hold one signal.
    signal: Option<Signal>,
    /// Reused from record to record.
    body: Vec<u8>,
}

impl<R: BufRead> Prefixed<R> {
    pub(super) fn new(input: R, prefix: Prefix) -> Self {
        Prefixed { input, prefix, offset: 0, signal: None, body: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Result<Option<Export>, RecordError> {
        let offset = self.offset;
        let reading = |error| RecordError::reading(error, offset);
        let not_otlp = |seen| RecordError::NotOtlp { at: Place::Byte(offset), seen };
        let Some((length, bytes)) = self.length()? else { return Ok(None) };
        if length > MAX_RECORD_BYTES {
            return Err(not_otlp(format!(
                "a record said to have {length} bytes; the most is {MAX_RECORD_BYTES}"
            )));
        }
        self.body.clear();
        // Reads what is there instead of trusting the length with an allocation.
        let read = (&mut self.input).take(length).read_to_end(&mut self.body).map_err(reading)?;
        if (read as u64) < length {
            return Err(RecordError::Truncated { offset });
        }
        self.offset += bytes as u64 + length;
        if begins_zstd(&self.body) {
            self.body = zstd_frame(&self.body, MAX_RECORD_BYTES).map_err(reading)?;
        }
        let export = if self.body.starts_with(b"{") {
            json::decode_export(&self.body).map_err(|error| not_otlp(error.to_string()))?
        } else {
            bare::decode(&self.body, self.signal).map_err(|seen| not_otlp(seen.to_owned()))?
        };
        self.signal = Some(export.signal());
        Ok(Some(export))
    }

    /// The length of the next record and of the prefix that says it; none at the end.
    fn length(&mut self) -> Result<Option<(u64, usize)>, RecordError> {
        let mut prefix = Vec::with_capacity(self.prefix.longest());
        while prefix.len() < self.prefix.longest() {
            let mut byte = [0];
            match self.input.read(&mut byte) {
                Ok(0) if prefix.is_empty() => return Ok(None),
                Ok(0) => return Err(RecordError::Truncated { offset: self.offset }),
                Ok(_) => prefix.push(byte[0]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(RecordError::reading(error, self.offset)),
            }
            if let Some(length) = self.prefix.length(&prefix) {
                return Ok(Some(length));
            }
        }
        Err(RecordError::NotOtlp {
            at: Place::Byte(self.offset),
            seen: "a length of more than 32 bits".to_owned(),
        })
    }
}

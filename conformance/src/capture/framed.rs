//! Reading spanproof's own format: length-delimited protobuf requests.

use std::io::{self, BufRead, Read};

use super::error::{Place, RecordError};
use super::export::Request;
use super::format::MAGIC;
use super::limits::MAX_RECORD_BYTES;
use super::writer::signal_of_byte;

const HEAD_BYTES: usize = 5;

/// Up to so many bytes a length is trusted with an allocation of its size.
const TRUSTED: u64 = 1 << 20;

/// Records after the magic, one at a time.
pub(super) struct Framed<R> {
    input: R,
    offset: u64,
}

impl<R: BufRead> Framed<R> {
    /// Skips the magic, which `input` is known to begin with, if perhaps not to its end.
    pub(super) fn new(mut input: R) -> Result<Self, RecordError> {
        let mut magic = [0; MAGIC.len()];
        match fill(&mut input, &mut magic).map_err(|error| RecordError::reading(error, 0))? {
            Filled::Whole => Ok(Framed { input, offset: MAGIC.len() as u64 }),
            Filled::Nothing | Filled::Part => Err(RecordError::Truncated { offset: 0 }),
        }
    }

    /// The next request, and the offset of its record.
    pub(super) fn next(&mut self) -> Result<Option<(Request, u64)>, RecordError> {
        let offset = self.offset;
        let mut head = [0; HEAD_BYTES];
        let reading = |error| RecordError::reading(error, offset);
        match fill(&mut self.input, &mut head).map_err(reading)? {
            Filled::Nothing => return Ok(None),
            Filled::Part => return Err(RecordError::Truncated { offset }),
            Filled::Whole => {}
        }
        let [signal, length @ ..] = head;
        let not_otlp = |seen| RecordError::NotOtlp { at: Place::Byte(offset), seen };
        let signal = signal_of_byte(signal)
            .ok_or_else(|| not_otlp(format!("a record of unknown kind {signal:#04x}")))?;
        let length = u64::from(u32::from_le_bytes(length));
        if length > MAX_RECORD_BYTES {
            return Err(not_otlp(format!(
                "a record said to have {length} bytes; the most is {MAX_RECORD_BYTES}"
            )));
        }
        let mut body = Vec::with_capacity(usize::try_from(length.min(TRUSTED)).unwrap_or(0));
        // Reads what is there instead of trusting the length with an allocation.
        let read = (&mut self.input).take(length).read_to_end(&mut body).map_err(reading)?;
        if (read as u64) < length {
            return Err(RecordError::Truncated { offset });
        }
        self.offset += HEAD_BYTES as u64 + length;
        Ok(Some((Request { signal, protobuf: body.into() }, offset)))
    }
}

enum Filled {
    Nothing,
    Part,
    Whole,
}

fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<Filled> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(Filled::Nothing),
            Ok(0) => return Ok(Filled::Part),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Filled::Whole)
}

//! Input of which some can be taken back, and that knows where it is.

use std::io::{self, BufRead, Read};

use super::error::RecordError;

/// A place in an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    /// Bytes before it.
    pub(super) offset: u64,
    /// Its line, from 1.
    pub(super) line: u64,
}

impl Position {
    pub(super) fn start() -> Self {
        Position { offset: 0, line: 1 }
    }

    /// The place behind `bytes` that begin here.
    pub(super) fn behind(self, bytes: &[u8]) -> Position {
        Position {
            offset: self.offset + bytes.len() as u64,
            line: self.line + memchr::memchr_iter(b'\n', bytes).count() as u64,
        }
    }
}

/// An input with the bytes that were taken back before it.
pub(super) struct Lookback<R> {
    back: io::Cursor<Vec<u8>>,
    input: R,
    position: Position,
}

impl<R: BufRead> Lookback<R> {
    pub(super) fn new(input: R) -> Self {
        Lookback { back: io::Cursor::new(Vec::new()), input, position: Position::start() }
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Bytes that are there, some if not at the end.
    pub(super) fn buffer(&mut self) -> Result<&[u8], RecordError> {
        if self.back.fill_buf().is_ok_and(|back| !back.is_empty()) {
            return self.back.fill_buf().map_err(RecordError::Io);
        }
        let offset = self.position.offset;
        loop {
            match self.input.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(RecordError::reading(error, offset)),
            }
        }
        self.input.fill_buf().map_err(|error| RecordError::reading(error, offset))
    }

    /// Moves the first `count` bytes of the buffer to `to`.
    pub(super) fn take(&mut self, count: usize, to: &mut Vec<u8>) -> Result<(), RecordError> {
        let taken = &self.buffer()?[..count];
        to.extend_from_slice(taken);
        self.skip(count)
    }

    /// Passes over the first `count` bytes of the buffer.
    pub(super) fn skip(&mut self, count: usize) -> Result<(), RecordError> {
        let position = self.position;
        self.position = position.behind(&self.buffer()?[..count]);
        if self.back.fill_buf().is_ok_and(|back| !back.is_empty()) {
            self.back.consume(count);
        } else {
            self.input.consume(count);
        }
        Ok(())
    }

    /// Goes back to `position`, from which on the input said `bytes` so far.
    pub(super) fn take_back(
        &mut self,
        bytes: &[u8],
        position: Position,
    ) -> Result<(), RecordError> {
        let mut back = bytes.to_vec();
        self.back.read_to_end(&mut back).map_err(RecordError::Io)?;
        self.back = io::Cursor::new(back);
        self.position = position;
        Ok(())
    }
}

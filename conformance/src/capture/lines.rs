//! Reading OTLP JSON: one object per line, or one object over several lines.

use std::io::{BufRead, Read};

use super::error::{Place, RecordError};
use super::export::Export;
use crate::json::{self, DecodeError};

/// The longest line that is read. It is far above what an exporter sends in one request, and keeps
/// a file without line breaks from filling memory.
const MAX_LINE_BYTES: u64 = 1 << 30;

/// Objects, one at a time.
pub(super) struct Lines<R> {
    input: R,
    offset: u64,
    line: u64,
    /// Reused from line to line.
    text: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Lines { input, offset: 0, line: 0, text: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Result<Option<Export>, RecordError> {
        loop {
            self.text.clear();
            let offset = self.offset;
            if !self.read_line()? {
                return Ok(None);
            }
            if self.text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let line = self.line;
            let mut decoded = json::decode_export(&self.text);
            // A line that ends within its object, though more lines follow, is the first of an
            // object printed over several lines; then the object is all that the file may hold.
            if matches!(decoded, Err(DecodeError::Incomplete)) && self.text.ends_with(b"\n") {
                while self.read_line()? {}
                decoded = json::decode_export(&self.text);
            }
            return match decoded {
                Ok(export) => Ok(Some(export)),
                Err(DecodeError::Incomplete) => Err(RecordError::Truncated { offset }),
                Err(error) => {
                    Err(RecordError::NotOtlp { at: Place::Line(line), seen: error.to_string() })
                }
            };
        }
    }

    /// Appends one line to `text`; false at the end of the input.
    fn read_line(&mut self) -> Result<bool, RecordError> {
        let room = MAX_LINE_BYTES.saturating_sub(self.text.len() as u64);
        let read = (&mut self.input)
            .take(room)
            .read_until(b'\n', &mut self.text)
            .map_err(|error| RecordError::reading(error, self.offset))? as u64;
        self.offset += read;
        self.line += 1;
        if read == room && !self.text.ends_with(b"\n") {
            return Err(RecordError::NotOtlp {
                at: Place::Line(self.line),
                seen: format!("a line of more than {MAX_LINE_BYTES} bytes"),
            });
        }
        Ok(read > 0)
    }
}

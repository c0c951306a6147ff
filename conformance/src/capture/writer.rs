//! Writing captures.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::error::WriteError;
use super::export::{Export, Request, Signal};
use super::format::{Format, MAGIC};
use super::limits::MAX_RECORD_BYTES;
use crate::json;

/// Bytes gathered before the operating system is asked to write.
const BUFFER_BYTES: usize = 256 * 1024;

/// Writes requests to a capture in order of arrival.
pub struct Writer {
    format: Format,
    out: BufWriter<Box<dyn Write + Send>>,
}

impl Writer {
    /// Creates, or empties, the file at `path`, in the format of its extension
    /// ([`Format::of_path`]).
    ///
    /// # Errors
    ///
    /// If the file cannot be created or written.
    pub fn create(path: &Path) -> Result<Writer, WriteError> {
        let file = File::create(path)
            .map_err(|source| WriteError::Create { path: path.to_owned(), source })?;
        Writer::new(file, Format::of_path(path))
    }

    /// Writes to `out` in `format`.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written.
    pub fn new(out: impl Write + Send + 'static, format: Format) -> Result<Writer, WriteError> {
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, Box::new(out) as Box<_>);
        match format {
            Format::Otlp => out.write_all(MAGIC)?,
            Format::JsonLines => {}
        }
        Ok(Writer { format, out })
    }

    /// Appends a request as it came.
    ///
    /// # Errors
    ///
    /// If the capture cannot be written, or the request is not what its signal says.
    pub fn write(&mut self, request: &Request) -> Result<(), WriteError> {
        match self.format {
            Format::Otlp => self.frame(request.signal, &request.protobuf),
            Format::JsonLines => self.line(&Export::decode(request.signal, &request.protobuf)?),
        }
    }

    /// Appends a decoded request.
    ///
    /// # Errors
    ///
    /// If the capture cannot be written.
    pub fn write_export(&mut self, export: &Export) -> Result<(), WriteError> {
        match self.format {
            Format::Otlp => self.frame(export.signal(), &export.encode()),
            Format::JsonLines => self.line(export),
        }
    }

    /// Hands everything written so far to the operating system.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }

    fn frame(&mut self, signal: Signal, protobuf: &[u8]) -> Result<(), WriteError> {
        let length = u32::try_from(protobuf.len())
            .ok()
            .filter(|length| u64::from(*length) <= MAX_RECORD_BYTES)
            .ok_or_else(|| {
                let what = format!("a request of more than {MAX_RECORD_BYTES} bytes");
                io::Error::new(io::ErrorKind::InvalidInput, what)
            })?;
        let [a, b, c, d] = length.to_le_bytes();
        self.out.write_all(&[signal_byte(signal), a, b, c, d])?;
        Ok(self.out.write_all(protobuf)?)
    }

    fn line(&mut self, export: &Export) -> Result<(), WriteError> {
        let mut line = json::encode_export(export).map_err(io::Error::from)?;
        line.push(b'\n');
        Ok(self.out.write_all(&line)?)
    }
}

/// The byte that stands for a signal in [`Format::Otlp`].
fn signal_byte(signal: Signal) -> u8 {
    match signal {
        Signal::Traces => b'T',
        Signal::Metrics => b'M',
        Signal::Logs => b'L',
    }
}

/// The signal that a byte stands for.
pub(super) fn signal_of_byte(byte: u8) -> Option<Signal> {
    Signal::ALL.into_iter().find(|signal| signal_byte(*signal) == byte)
}

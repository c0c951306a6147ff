//! Opening one input and telling its format by its content.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::bare;
use super::error::{Place, RecordError};
use super::format::MAGIC;
use super::framed::Framed;
use super::lines::Lines;
use super::record::{Encoded, Record};

const BUFFER_BYTES: usize = 256 * 1024;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

type Input = Box<dyn BufRead + Send>;

/// The records of one input.
pub(super) enum Records {
    Framed(Framed<Input>),
    Lines(Lines<Input>),
    Bare(Option<Input>),
    Empty,
}

impl Records {
    /// Looks at the beginning of `input` and chooses; within gzip, once more.
    pub(super) fn open(input: impl Read + Send + 'static) -> Result<Records, RecordError> {
        let (start, input) = peek(input)?;
        if start.starts_with(GZIP_MAGIC) {
            let (start, input) = peek(MultiGzDecoder::new(input))?;
            return Records::by_content(&start, input);
        }
        Records::by_content(&start, input)
    }

    /// The next record of the input, which is called `path`.
    pub(super) fn next(&mut self, path: &Arc<Path>) -> Result<Option<Record>, RecordError> {
        let decoded = match self {
            Records::Framed(framed) => {
                let next = framed.next()?;
                return Ok(next.map(|(request, offset)| {
                    Record::Encoded(Encoded { request, path: Arc::clone(path), offset })
                }));
            }
            Records::Lines(lines) => lines.next(),
            Records::Bare(input) => input.take().map(bare::read).transpose(),
            Records::Empty => Ok(None),
        };
        Ok(decoded?.map(Record::Decoded))
    }

    fn by_content(start: &[u8], input: Input) -> Result<Records, RecordError> {
        let visible = start.trim_ascii_start();
        match start {
            [] => Ok(Records::Empty),
            _ if MAGIC.starts_with(start) || start.starts_with(MAGIC) => {
                Framed::new(input).map(Records::Framed)
            }
            _ if visible.is_empty() => Ok(Records::Lines(Lines::new(input))),
            // A bare message begins with what is a line feed in text, and its length can look like
            // anything; a key cannot.
            [bare::FIRST_BYTE, ..] if !begins_object(visible) => Ok(Records::Bare(Some(input))),
            _ if visible.starts_with(b"{") => Ok(Records::Lines(Lines::new(input))),
            _ => Err(RecordError::NotOtlp {
                at: Place::Byte(0),
                seen: format!("it begins with \"{}\"", start[..start.len().min(16)].escape_ascii()),
            }),
        }
    }
}

/// Whether `text` is `{`, then a key or `}` or, where `text` ends early, nothing.
fn begins_object(text: &[u8]) -> bool {
    let Some(inside) = text.strip_prefix(b"{") else { return false };
    match inside.trim_ascii_start() {
        [] | [b'}', ..] | [b'"'] => true,
        [b'"', first, ..] => first.is_ascii_alphabetic(),
        _ => false,
    }
}

/// The first bytes of `input`, and `input` with them still in it.
fn peek(input: impl Read + Send + 'static) -> Result<(Vec<u8>, Input), RecordError> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut start = Vec::new();
    let read = (&mut input).take(64).read_to_end(&mut start);
    read.map_err(|error| RecordError::reading(error, 0))?;
    let whole = io::Cursor::new(start.clone()).chain(input);
    Ok((start, Box::new(whole)))
}

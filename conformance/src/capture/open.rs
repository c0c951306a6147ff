//! Opening one input and telling its format by its content.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::bare::{Bare, begins_message};
use super::error::{Place, RecordError};
use super::export::Items;
use super::format::MAGIC;
use super::framed::Framed;
use super::prefixed::{Prefix, Prefixed};
use super::record::{Encoded, Record};
use super::text::Text;
use crate::compressed::{self, Input, Plain, START_BYTES, Unfolded};

/// The records of one input.
pub(super) struct Records {
    format: Format,
    unfolded: Unfolded,
}

enum Format {
    Framed(Framed<Input>),
    Text(Text<Input>),
    Prefixed(Prefixed<Input>),
    Bare(Option<Bare<Input>>),
    Empty,
}

impl Records {
    /// Looks at the beginning of `input`, without its compression, and chooses.
    pub(super) fn open(input: impl Read + Send + 'static) -> Result<Records, RecordError> {
        let Plain { start, input, unfolded } =
            compressed::plain(input).map_err(|error| RecordError::reading(error, 0))?;
        Ok(Records { format: Format::by_content(&start, input)?, unfolded })
    }

    /// The next record of the input, which is called `path`.
    pub(super) fn next(&mut self, path: &Arc<Path>) -> Result<Option<Record>, RecordError> {
        let decoded = match &mut self.format {
            Format::Framed(framed) => {
                let Some((request, offset)) = framed.next()? else { return Ok(None) };
                if !request.protobuf.is_empty() {
                    self.unfolded.was_of_use();
                }
                let path = Arc::clone(path);
                return Ok(Some(Record::Encoded(Encoded { request, path, offset })));
            }
            Format::Text(text) => text.next(),
            Format::Prefixed(prefixed) => prefixed.next(),
            Format::Bare(bare) => bare.take().map(Bare::read).transpose(),
            Format::Empty => Ok(None),
        }?;
        if decoded.as_ref().is_some_and(|export| export.items() != Items::default()) {
            self.unfolded.was_of_use();
        }
        Ok(decoded.map(Record::Decoded))
    }
}

impl Format {
    fn by_content(start: &[u8], input: Input) -> Result<Format, RecordError> {
        if start.is_empty() {
            return Ok(Format::Empty);
        }
        if MAGIC.starts_with(start) || start.starts_with(MAGIC) {
            return Framed::new(input).map(Format::Framed);
        }
        if begins_json(start) {
            return Ok(Format::Text(Text::new(input)));
        }
        // What fits to the last byte goes before what fits if more follows.
        if start.len() < START_BYTES {
            if let Some(prefix) = Prefix::of_whole(start) {
                return Ok(Format::Prefixed(Prefixed::new(input, prefix)));
            }
            if begins_message(start, Some(start.len() as u64)) {
                return Ok(Format::Bare(Some(Bare::new(input))));
            }
        }
        if let Some(prefix) = Prefix::of_start(start) {
            return Ok(Format::Prefixed(Prefixed::new(input, prefix)));
        }
        if begins_message(start, None) {
            return Ok(Format::Bare(Some(Bare::new(input))));
        }
        if is_text(start) {
            return Ok(Format::Text(Text::new(input)));
        }
        Err(RecordError::NotOtlp { at: Place::Byte(0), seen: foreign(start) })
    }
}

/// Whether `start` is, after blanks, `{` or `[`, and then what may follow that in JSON.
///
/// A bare message begins with what is a line feed in text, and its length can look like anything;
/// a key cannot.
fn begins_json(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let inside = match text {
        [] => return true,
        [b'{', inside @ ..] => inside.trim_ascii_start(),
        [b'[', inside @ ..] => {
            return matches!(inside.trim_ascii_start(), [] | [b'{' | b']', ..]);
        }
        _ => return false,
    };
    match inside {
        [] | [b'}', ..] | [b'"'] => true,
        [b'"', first, ..] => first.is_ascii_graphic(),
        _ => false,
    }
}

/// Whether `start` can be what a program prints: no control characters but those of terminals.
fn is_text(start: &[u8]) -> bool {
    let is_printed = |byte: &u8| !matches!(byte, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    start.iter().all(is_printed)
}

/// What a file is that is none of ours, for whoever has to find out how it came here.
fn foreign(start: &[u8]) -> String {
    match start {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            "it is UTF-16, as PowerShell redirects output; save it as UTF-8".to_owned()
        }
        [b'P', b'A', b'R', b'1', ..] => {
            "it is a Parquet file, such as a block of Tempo; fetch the traces with `--tempo`"
                .to_owned()
        }
        [b'P', b'K', 3, 4, ..] => "it is a zip archive; unpack it".to_owned(),
        _ => format!("it begins with \"{}\"", start[..start.len().min(16)].escape_ascii()),
    }
}

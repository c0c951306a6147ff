//! Reading JSON in text: an object a line, objects over several lines, a list of objects, and
//! objects among the lines that a program prints.
//!
//! OTLP is read strictly: what is between its objects is an error. The console exporters of the
//! Python SDK share standard output with the program, so that between their objects anything may
//! stand.

use std::io::BufRead;

use super::document::{self, Dialect};
use super::error::{Place, RecordError};
use super::export::Export;
use super::extent::{Extent, Followed};
use super::limits::MAX_RECORD_BYTES;
use super::lookback::{Lookback, Position};
use crate::json::{self, DecodeError, python};

/// Objects longer than this are read element by element where their list of resources or traces
/// allows it.
const SPLIT_BYTES: usize = 16 << 20;

/// The most that stands before that list.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// What a program prints and begins like an object is passed over up to this length. Each line of it
/// is looked at anew, which takes too long for more.
const LONGEST_PASSED_OVER_BYTES: usize = 1 << 20;

/// How much of a line is shown.
const SHOWN_BYTES: usize = 40;

/// Objects, one at a time.
pub(super) struct Text<R> {
    input: Lookback<R>,
    what: What,
    /// Where the list began whose elements are the objects.
    list: Option<Position>,
    split: Option<Split>,
    /// Reused from object to object.
    bytes: Vec<u8>,
}

/// What the text is, as far as it is known.
enum What {
    /// Nothing was read yet but what would be an error in OTLP.
    Undecided(Option<RecordError>),
    Strict,
    Console,
}

/// An object that is read element by element.
struct Split {
    /// From `{` to the `[` of the list.
    head: Vec<u8>,
    /// Where the object begins.
    start: Position,
}

impl<R: BufRead> Text<R> {
    pub(super) fn new(input: R) -> Self {
        Text {
            input: Lookback::new(input),
            what: What::Undecided(None),
            list: None,
            split: None,
            bytes: Vec::new(),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Export>, RecordError> {
        loop {
            if let Some(split) = self.split.take() {
                if let Some(export) = self.element(split)? {
                    return Ok(Some(export));
                }
                continue;
            }
            match self.past_blanks()? {
                None => return self.end(),
                Some(b'{') => {
                    if let Some(export) = self.object()? {
                        return Ok(Some(export));
                    }
                }
                Some(b'[') if self.list.is_none() => self.open_list()?,
                Some(b',') if self.list.is_some() => self.input.skip(1)?,
                Some(b']') if self.list.take().is_some() => self.input.skip(1)?,
                Some(_) => self.other_line()?,
            }
        }
    }

    fn end(&mut self) -> Result<Option<Export>, RecordError> {
        if let What::Undecided(Some(_)) = self.what
            && let What::Undecided(Some(error)) =
                std::mem::replace(&mut self.what, What::Undecided(None))
        {
            return Err(error);
        }
        match self.list.take() {
            Some(start) => Err(RecordError::Truncated { offset: start.offset }),
            None => Ok(None),
        }
    }

    /// The next byte that is no blank.
    fn past_blanks(&mut self) -> Result<Option<u8>, RecordError> {
        loop {
            let is_start = self.input.position().offset == 0;
            let buffer = self.input.buffer()?;
            if is_start && buffer.starts_with(b"\xef\xbb\xbf") {
                self.input.skip(3)?;
                continue;
            }
            match buffer.iter().position(|byte| !byte.is_ascii_whitespace()) {
                Some(blanks) => {
                    let byte = buffer[blanks];
                    self.input.skip(blanks)?;
                    return Ok(Some(byte));
                }
                None if buffer.is_empty() => return Ok(None),
                None => {
                    let blanks = buffer.len();
                    self.input.skip(blanks)?;
                }
            }
        }
    }

    /// Reads the object that begins here, or no more than a line if it is none of ours.
    fn object(&mut self) -> Result<Option<Export>, RecordError> {
        let start = self.input.position();
        let mut extent = Extent::of_object();
        // Whether it is JSON at all is tried at the ends of lines, each time that there is half as
        // much again: early, and not too often.
        let mut tried = 0;
        self.bytes.clear();
        loop {
            let piece = line_of(self.input.buffer()?);
            let is_line = piece.ends_with(b"\n");
            let (length, followed) = (piece.len(), extent.follow(piece));
            if length == 0 {
                return Err(RecordError::Truncated { offset: start.offset });
            }
            match followed {
                Followed::Ended(length) => {
                    self.input.take(length, &mut self.bytes)?;
                    return self.decode(start);
                }
                Followed::Broken => {
                    self.input.take(length, &mut self.bytes)?;
                    let seen = "a line ends within a string".to_owned();
                    return self.no_json(Place::Line(start.line), seen, start);
                }
                Followed::TooDeep => {
                    self.input.take(length, &mut self.bytes)?;
                    let seen = DecodeError::TooDeep.to_string();
                    return self.no_json(Place::Line(start.line), seen, start);
                }
                Followed::On => self.input.take(length, &mut self.bytes)?,
            }
            if self.bytes.len() > SPLIT_BYTES && self.may_split(&extent, start)? {
                return Ok(None);
            }
            if self.bytes.len() as u64 > MAX_RECORD_BYTES {
                return Err(too_long(start));
            }
            if (is_line || tried == 0) && self.bytes.len() >= tried + tried / 2 {
                tried = self.bytes.len();
                if let Err(error) = begins_value(&self.bytes) {
                    let (place, seen) = placed(&error, start);
                    return self.no_json(place, seen, start);
                }
            }
        }
    }

    /// Takes note of what is no telemetry, which only console output may hold.
    fn forgive(&mut self, error: RecordError) -> Result<(), RecordError> {
        match &mut self.what {
            What::Strict => return Err(error),
            What::Undecided(first) => {
                first.get_or_insert(error);
            }
            What::Console => {}
        }
        Ok(())
    }

    /// Passes over the first line of what began like an object and is none. What was to be telemetry
    /// is an error wherever it stands: it would be lost without a word.
    fn no_json(
        &mut self,
        at: Place,
        seen: String,
        start: Position,
    ) -> Result<Option<Export>, RecordError> {
        let error = RecordError::NotOtlp { at, seen };
        if self.bytes.len() > LONGEST_PASSED_OVER_BYTES || document::is_telemetry(&self.bytes) {
            return Err(error);
        }
        self.forgive(error)?;
        self.skip_first_line(start)?;
        Ok(None)
    }

    /// Goes on at the second line of what was read from `start` on, which was no object.
    fn skip_first_line(&mut self, start: Position) -> Result<(), RecordError> {
        match memchr::memchr(b'\n', &self.bytes) {
            Some(end) => {
                let (line, rest) = self.bytes.split_at(end + 1);
                self.input.take_back(rest, start.behind(line))
            }
            None => self.skip_line(),
        }
    }

    fn skip_line(&mut self) -> Result<(), RecordError> {
        loop {
            let piece = line_of(self.input.buffer()?);
            let (length, is_end) = (piece.len(), piece.is_empty() || piece.ends_with(b"\n"));
            self.input.skip(length)?;
            if is_end {
                return Ok(());
            }
        }
    }

    fn other_line(&mut self) -> Result<(), RecordError> {
        let line = self.input.position().line;
        let piece = line_of(self.input.buffer()?).trim_ascii_end();
        let shown = piece[..piece.len().min(SHOWN_BYTES)].escape_ascii();
        let seen = format!("a line that goes on with \"{shown}\"");
        self.list = None;
        self.forgive(RecordError::NotOtlp { at: Place::Line(line), seen })?;
        self.skip_line()
    }

    /// Passes over the `[` of a list of objects. What programs print in brackets is none.
    fn open_list(&mut self) -> Result<(), RecordError> {
        let start = self.input.position();
        let buffer = self.input.buffer()?;
        let is_list = match buffer.get(1) {
            Some(byte) => byte.is_ascii_whitespace() || matches!(byte, b'{' | b']'),
            None => true,
        };
        if !is_list {
            return self.other_line();
        }
        self.list = Some(start);
        self.input.skip(1)
    }

    /// Decodes the object in `bytes`.
    fn decode(&mut self, start: Position) -> Result<Option<Export>, RecordError> {
        match document::decode(&self.bytes) {
            Ok((export, dialect)) => self.accept(dialect).map(|()| Some(export)),
            Err(error) => {
                let (at, seen) = placed(&error, start);
                match error {
                    DecodeError::NoSignal { .. } => {
                        self.forgive(RecordError::NotOtlp { at, seen }).map(|()| None)
                    }
                    _ => self.no_json(at, seen, start),
                }
            }
        }
    }

    fn accept(&mut self, dialect: Dialect) -> Result<(), RecordError> {
        match (&mut self.what, dialect) {
            (What::Undecided(_), Dialect::Console) => self.what = What::Console,
            (What::Undecided(first), Dialect::Otlp | Dialect::Jaeger) => {
                let first = first.take();
                self.what = What::Strict;
                return first.map_or(Ok(()), Err);
            }
            (What::Strict | What::Console, _) => {}
        }
        Ok(())
    }

    /// Whether the object in `bytes`, which goes on, can be read element by element; then it will.
    fn may_split(&mut self, extent: &Extent, start: Position) -> Result<bool, RecordError> {
        let Some(elements) = extent.elements().filter(|at| *at <= MAX_HEAD_BYTES) else {
            return Ok(false);
        };
        let (head, rest) = self.bytes.split_at(elements);
        self.input.take_back(rest, start.behind(head))?;
        self.split = Some(Split { head: head.to_vec(), start });
        Ok(true)
    }

    /// Reads the next element, which has the head of the object before it, or the object's end.
    fn element(&mut self, split: Split) -> Result<Option<Export>, RecordError> {
        let truncated = RecordError::Truncated { offset: split.start.offset };
        let is_end = loop {
            match self.past_blanks()? {
                None => return Err(truncated),
                Some(b',') => self.input.skip(1)?,
                Some(byte) => break byte == b']',
            }
        };
        let start = self.input.position();
        self.bytes.clear();
        self.bytes.extend_from_slice(&split.head);
        let (mut extent, tail) = if is_end {
            self.bytes.push(b']');
            self.input.skip(1)?;
            (Extent::of_rest_of_object(), &b""[..])
        } else {
            (Extent::of_object(), &b"]}"[..])
        };
        loop {
            let buffer = self.input.buffer()?;
            if buffer.is_empty() {
                return Err(truncated);
            }
            let no_json = |seen| RecordError::NotOtlp { at: Place::Line(start.line), seen };
            match (buffer.len(), extent.follow(buffer)) {
                (_, Followed::Ended(length)) => {
                    self.input.take(length, &mut self.bytes)?;
                    break;
                }
                (length, Followed::On) => self.input.take(length, &mut self.bytes)?,
                (_, Followed::Broken) => {
                    return Err(no_json("a line ends within a string".to_owned()));
                }
                (_, Followed::TooDeep) => return Err(no_json(DecodeError::TooDeep.to_string())),
            }
            if self.bytes.len() as u64 > MAX_RECORD_BYTES {
                return Err(too_long(start));
            }
        }
        self.bytes.extend_from_slice(tail);
        // The head's own lines are not counted once more.
        let lines = Position::start().behind(&split.head).line - 1;
        let origin = Position { line: start.line.saturating_sub(lines), ..start };
        let (export, dialect) = document::decode(&self.bytes).map_err(|error| {
            let (at, seen) = placed(&error, origin);
            RecordError::NotOtlp { at, seen }
        })?;
        self.accept(dialect)?;
        if is_end {
            return Ok(None);
        }
        self.split = Some(split);
        Ok(Some(export))
    }
}

/// Whether `text` begins a JSON value, or what Python writes as one.
fn begins_value(text: &[u8]) -> Result<(), DecodeError> {
    json::begins_value(text).or_else(|error| match python::with_tokens_replaced(text) {
        Some(replaced) => {
            json::begins_value(&replaced).map_err(|error| python::placed_in(text, error))
        }
        None => Err(error),
    })
}

/// The first line of `buffer`, or all of it if it has no end of line.
fn line_of(buffer: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', buffer).map_or(buffer, |end| &buffer[..=end])
}

/// Where in the input an error of the object that begins at `start` is, and what it says.
fn placed(error: &DecodeError, start: Position) -> (Place, String) {
    match error {
        DecodeError::Invalid { message, line, column } => {
            let line = start.line + *line as u64 - 1;
            (Place::Line(line), format!("{message} (column {column})"))
        }
        other => (Place::Line(start.line), other.to_string()),
    }
}

fn too_long(start: Position) -> RecordError {
    RecordError::NotOtlp {
        at: Place::Line(start.line),
        seen: format!(
            "an object of more than {MAX_RECORD_BYTES} bytes; write an object a line, such as with \
             the Collector's file exporter"
        ),
    }
}

//! Reading captures: files, folders of files, standard input.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{ReadError, RecordError};
use super::export::Export;
use super::files;
use super::open::Records;
use super::record::Record;

/// What standard input is written as.
const STDIN: &str = "-";

/// Where telemetry is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input, written `-`.
    Stdin,
    /// Standard input, kept in this file so that it can be read twice.
    Spooled(PathBuf),
    /// A file, or a folder: then every file in it and below it, in the order of their names.
    Path(PathBuf),
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        if path == Path::new(STDIN) { Source::Stdin } else { Source::Path(path.to_owned()) }
    }
}

/// Reads one export request after the other, holding one at a time.
///
/// After an error it goes no further.
pub struct Reader {
    waiting: VecDeque<Source>,
    open: Option<Open>,
}

/// Calls `each` with every request at `path`: a file, a folder, or `-` for standard input.
///
/// # Errors
///
/// If something cannot be read, or is not OTLP. What comes before it has been handed to `each`.
pub fn read(path: &Path, each: &mut dyn FnMut(Export)) -> Result<(), ReadError> {
    for export in Reader::new([Source::from(path)])? {
        each(export?);
    }
    Ok(())
}

impl Reader {
    /// A reader of `sources` one after the other.
    ///
    /// # Errors
    ///
    /// If a file or folder does not exist, or a folder is empty.
    pub fn new(sources: impl IntoIterator<Item = Source>) -> Result<Reader, ReadError> {
        let mut waiting = VecDeque::new();
        for source in sources {
            match source {
                Source::Path(path) => {
                    waiting.extend(files::at(&path)?.into_iter().map(Source::Path));
                }
                Source::Stdin | Source::Spooled(_) => waiting.push_back(source),
            }
        }
        Ok(Reader { waiting, open: None })
    }

    /// A reader of `input`, which errors call `name`.
    ///
    /// # Errors
    ///
    /// If the beginning of `input` cannot be read, or is no telemetry.
    pub fn of_input(name: &Path, input: impl Read + Send + 'static) -> Result<Reader, ReadError> {
        let open = Open::of_input(name.to_owned(), input)?;
        Ok(Reader { waiting: VecDeque::new(), open: Some(open) })
    }

    /// The next record as it stands, for whoever decodes it elsewhere or in another way.
    pub fn next_record(&mut self) -> Option<Result<Record, ReadError>> {
        let next = self.try_next();
        if next.is_err() {
            self.stop();
        }
        next.transpose()
    }

    /// Reads no further.
    fn stop(&mut self) {
        self.waiting.clear();
        self.open = None;
    }

    fn try_next(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            let open = match &mut self.open {
                Some(open) => open,
                None => match self.waiting.pop_front() {
                    Some(source) => self.open.insert(Open::new(source)?),
                    None => return Ok(None),
                },
            };
            if let Some(record) = open.next()? {
                return Ok(Some(record));
            }
            self.open = None;
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Export, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_record()?.and_then(Record::decode);
        if next.is_err() {
            self.stop();
        }
        Some(next)
    }
}

/// An input that is being read.
struct Open {
    path: Arc<Path>,
    records: Records,
    whole: u64,
}

impl Open {
    fn new(source: Source) -> Result<Open, ReadError> {
        match source {
            Source::Stdin => Open::of_input(STDIN.into(), io::stdin()),
            Source::Spooled(path) => Open::of_input(STDIN.into(), open(&path)?),
            Source::Path(path) => {
                let file = open(&path)?;
                Open::of_input(path, file)
            }
        }
    }

    fn of_input(path: PathBuf, input: impl Read + Send + 'static) -> Result<Open, ReadError> {
        match Records::open(input) {
            Ok(records) => Ok(Open { path: path.into(), records, whole: 0 }),
            Err(error) => Err(at_path(error, path, 0)),
        }
    }

    fn next(&mut self) -> Result<Option<Record>, ReadError> {
        let next = self
            .records
            .next(&self.path)
            .map_err(|error| at_path(error, self.path.to_path_buf(), self.whole))?;
        self.whole += u64::from(next.is_some());
        Ok(next)
    }
}

fn open(path: &Path) -> Result<File, ReadError> {
    File::open(path).map_err(|error| io_error(path, error))
}

fn at_path(error: RecordError, path: PathBuf, whole: u64) -> ReadError {
    match error {
        RecordError::Truncated { offset } => ReadError::Truncated { path, offset, whole },
        RecordError::Damaged { offset, damage } => {
            ReadError::Damaged { path, offset, whole, damage }
        }
        RecordError::NotOtlp { at, seen } => ReadError::NotOtlp { path, at, seen },
        RecordError::Io(source) => io_error(&path, source),
    }
}

pub(super) fn io_error(path: &Path, source: io::Error) -> ReadError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => ReadError::NotFound { path },
        _ => ReadError::Io { path, source },
    }
}

//! Reading captures: files, folders of files, standard input.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{ReadError, RecordError};
use super::export::Export;
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
                    let before = waiting.len();
                    find_files(&path, &mut waiting)?;
                    if waiting.len() == before {
                        return Err(ReadError::EmptyFolder { path });
                    }
                }
                Source::Stdin | Source::Spooled(_) => waiting.push_back(source),
            }
        }
        Ok(Reader { waiting, open: None })
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
        let (path, records) = match source {
            Source::Stdin => (PathBuf::from(STDIN), Records::open(io::stdin())),
            Source::Spooled(path) => (STDIN.into(), Records::open(open(&path)?)),
            Source::Path(path) => {
                let file = open(&path)?;
                (path, Records::open(file))
            }
        };
        match records {
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
        RecordError::NotOtlp { at, seen } => ReadError::NotOtlp { path, at, seen },
        RecordError::Io(source) => io_error(&path, source),
    }
}

fn io_error(path: &Path, source: io::Error) -> ReadError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => ReadError::NotFound { path },
        _ => ReadError::Io { path, source },
    }
}

fn find_files(path: &Path, found: &mut VecDeque<Source>) -> Result<(), ReadError> {
    let in_path = |error| io_error(path, error);
    if !fs::metadata(path).map_err(in_path)?.is_dir() {
        found.push_back(Source::Path(path.to_owned()));
        return Ok(());
    }
    let mut entries = fs::read_dir(path)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
        })
        .map_err(in_path)?;
    entries.sort();
    entries.iter().try_for_each(|entry| find_files(entry, found))
}

//! Why a capture could not be read or written.

use std::io;
use std::path::PathBuf;

use crate::compressed::Damaged;

/// What every message about a foreign file ends with.
const ACCEPTED: &str = "accepted are captures of spanproof, OTLP in JSON or protobuf, the console \
                        output of the Python SDK, and Jaeger JSON, each also in gzip or zstd \
                        (docs/inputs.md)";

/// Why a capture could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file or folder.
    #[error("no capture at `{path}`: the file or folder does not exist")]
    NotFound {
        /// As given.
        path: PathBuf,
    },
    /// A folder without files.
    #[error("no capture in `{path}`: the folder holds no files")]
    EmptyFolder {
        /// As given.
        path: PathBuf,
    },
    /// The file ends within a record.
    #[error(
        "capture `{path}` is cut off: the record that starts at byte {offset} does not end; whole \
         records before it: {whole}; write or fetch it anew{}", or_less(*offset, *whole)
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Where the incomplete record starts, in bytes of the uncompressed file.
        offset: u64,
        /// How many records before it are whole.
        whole: u64,
    },
    /// The file is compressed, and its compression is cut off, damaged or hostile.
    #[error(
        "cannot unfold capture `{path}` beyond byte {offset} of its content: {damage}; whole records \
         before that: {whole}"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Up to where records are whole, in bytes of the uncompressed file.
        offset: u64,
        /// How many records are.
        whole: u64,
        /// What is wrong, and what to do.
        damage: String,
    },
    /// Neither a file nor a folder, in a folder: reading it could take forever.
    #[error(
        "`{path}` is neither a file nor a folder; name the files to check instead of their folder"
    )]
    NoFile {
        /// What the folder holds.
        path: PathBuf,
    },
    /// The file, or a record of it, is something else than telemetry.
    #[error("`{path}` is no telemetry at {at}: {seen}; {ACCEPTED}")]
    NotOtlp {
        /// The file.
        path: PathBuf,
        /// The line or byte.
        at: Place,
        /// What is there.
        seen: String,
    },
    /// The operating system refused.
    #[error("cannot read capture `{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What else can be done about a capture whose record at `offset` does not end.
fn or_less(offset: u64, whole: u64) -> String {
    if offset == 0 || whole == 0 {
        return String::new();
    }
    format!(", or check the first {offset} bytes of its content alone")
}

/// Where in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line, from 1.
    Line(u64),
    /// A byte of the uncompressed file, from 0.
    Byte(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Byte(offset) => write!(f, "byte {offset}"),
        }
    }
}

/// Why a capture could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file could not be created.
    #[error("cannot create capture `{path}`: {source}")]
    Create {
        /// As given.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record could not be written.
    #[error("cannot write the capture: {0}")]
    Write(#[from] io::Error),
    /// Requests were taken of which not all are in the file.
    #[error(
        "{why}; of {taken} requests with telemetry that were taken, up to {lost} are lost: name a file where there is room"
    )]
    Lost {
        /// What went wrong first.
        why: String,
        /// How many requests were taken.
        taken: u64,
        /// How many came since the file had all that was taken.
        lost: u64,
    },
    /// A request that is not what its signal says.
    #[error("cannot write the capture: not an export request of its signal: {0}")]
    NotARequest(#[from] prost::DecodeError),
}

/// What went wrong with one record; the reader adds the path.
#[derive(Debug)]
pub(super) enum RecordError {
    Truncated { offset: u64 },
    Damaged { offset: u64, damage: String },
    NotOtlp { at: Place, seen: String },
    Io(io::Error),
}

impl RecordError {
    /// What a failed read of the record at `offset` means: compressed input reports its own cut
    /// and its own damage as errors.
    pub(super) fn reading(error: io::Error, offset: u64) -> RecordError {
        match Damaged::within(&error) {
            Some(damage) => RecordError::Damaged { offset, damage: damage.to_string() },
            None => RecordError::Io(error),
        }
    }
}

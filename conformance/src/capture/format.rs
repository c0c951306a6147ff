//! The formats that are written, and how a name chooses one.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// What a file of [`Format::Otlp`] begins with. Records follow it: one byte for the signal, the
/// length as a little-endian `u32`, and the protobuf encoding of the export request.
pub(super) const MAGIC: &[u8; 7] = b"SPCAP1\n";

/// A format of capture files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// spanproof's own: protobuf requests, length-delimited, all signals in one file.
    Otlp,
    /// One OTLP/JSON object per line, as the Collector's file exporter writes.
    JsonLines,
}

impl Format {
    /// The format that `path` asks for by its extension: JSON lines for `.jsonl` and `.json`,
    /// spanproof's own otherwise.
    #[must_use]
    pub fn of_path(path: &Path) -> Format {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "json") => Format::JsonLines,
            _ => Format::Otlp,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Otlp => "otlp",
            Format::JsonLines => "jsonl",
        })
    }
}

/// A text that names no capture format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown capture format `{0}`; known are otlp, jsonl")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "otlp" => Ok(Format::Otlp),
            "jsonl" => Ok(Format::JsonLines),
            _ => Err(UnknownFormat(name.to_owned())),
        }
    }
}

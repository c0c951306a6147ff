//! How bodies are compressed.

use std::fmt;
use std::io::{self, Write as _};
use std::str::FromStr;

use bytes::Bytes;

/// A compression of request bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// None.
    #[default]
    None,
    /// gzip, which every receiver takes.
    Gzip,
    /// Zstandard, which costs half of that.
    Zstd,
}

/// The level of both: the least work, as exporters in applications choose it.
const LEVEL: u32 = 1;

impl Compression {
    /// The word of `content-encoding`.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Compression::None => None,
            Compression::Gzip => Some("gzip"),
            Compression::Zstd => Some("zstd"),
        }
    }

    /// `body` as it is sent, however often.
    pub(super) fn compressed(self, body: &Bytes) -> io::Result<Bytes> {
        match self {
            Compression::None => Ok(body.clone()),
            Compression::Gzip => {
                let out = Vec::with_capacity(body.len() / 4);
                let level = flate2::Compression::new(LEVEL);
                let mut encoder = flate2::write::GzEncoder::new(out, level);
                encoder.write_all(body)?;
                encoder.finish().map(Bytes::from)
            }
            Compression::Zstd => zstd::bulk::compress(body, LEVEL.cast_signed()).map(Bytes::from),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word().unwrap_or("none"))
    }
}

/// A text that names no compression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown compression `{0}`: write none, gzip or zstd")]
pub struct ParseCompressionError(String);

impl FromStr for Compression {
    type Err = ParseCompressionError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let all = [Compression::None, Compression::Gzip, Compression::Zstd];
        let named = all.into_iter().find(|compression| compression.to_string() == given);
        named.ok_or_else(|| ParseCompressionError(given.to_owned()))
    }
}

//! The block formats.

use std::fmt;
use std::str::FromStr;

/// A format of Tempo's blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockEncoding {
    /// What the released versions 2.6 to 3.0 write.
    VParquet4,
    /// What 3.1 writes; 2.10 and 3.0 can be told to.
    #[default]
    VParquet5,
}

impl BlockEncoding {
    /// All of them.
    pub const ALL: [BlockEncoding; 2] = [BlockEncoding::VParquet4, BlockEncoding::VParquet5];

    /// As in Tempo's configuration and in `meta.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BlockEncoding::VParquet4 => "vParquet4",
            BlockEncoding::VParquet5 => "vParquet5",
        }
    }
}

impl fmt::Display for BlockEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no block format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown block encoding `{0}`; known are vParquet4, vParquet5")]
pub struct UnknownBlockEncoding(String);

impl FromStr for BlockEncoding {
    type Err = UnknownBlockEncoding;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        BlockEncoding::ALL
            .into_iter()
            .find(|encoding| encoding.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownBlockEncoding(name.to_owned()))
    }
}

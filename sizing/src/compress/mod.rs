//! The codecs of a block's pages.

mod snappy_better;

use snappy_better::compress as snappy;

/// How the values of a page are compressed; levels never are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Ids and numbers, which gain nothing.
    Uncompressed,
    /// Everything else.
    Snappy,
    /// Dedicated columns with the option `blob`.
    Zstd,
}

impl Codec {
    /// zstd's own default, which Tempo does not change.
    const ZSTD_LEVEL: i32 = 3;

    pub(crate) fn is_compressing(self) -> bool {
        self != Codec::Uncompressed
    }

    pub(crate) fn compress(self, values: Vec<u8>) -> std::io::Result<Vec<u8>> {
        match self {
            Codec::Uncompressed => Ok(values),
            Codec::Snappy => Ok(snappy(&values)),
            Codec::Zstd => zstd::bulk::compress(&values, Codec::ZSTD_LEVEL),
        }
    }
}
